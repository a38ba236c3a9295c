// Resolution rings: which ones, what they mean, and where the detector stands.

// A field for a number: told when it is a new one; shows what it is given, unless one types in it.
class NumberField {
  constructor(title, changed, { unit = "", width = "7em" } = {}) {
    this.input = h("input", { type: "text", inputMode: "decimal", class: "bk-field", title, "aria-label": title });
    this.input.style.width = width;
    this.element = h("span", { class: "bk-field-box" }, this.input, unit ? h("span", { class: "bk-unit" }, unit) : null);
    this.input.addEventListener("change", () => {
      const value = Number(this.input.value.replace(",", "."));
      const isGood = this.input.value.trim() !== "" && Number.isFinite(value);
      this.input.classList.toggle("bk-wrong", !isGood);
      if (isGood && this.input.value !== this.given) changed(value);
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.input.blur();
      if (event.key === "Escape") { this.input.value = this.given ?? ""; this.input.blur(); event.stopPropagation(); }
    });
  }

  show(value, digits = 6) {
    const text = value === null || value === undefined || Number.isNaN(value) ? "" : String(Number(value.toPrecision(digits)));
    this.given = text;
    if (document.activeElement !== this.input) { this.input.value = text; this.input.classList.remove("bk-wrong"); }
  }
}

PANELS.push(class RingsPanel {
  static id = "rings";
  static title = "Rings";
  static isFor(info) { return info.rows.name === "detector y" && info.columns.name === "detector x"; }

  constructor(app) {
    this.app = app;
    this.pending = {};
    this.without = h("div", { class: "bk-hint" });
    this.chosen = h("div", { class: "bk-chips" });
    this.calibrants = h("select", { title: "Rings of a calibrant", "aria-label": "calibrant", onchange: () => this.add(this.calibrants) });
    this.ice = h("input", { type: "checkbox", onchange: () => this.toggle("ice", this.ice.checked) });
    this.spacings = h("input", { type: "text", class: "bk-field bk-grows", placeholder: "own: 3.5, 2.1, 1.8", title: "Lattice spacings d [Å], with commas between", "aria-label": "d spacings", onchange: () => this.setSpacings() });
    this.spacings.addEventListener("keydown", (event) => { if (event.key === "Enter") this.spacings.blur(); });
    this.even = toolButton("round d", "Rings at round d spacings that fill the detector", () => this.ask({ resolution: true }));
    this.none = toolButton("none", "No rings", () => this.setItems([]));
    this.table = h("div", { class: "bk-ring-table" });
    this.notes = h("div", { class: "bk-hint" });
    this.place = this.placeRows();
    this.assumed = h("ul", { class: "bk-assumed-list" });
    this.hint = h("div", { class: "bk-hint" }, "Drag the cross in the image, or type. In Python: viewer.rings, viewer.beam_center, viewer.geometry; viewer.geometry.to_poni(path) saves it.");
    this.body = h("div", {},
      h("div", { class: "bk-row" }, this.calibrants, h("label", { class: "bk-check" }, this.ice, "ice")),
      h("div", { class: "bk-row" }, this.spacings, h("span", { class: "bk-unit" }, "Å"), this.even, this.none),
      this.chosen, this.table, this.notes);
    this.element = h("div", { class: "bk-rings-panel" }, this.without, this.body, this.place, this.assumed, this.hint);
  }

  placeRows() {
    this.beam = ["x", "y"].map((name, k) => new NumberField(`Beam centre, ${name}`, (value) => this.moveBeam(k, value), { unit: k ? "px" : "" }));
    this.distance = new NumberField("Distance from the sample, along the beam", (value) => this.ask({ distance: value / 1000 }), { unit: "mm" });
    this.wavelength = new NumberField("Wavelength", (value) => this.ask({ wavelength: value }), { unit: "Å" });
    this.energy = new NumberField("Photon energy", (value) => this.ask({ energy: value }), { unit: "keV" });
    this.tilt = h("span", { class: "bk-unit" });
    this.missing = h("div", { class: "bk-missing" });
    this.reset = toolButton("undo", "Back to the geometry of the data", () => this.ask({ reset: true }));
    const row = (name, ...parts) => [h("span", { class: "bk-name" }, name), h("span", { class: "bk-group bk-wraps" }, ...parts)];
    return h("div", { class: "bk-place-box" },
      h("div", { class: "bk-heading" }, "Detector", h("span", { class: "bk-space" }), this.reset),
      h("div", { class: "bk-form" },
        ...row("beam centre", ...this.beam.map((field) => field.element)),
        ...row("distance", this.distance.element, this.tilt),
        ...row("wavelength", this.wavelength.element, this.energy.element)),
      this.missing);
  }

  // Changes that wait for the kernel travel together: only the newest question is answered.
  ask(change = {}) {
    const undone = { rings: ["resolution"], wavelength: ["energy"], energy: ["wavelength"], reset: ["wavelength", "energy", "distance"] };
    for (const name of Object.keys(change).flatMap((key) => undone[key] ?? [])) delete this.pending[name];
    Object.assign(this.pending, change);
    this.number = (this.number ?? 0) + 1;
    this.app.ask("rings", { ...this.pending, number: this.number });
  }
  receive({ calibrants, items, number }) {
    if (number === this.number) { // else more was asked for since
      this.pending = {};
      this.app.rings.items = items;
    }
    if (!this.calibrants.options.length) {
      this.calibrants.append(h("option", { value: "" }, "calibrant …"), ...calibrants.map((name) => h("option", { value: name }, name)));
    }
    this.refresh();
  }
  failed(text) {
    this.pending = {};
    this.app.tell(text, true);
    this.refresh();
  }

  show() { this.ask(); this.refresh(); }
  changed(what) { if (["rings", "beam", "info"].includes(what)) this.refresh(); }

  // ---- which rings
  get items() { return this.pending.rings ?? this.app.rings.items; }
  setItems(items) { this.ask({ rings: items }); this.refresh(); }
  add(menu) {
    const name = menu.value;
    menu.value = "";
    if (name) this.toggle(name, true);
  }
  toggle(item, isOn) {
    const others = this.items.filter((other) => other !== item);
    this.setItems(isOn ? [...others, item] : others);
  }
  setSpacings() {
    const numbers = this.spacings.value.split(/[\s,;]+/).filter(Boolean).map(Number);
    const isGood = numbers.every((value) => Number.isFinite(value) && value > 0);
    this.spacings.classList.toggle("bk-wrong", !isGood);
    if (isGood) this.setItems([...this.items.filter((item) => typeof item === "string"), ...numbers]);
  }
  moveBeam(axis, value) {
    const info = this.app.info[axis ? "rows" : "columns"], beam = [...this.app.beamCenter];
    beam[axis] = (value - 0.5 - info.first) / info.step + 0.5;
    this.app.moveBeam(beam, true);
  }

  // ---- what is shown
  refresh() {
    const { app } = this, { geometry, noGeometry } = app.info;
    this.without.textContent = geometry ? "" : `No rings without the place of the detector. ${noGeometry} In Python: viewer.geometry = Geometry.from_poni(path).`;
    this.without.hidden = Boolean(geometry);
    this.body.hidden = this.place.hidden = this.hint.hidden = !geometry;
    this.assumed.hidden = !app.info.assumed.length;
    this.assumed.replaceChildren(...app.info.assumed.map((line) => h("li", {}, `assumed: ${line.replaceAll("_", " ")}`)));
    if (!geometry) return;
    this.showPlace(geometry);
    this.showChoice();
    this.showTable();
  }

  showPlace(geometry) {
    const { columns, rows } = this.app.info, beam = this.app.beamCenter;
    const full = beam ? [[columns, beam[0]], [rows, beam[1]]].map(([axis, at]) => axis.first + 0.5 + (at - 0.5) * axis.step) : [null, null];
    this.beam.forEach((field, k) => field.show(full[k]));
    this.distance.show(geometry.distance === null ? null : geometry.distance * 1000);
    this.wavelength.show(geometry.wavelength);
    this.energy.show(geometry.energy);
    this.tilt.textContent = geometry.tilt > 0.005 ? `tilted ${tell(geometry.tilt, 4)}°` : "";
    this.missing.textContent = geometry.wavelength ? "" : "The wavelength is missing: type it or the energy here, or set data.attrs[\"wavelength\"] [Å] or [\"energy\"] [keV].";
    this.missing.hidden = Boolean(geometry.wavelength);
  }

  showChoice() {
    const { items } = this;
    this.ice.checked = items.includes("ice");
    this.even.disabled = !this.app.info.geometry.wavelength;
    const own = items.filter((item) => typeof item === "number");
    if (document.activeElement !== this.spacings) this.spacings.value = own.map((value) => tell(value)).join(", ");
    this.chosen.replaceChildren(...items.filter((item) => typeof item === "string" && item !== "ice").map((item) => h("span", { class: "bk-chip" }, item,
      h("button", { class: "bk-chip-close", title: `Without ${item}`, "aria-label": `Without ${item}`, onclick: () => this.toggle(item, false) }, "×"))));
    this.chosen.hidden = !this.chosen.children.length;
  }

  showTable() {
    const { rings } = this.app;
    const rows = [...rings.curves.map((ring, number) => ({ ...ring, number })), ...rings.off].sort((a, b) => b.d - a.d);
    this.table.hidden = !rows.length;
    this.notes.textContent = rows.length || rings.items.length ? rings.notes.join(". ") : "Choose a calibrant, ice, d spacings of your own, or round ones.";
    const line = ({ name, d, q, twoTheta, why, number, color }) => h("tr", {
      class: why ? "bk-off" : "", title: why ?? "",
      onpointerenter: () => this.point(number), onpointerleave: () => this.point(undefined),
    }, h("td", {}, h("span", { class: "bk-dot", style: why ? "" : `background:${color}` }), name), h("td", {}, d.toFixed(d < 10 ? 3 : 2)), h("td", {}, tell(q, 4)), h("td", {}, twoTheta === null ? "–" : twoTheta.toFixed(2)), h("td", {}, why ? "off" : ""));
    this.table.replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, ...["ring", "d (Å)", "q (1/Å)", "2θ (°)", ""].map((text) => h("th", {}, text)))), h("tbody", {}, ...rows.map(line))));
  }

  point(number) {
    this.app.rings.pointed = number ?? null;
    this.app.pane.overlay.draw();
  }
  hide() { this.point(undefined); }
});
