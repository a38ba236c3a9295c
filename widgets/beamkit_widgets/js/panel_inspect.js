// The dataset: which dimensions are seen and where along the others, numbers, facts, and a ruler.

// What beamkit.images.ruler tells, here so that it follows the mouse without a message.
function measured([x0, y0, x1, y1], info) {
  const angle = (dx, dy) => Math.atan2(dy, dx) / DEGREE;
  const dx = x1 - x0, dy = y1 - y0, size = info.pixel;
  const result = { dx, dy, distance: Math.hypot(dx, dy), angle: angle(dx, dy), length: null };
  if (!size) return result;
  return { ...result, length: Math.hypot(dx * size.width, dy * size.height), unit: size.unit, true_angle: angle(dx * size.width, dy * size.height) };
}

function rulerWords(found) {
  const parts = [`${tell(found.distance, 4)} px`];
  if (found.length !== null) parts.push(`${tell(found.length, 4)} ${found.unit.replace("um", "µm")}`);
  parts.push(`${tell(Number((found.true_angle ?? found.angle).toFixed(2)), 5)}°`);
  return parts.join(" · ");
}

// A line that says how long it is.
class RulerTool {
  constructor(app) {
    this.app = app;
    this.local = null; // while it is drawn
    this.send = oncePerPicture(() => { if (this.local) this.app.set("ruler", this.local); });
  }

  get isOn() { return this.app.tool === "ruler"; }
  get line() { return this.local ?? this.app.model.get("ruler"); }

  changed() {
    this.app.pane.overlay.draw();
    this.app.notify("ruler");
  }

  ends() {
    const [x0, y0, x1, y1] = this.line;
    return { start: [x0, y0], end: [x1, y1], middle: [(x0 + x1) / 2, (y0 + y1) / 2] };
  }

  handleAt([x, y], pane) {
    if (!this.line) return null;
    const [a, b] = pane.toScreen(x, y);
    const near = ([, position]) => { const [c, d] = pane.toScreen(...position); return Math.hypot(a - c, b - d) < 8; };
    return Object.entries(this.ends()).find(near)?.[0] ?? null;
  }

  cursor(position, pane) {
    const handle = this.handleAt(position, pane);
    if (handle) return handle === "middle" ? "move" : "pointer";
    return this.isOn ? "crosshair" : null;
  }

  grab(event, position, pane) {
    const handle = this.handleAt(position, pane);
    if (!handle && !this.isOn) return false;
    const [x0, y0, x1, y1] = handle ? this.line : [...position, ...position];
    const shapes = {
      start: (now) => [...now, x1, y1],
      end: (now) => [x0, y0, ...now],
      middle: (now) => [x0, y0, x1, y1].map((value, k) => value + now[k % 2] - position[k % 2]),
    };
    const constrain = handle === "middle" ? (now) => now : (now) => REGIONS.line.constrain(handle === "start" ? [x1, y1] : [x0, y0], now);
    drag(pane.element, event, (move) => {
      const now = pane.at(move);
      this.local = shapes[handle ?? "end"](move.shiftKey ? constrain(now) : now);
      this.send();
      this.changed();
    }, () => this.finish());
    return true;
  }

  finish() {
    const line = this.local;
    this.local = null;
    if (line) this.app.set("ruler", line);
    this.changed();
  }

  remove() { this.local = null; this.app.set("ruler", null); this.changed(); }
  cancel() {
    if (!this.isOn || !this.line) return false;
    this.remove();
    return true;
  }

  draw(context, pane) {
    if (!this.line) return;
    const { start, end, middle } = this.ends();
    const [a, b] = pane.toScreen(...start), [c, d] = pane.toScreen(...end), length = Math.hypot(c - a, d - b) || 1;
    const [u, v] = [-(d - b) / length * 6, (c - a) / length * 6];
    context.beginPath();
    for (const [p, q, r, s] of [[a, b, c, d], [a - u, b - v, a + u, b + v], [c - u, d - v, c + u, d + v]]) { context.moveTo(p, q); context.lineTo(r, s); }
    strokeTwice(context, "#4dd0e1", 1.6);
    const words = rulerWords(measured(this.line, this.app.info)), [x, y] = pane.toScreen(...middle);
    const half = context.measureText(words).width / 2 + 30, inside = Math.min(Math.max(x, half), Math.max(pane.width - half, half));
    label(context, words, inside, Math.min(Math.max(y - 14, 10), pane.height - 10), { align: "center", color: "#b2ebf2" });
  }
}

// A number, or a range of numbers, along one dimension.
class DimensionRow {
  constructor(panel, dim, size) {
    Object.assign(this, { panel, app: panel.app, dim, size });
    const number = (title, changed) => typed({ type: "number", min: 0, max: size - 1, step: 1, class: "bk-number", title: `${dim}: ${title}`, "aria-label": `${dim} ${title}`, onchange: changed });
    this.how = h("select", { title: "One image, or a range as one", "aria-label": `${dim} single or range`, onchange: () => this.hand() },
      ...["single", "sum", "max", "mean"].map((name) => h("option", { value: name }, name)));
    this.slider = h("input", { type: "range", min: 0, max: size - 1, step: 1, class: "bk-slider", "aria-label": dim, oninput: () => this.go(Number(this.slider.value)) });
    this.number = number("number", () => this.go(Number(this.number.value)));
    this.first = number("first", () => this.hand());
    this.last = number("last", () => this.hand());
    this.range = h("span", { class: "bk-inspect-range" }, this.first, " to ", this.last);
    this.told = h("span", { class: "bk-inspect-place" });
    this.element = h("div", { class: "bk-inspect-dim" },
      h("div", { class: "bk-row" }, h("b", { class: "bk-inspect-name", title: dim }, dim), this.told, h("span", { class: "bk-space" }), this.how),
      h("div", { class: "bk-row" }, this.slider, this.number, this.range));
    this.element.dataset.dim = dim;
  }

  get isMain() { return this.dim === this.app.info.main; }
  // A number, or [how, first, last].
  get place() {
    if (!this.isMain) return this.app.model.get("_places")[this.dim] ?? 0;
    const { span } = this.app;
    return span ? [span.how, span.first, span.last] : this.app.frame;
  }

  within(value) { return Math.min(Math.max(Math.round(Number.isFinite(value) ? value : 0), 0), this.size - 1); }

  go(value) {
    if (this.isMain) this.app.setFrame(this.within(value)); else this.put(this.within(value));
  }
  put(place) {
    this.app.set("_places", { ...this.app.model.get("_places"), [this.dim]: place });
    this.refresh();
  }

  hand() {
    const how = this.how.value, old = this.place, isNew = !Array.isArray(old);
    if (how === "single") return this.go(isNew ? old : old[1]);
    const ends = isNew ? [0, this.size - 1] : [this.first, this.last].map((input) => this.within(Number(input.value)));
    const [first, last] = [Math.min(...ends), Math.max(...ends)];
    if (this.isMain) this.app.setSpan({ how, first, last }); else this.put([how, first, last]);
  }

  refresh() {
    const { place } = this, isRange = Array.isArray(place);
    this.how.value = isRange ? place[0] : "single";
    this.slider.hidden = this.number.hidden = isRange;
    this.range.hidden = !isRange;
    if (isRange) {
      [this.first, this.last].forEach((input, k) => fill(input, place[k + 1]));
      this.told.textContent = `${this.panel.coordinate(this.dim, place[1])} to ${this.panel.coordinate(this.dim, place[2])}`;
    } else {
      this.slider.value = place;
      fill(this.number, place);
      this.told.textContent = this.panel.coordinate(this.dim, place);
    }
    this.told.title = this.told.textContent;
  }
}

// Flags of the kernel: what a cell is, and how it is shown.
const CELL_FLAGS = ["", "masked", "gap", "saturated", "outside"];

PANELS.push(class InspectPanel {
  static id = "inspect";
  static title = "Dataset";

  constructor(app) {
    this.app = app;
    this.wants = {};
    this.number = 0;
    this.coordinates = {};
    this.rows = new Map();
    this.askSoon = oncePerPicture(() => this.ask());
    const axis = (title) => h("select", { title, "aria-label": title, onchange: () => this.chooseAxes() });
    [this.down, this.across] = [axis("rows (downwards)"), axis("columns (to the right)")];
    this.swap = toolButton("swap", "Exchange rows and columns", () => this.setAxes(this.across.value, this.down.value));
    this.axes = h("div", { class: "bk-row bk-inspect-axes" }, h("label", {}, "↓", this.down), h("label", {}, "→", this.across), this.swap);
    this.dims = h("div", { class: "bk-inspect-dims" });
    this.of = h("select", { title: "Which numbers", "aria-label": "numbers of", onchange: () => this.askTable() },
      ...[["cursor", "around the cursor"], ["region", "of the region"], ["visible", "of the visible part"]].map(([value, text]) => h("option", { value }, text)));
    this.copied = h("span", { class: "bk-hint", role: "status" });
    this.told = h("div", { class: "bk-hint" });
    this.table = h("div", { class: "bk-inspect-table", tabIndex: 0 });
    this.measure = h("div", { class: "bk-inspect-ruler" });
    this.facts = h("dl", { class: "bk-inspect-facts" });
    this.history = h("ol", { class: "bk-inspect-history" });
    this.past = h("details", {}, h("summary", {}, "history"), this.history);
    this.element = h("div", { class: "bk-inspect" },
      this.axes, this.dims,
      h("div", { class: "bk-row" }, h("b", {}, "Numbers"), this.of, h("span", { class: "bk-space" }),
        toolButton("copy", "Copy as CSV, with coordinates", () => this.askForText("copy")), toolButton("save", "Save as CSV, with coordinates", () => this.askForText("save"))),
      this.copied, this.told, this.table,
      h("div", { class: "bk-row" }, h("b", {}, "Ruler"), h("span", { class: "bk-space" }),
        toolButton("ruler", "Draw a ruler (U)", () => app.setTool("ruler")), toolButton("clear", "Take the ruler away", () => app.ruler.remove())),
      this.measure, h("div", { class: "bk-row" }, h("b", {}, "Array")), this.facts, this.past);
    this.makeRows();
  }

  // ---- dimensions
  makeRows() {
    const { info } = this.app;
    for (const menu of [this.down, this.across]) menu.replaceChildren(...info.dims.map(([dim, size]) => h("option", { value: dim, title: `${size} along it` }, dim)));
    this.axes.hidden = info.dims.length < 2;
    const others = info.dims.filter(([dim]) => dim !== info.rows.dim && dim !== info.columns.dim);
    this.rows = new Map(others.map(([dim, size]) => [dim, new DimensionRow(this, dim, size)]));
    this.dims.replaceChildren(...[...this.rows.values()].map((row) => row.element));
    this.places();
  }

  places() {
    [this.down.value, this.across.value] = [this.app.info.rows.dim, this.app.info.columns.dim];
    for (const row of this.rows.values()) row.refresh();
  }

  // The one that was changed wins; the other takes its place if both are the same.
  chooseAxes() {
    const [down, across] = this.app.model.get("axes");
    if (this.down.value !== this.across.value) this.setAxes(this.down.value, this.across.value);
    else this.setAxes(this.down.value === down ? across : this.down.value, this.across.value === across ? down : this.across.value);
  }
  setAxes(down, across) {
    [this.down.value, this.across.value] = [down, across];
    this.app.set("axes", [down, across]);
  }

  coordinate(dim, index) {
    const known = this.coordinates[dim], value = known?.values?.[index];
    if (value === undefined) return "";
    return `${typeof value === "number" ? tell(value, 6) : value}${known.unit ? ` ${known.unit}` : ""}`;
  }

  // ---- questions: what has no answer yet is asked again with the next one, as only the newest is answered
  want(name, what = true) {
    this.wants[name] = { what, since: this.number + 1 };
    this.askSoon();
  }
  ask() {
    const names = Object.keys(this.wants);
    if (!names.length || !this.isShown) return;
    this.number += 1;
    this.app.ask("inspect", { number: this.number, ...Object.fromEntries(names.map((name) => [name, this.wants[name].what])) });
  }

  where() {
    const of = this.of.value;
    if (of === "visible") return { of, bounds: this.app.pane.bounds };
    if (of === "region") return { of, region: this.app.roi };
    const [rows, columns] = this.app.info.shape;
    this.at = this.app.pointer ?? this.app.otherPointer ?? this.at ?? this.app.model.get("cursor") ?? [columns / 2, rows / 2];
    return { of, at: this.at };
  }
  askTable() {
    if (this.of.value === "region" && !this.app.roi) {
      delete this.wants.table;
      this.told.textContent = "Draw a region in the image: rectangle (B), circle (O), polygon (G) …";
      this.table.replaceChildren();
      return;
    }
    this.want("table", this.where());
  }
  askForText(use) {
    this.use = use;
    if (this.of.value === "region" && !this.app.roi) return this.say("Draw a region first.");
    this.want("csv", this.where());
  }

  show() {
    this.isShown = true;
    this.places();
    this.want("facts");
    this.askTable();
    this.showRuler();
  }
  hide() { this.isShown = false; }

  changed(what) {
    if (what === "info") { this.makeRows(); this.coordinates = {}; this.want("facts"); this.at = null; this.askTable(); this.showRuler(); }
    if (what === "position") this.places();
    if (what === "frame" || what === "mask") { this.want("facts"); this.askTable(); }
    if (what === "cursor" && this.of.value === "cursor" && (this.app.pointer || this.app.otherPointer)) this.askTable();
    if (what === "roi" && this.of.value === "region" && this.app.localRoi === undefined) this.askTable();
    if (what === "view" && this.of.value === "visible") this.askTable();
    if (what === "ruler") this.showRuler();
  }

  receive(content, arrays) {
    for (const name of ["facts", "table", "csv", "ruler"]) {
      if (!(name in content)) continue;
      if (this.wants[name] && content.number >= this.wants[name].since) delete this.wants[name];
      this[`take_${name}`](content[name], arrays);
    }
  }

  failed(text) {
    this.wants = {};
    this.told.textContent = text;
  }

  // ---- answers
  take_facts({ lines, coordinates, history }, arrays) {
    this.coordinates = Object.fromEntries(Object.entries(coordinates).map(([dim, { array, texts, unit }]) => [dim, { values: texts ?? arrays[array], unit }]));
    this.facts.replaceChildren(...lines.flatMap(([name, text]) => [h("dt", {}, name), h("dd", { title: text }, text)]));
    this.history.replaceChildren(...history.map((line) => h("li", {}, line)));
    this.past.hidden = !history.length;
    this.places();
  }

  take_table({ row, column, rows, columns, of, isWhole, texts }, { values, flags }) {
    const { info } = this.app, number = columns.length, head = h("tr", {}, h("th", { class: "bk-corner", title: `${info.rows.dim} downwards, ${info.columns.dim} to the right` }, "↓ →"), ...columns.map((text) => h("th", {}, text)));
    const at = this.of.value === "cursor" && this.at ? [Math.floor(this.at[1]) - row, Math.floor(this.at[0]) - column] : [-1, -1];
    const cell = (j, k) => {
      const flag = flags[j * number + k], value = values[j * number + k];
      const text = flag === 4 ? "" : texts ? texts[j][k] : isWhole ? String(value) : tell(value, 5);
      const known = CELL_FLAGS[flag], name = [known && `bk-cell-${known}`, j === at[0] && k === at[1] && "bk-cell-at"].filter(Boolean).join(" ");
      return h("td", { class: name || null, title: known || null }, text);
    };
    this.table.replaceChildren(h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows.map((text, j) => h("tr", {}, h("th", {}, text), ...columns.map((_, k) => cell(j, k)))))));
    const isPart = of[0] > rows.length || of[1] > number;
    this.told.textContent = isPart ? `First ${rows.length} × ${number} of ${of[0]} × ${of[1]}; a copy holds all.` : `${of[0]} rows × ${of[1]} columns`;
  }

  take_csv({ text, of }) {
    const words = `${of[0]} × ${of[1]}`;
    if (this.use === "save") {
      const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: `${this.app.info.title.replace(/[^\w.-]+/g, "_")}.csv` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      return this.say(`Saved ${words}.`);
    }
    this.copy(text).then((isDone) => this.say(isDone ? `Copied ${words}.` : "The browser does not allow copying here; save it instead."));
  }

  take_ruler(found) {
    if (!this.app.ruler.local && this.app.ruler.line) this.tellRuler(found);
  }

  // ---- the ruler: live from the browser, then the kernel's numbers
  showRuler() {
    const { line } = this.app.ruler;
    if (!line) {
      this.measure.className = "bk-hint";
      this.measure.textContent = "Press U, and drag a line in the image.";
      return;
    }
    this.tellRuler(measured(line, this.app.info));
    if (!this.app.ruler.local) this.want("ruler", line);
  }
  tellRuler(found) {
    this.measure.className = "bk-inspect-ruler";
    const signed = (value) => tell(Number(value.toFixed(3)), 6);
    const lines = [["distance", `${tell(found.distance, 6)} px`], ["dx, dy", `${signed(found.dx)}, ${signed(found.dy)} px`], ["angle", `${found.angle.toFixed(3)}°`]];
    if (found.length !== null && found.length !== undefined) {
      lines.splice(1, 0, ["length", `${tell(found.length, 6)} ${found.unit.replace("um", "µm")}`]);
      if (Math.abs(found.true_angle - found.angle) > 5e-4) lines.push(["true angle", `${found.true_angle.toFixed(3)}°`]);
    } else if (found.width_unit && (found.width_unit !== "pixel" || found.height_unit !== "pixel")) {
      lines.push([this.app.info.columns.name, `${tell(found.width, 6)} ${found.width_unit}`], [this.app.info.rows.name, `${tell(found.height, 6)} ${found.height_unit}`]);
    }
    this.measure.replaceChildren(...lines.flatMap(([name, text]) => [h("span", { class: "bk-hint" }, name), h("span", {}, text)]));
  }

  say(text) {
    this.copied.textContent = text;
    this.forget ??= settled(() => { this.copied.textContent = ""; }, 4000);
    this.forget();
  }

  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { // not a secure page, or not allowed: the old way
      const area = h("textarea", { value: text, class: "bk-inspect-hidden" });
      this.element.append(area);
      area.select();
      const isDone = document.execCommand("copy");
      area.remove();
      return isDone;
    }
  }

  close() { this.isShown = false; }
});
