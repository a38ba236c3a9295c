// Panel: Bragg spots, found in each image that is shown.

PANELS.push(class BraggPanel {
  static id = "bragg";
  static title = "Bragg";
  static isFor(info) { return info.rows.name === "detector y" && info.columns.name === "detector x"; }

  constructor(app) {
    this.app = app;
    this.pending = {};
    this.on = h("input", { type: "checkbox", onchange: () => this.ask({ finds: this.on.checked }) });
    this.fields = Object.fromEntries([
      ["n_sigma_strong", "Strong pixel: so many standard deviations above the background", "σ"],
      ["min_pixels", "Fewest pixels of a spot", "px"],
      ["gain", "Counts for each photon", ""],
    ].map(([name, title, unit]) => [name, new NumberField(title, (value) => this.ask({ options: { [name]: value } }), { unit, width: "5em" })]));
    this.verdict = h("div", { class: "bk-hint", role: "status" });
    this.table = h("table", { class: "bk-bragg-table" });
    this.element = h("div", { class: "bk-bragg" },
      h("div", { class: "bk-row" }, h("label", { class: "bk-check" }, this.on, "find spots in each image")),
      h("div", { class: "bk-form" }, ...[["strong", "n_sigma_strong"], ["at least", "min_pixels"], ["gain", "gain"]].flatMap(([text, name]) => [h("span", { class: "bk-name" }, text), this.fields[name].element])),
      this.verdict, this.table,
      h("div", { class: "bk-hint" }, "In Python: viewer.spots = \"find\", viewer.found; or viewer.spots = a table with columns x, y and frame."));
  }

  // Changes that wait for the kernel travel together: only the newest question is answered.
  ask(change = {}) {
    const options = { ...this.pending.options, ...change.options };
    Object.assign(this.pending, change, Object.keys(options).length ? { options } : {});
    this.number = (this.number ?? 0) + 1;
    this.app.ask("bragg", { ...this.pending, number: this.number });
  }

  receive({ finds, options, verdict, strongest, number }) {
    if (number === this.number) this.pending = {};
    this.on.checked = finds;
    for (const [name, field] of Object.entries(this.fields)) field.show(options[name]);
    this.verdict.textContent = verdict;
    this.verdict.classList.remove("bk-error");
    const line = (spot) => {
      const row = h("tr", { tabIndex: 0, title: "Show this spot", onclick: () => this.look(spot) }, ...[tell(spot.x, 5), tell(spot.y, 5), tell(Math.round(spot.intensity)), tell(spot.significance, 3), spot.d ? spot.d.toFixed(2) : "–"].map((text) => h("td", {}, text)));
      row.addEventListener("keydown", (event) => { if (event.key === "Enter") this.look(spot); });
      return row;
    };
    this.table.replaceChildren(...(strongest.length ? [
      h("thead", {}, h("tr", {}, ...["x [px]", "y [px]", "counts", "I/σ", "d [Å]"].map((text) => h("th", {}, text)))),
      h("tbody", {}, ...strongest.map(line))] : []));
  }
  failed(text) {
    this.pending = {};
    this.verdict.textContent = text;
    this.verdict.classList.add("bk-error");
  }

  look({ x, y, number }) {
    this.app.spotMarks.chosen = number;
    const half = 20;
    this.app.pane.show([x - half, y - half, x + half, y + half]);
  }

  show() { this.ask(); }
  changed(what) { if (["spots", "mask", "beam"].includes(what)) this.ask(); }
  hide() { this.app.spotMarks.chosen = null; this.app.pane.overlay.draw(); }
});
