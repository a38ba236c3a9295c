// Panel: a peak, fitted to the profile that is shown.

const CURVE_NAMES = { line: "Along the line", columns: "Columns", rows: "Rows", radial: "Radial", azimuthal: "Azimuthal", frames: "Through the frames" };
const PEAK_MODELS = [["gaussian", "Gaussian"], ["lorentzian", "Lorentzian"], ["pseudo_voigt", "pseudo-Voigt"]];
const FIT_COLOR = "#e4572e";

PANELS.push(class PeakPanel {
  static id = "peak";
  static title = "Peak";

  constructor(app) {
    this.app = app;
    this.isLog = false;
    this.found = null;
    this.ask = oncePerPicture(() => app.ask("peak", { roi: app.roi, chosen: chosen(app) }));
    this.curveMenu = h("select", { title: "Profile", "aria-label": "profile", onchange: () => { this.setRange(null); this.choose("curve", this.curveMenu.value); } });
    this.modelMenu = h("select", { title: "Shape of the peak, on a linear background", "aria-label": "shape of the peak", onchange: () => this.choose("peak_model", this.modelMenu.value) }, ...PEAK_MODELS.map(([value, text]) => h("option", { value }, text)));
    this.logButton = toolButton("log", "Logarithmic values", () => { this.isLog = !this.isLog; this.draw(); });
    this.allButton = toolButton("all", "Fit all of the profile, not a range", () => this.setRange(null));
    this.copyButton = toolButton("copy", "Copy the numbers as CSV", () => toClipboard(this.asText(), this.copyButton));
    this.controls = h("div", { class: "bk-row bk-profile-row" }, this.curveMenu, this.modelMenu, h("span", { class: "bk-group" }, this.logButton, this.allButton), h("span", { class: "bk-space" }), this.copyButton);
    this.hint = h("div", { class: "bk-hint" });
    this.plot = new Plot({ height: 190, range: ([low, high]) => this.setRange([low, high].map((x) => this.plot.read(x)).sort((a, b) => a - b)) });
    this.residuals = new Plot({ height: 84 });
    this.verdict = h("div", { class: "bk-verdict" });
    this.table = h("table", { class: "bk-peak-table" });
    this.body = h("div", {}, this.plot.element, this.residuals.element, this.verdict, this.table);
    this.element = h("div", { class: "bk-peak" }, this.controls, this.hint, this.body);
    this.told = () => this.ask();
    this.traits = ["curve", "peak_model", "peak_range", "radial_axis", "combine", "statistic"].map((name) => `change:${name}`).join(" ");
    app.model.on(this.traits, this.told);
    this.draw();
  }

  choose(trait, value) { this.app.set(trait, value); this.ask(); }
  setRange(range) { this.choose("peak_range", range); }

  show() { this.ask(); }
  changed(what) {
    if (["frame", "roi", "mask", "beam", "info"].includes(what)) this.ask();
    if (what === "look") { this.plot.sketch.draw(); this.residuals.sketch.draw(); }
  }

  receive(content, arrays) {
    this.found = { ...content, arrays };
    this.shownCurve = content.curve ? curveOf(content.curve, arrays, 0) : null;
    const wanted = this.app.model.get("peak_range");
    if (content.curve && wanted && !content.range) this.app.set("peak_range", null); // it was that of another profile
    this.draw();
  }

  failed(text) {
    this.found = null;
    this.draw(text);
  }

  draw(text = "") {
    const { found } = this, fit = found?.fit, { model } = this.app;
    this.hint.textContent = text || (fit ? "Drag over the plot to fit a part of it." : found ? "Draw a line (K), a rectangle (B) or a sector (S) in the image: a peak is fitted to its profile." : "");
    this.hint.classList.toggle("bk-error", Boolean(text));
    this.body.hidden = !fit;
    this.modelMenu.value = model.get("peak_model");
    this.allButton.disabled = !model.get("peak_range");
    this.logButton.classList.toggle("bk-on", this.isLog);
    if (found) this.curveMenu.replaceChildren(...found.names.map((name) => h("option", { value: name }, CURVE_NAMES[name])));
    this.curveMenu.hidden = !found?.names.length;
    this.copyButton.disabled = !fit;
    if (!fit) return;
    this.curveMenu.value = found.curve.name;
    this.drawPlots(found);
    this.drawTable(fit);
  }

  drawPlots({ arrays, curve, range, fit }) {
    const { x, y, isInverse, labels } = this.shownCurve, place = (values) => (isInverse ? values.map((d) => 2 * Math.PI / d) : values);
    const [ends, colors] = [range && place(range), theme(this.element)], position = fit.rows[0].value;
    this.plot.range = ends && [Math.min(...ends), Math.max(...ends)];
    const fitX = place(arrays.fitX), isFew = x.length < 300, highest = (values) => values.reduce((most, value) => (Math.abs(value) > most ? Math.abs(value) : most), 0);
    const isAstray = !fit.success && highest(arrays.fitY) > 3 * highest(y); // it would dwarf the data
    this.plot.set([
      { x, y, points: isFew, name: "data", color: colors.brand },
      ...(isAstray ? [] : [{ x: fitX, y: arrays.fitY, name: "fit", color: FIT_COLOR }, { x: fitX, y: arrays.groundY, dashed: true, color: FIT_COLOR }]),
    ], { labels, isLog: this.isLog, isInverse, marks: position === null || isAstray ? [] : [{ x: place([position])[0], color: FIT_COLOR }] });
    const zero = [this.plot.whole()[0], this.plot.whole()[1]];
    this.residuals.set([{ x: place(arrays.pointsX), y: arrays.residuals, points: isFew, color: colors.brand }, { x: zero, y: [0, 0], color: FIT_COLOR }], { labels: ["", "data − fit"], isInverse });
  }

  drawTable(fit) {
    this.verdict.textContent = fit.reason + (fit.chi2 === null ? "" : `; reduced χ² ${tell(fit.chi2, 3)}`);
    this.verdict.classList.toggle("bk-error", !fit.success);
    this.table.classList.toggle("bk-waits", !fit.success); // faint: no result
    this.table.replaceChildren(...fit.rows.map((row) => h("tr", { "data-name": row.name }, h("th", {}, row.title), h("td", {}, row.text))));
  }

  asText() {
    return ["name,value,error,unit", ...this.found.fit.rows.map(({ name, value, error, unit }) => [name, value ?? "nan", error ?? "nan", unit].join(","))].join("\n");
  }

  close() {
    this.app.model.off(this.traits, this.told);
    this.plot.close();
    this.residuals.close();
  }
});
