// The mask, drawn by hand: regions, single pixels and thresholds; undone, saved and loaded.

// Draws regions as the other tool does, and single pixels.
class MaskTool extends RegionTool {
  constructor(app, panel) {
    super(app, { color: "#ff3bd4", get: () => this.drawn, changed: (region, isFinal) => this.changedTo(region, isFinal) });
    this.panel = panel;
    this.drawn = null;
    this.pixels = [];
  }

  get isOn() { return Boolean(this.tool) && (this.app.tool ?? "pan") === "pan"; }
  handleAt() { return null; } // what is drawn becomes part of the mask at once
  cursor() { return this.isOn ? "crosshair" : null; }

  grab(event, position, pane) {
    if (!this.isOn) return false;
    if (this.tool === "pixel") return this.paint(event, position, pane);
    return super.grab(event, position, pane);
  }

  // The pixels under a drag.
  paint(event, position, pane) {
    const [rows, columns] = this.app.info.shape, seen = new Set();
    let last = position;
    const add = (now) => {
      const steps = Math.max(1, Math.ceil(2 * Math.hypot(now[0] - last[0], now[1] - last[1])));
      for (let k = 0; k <= steps; k++) {
        const x = Math.floor(last[0] + (now[0] - last[0]) * k / steps), y = Math.floor(last[1] + (now[1] - last[1]) * k / steps);
        if (x < 0 || y < 0 || x >= columns || y >= rows || seen.has(y * columns + x)) continue;
        seen.add(y * columns + x);
        this.pixels.push([x, y]);
      }
      last = now;
      pane.overlay.draw();
    };
    this.pixels = [];
    add(position);
    drag(pane.element, event, (move) => add(pane.at(move)), () => { if (this.pixels.length) this.panel.do({ pixels: this.pixels, value: this.panel.adds }); });
    return true;
  }

  changedTo(region, isFinal) {
    this.drawn = region;
    this.app.pane.overlay.draw();
    if (isFinal && region) this.panel.do({ region, value: this.panel.adds });
  }

  double(event, position, pane) { return this.isOn && (this.open ? super.double(event, position, pane) : true); }

  done() {
    this.drawn = null;
    this.pixels = [];
    this.app.pane.overlay.draw();
  }

  draw(context, pane) {
    this.color = this.panel.adds ? "#ff3bd4" : "#4be37a";
    super.draw(context, pane);
    context.fillStyle = this.color;
    const width = Math.max(pane.view.scaleX, 2), height = Math.max(pane.view.scaleY, 2);
    for (const [x, y] of this.pixels) context.fillRect(...pane.toScreen(x, y), width, height);
  }
}

PANELS.push(class MaskPanel {
  static id = "mask";
  static title = "Mask";

  constructor(app) {
    this.app = app;
    this.adds = true;
    this.waiting = [];
    this.tool = new MaskTool(app, this);
    const tools = [["rectangle", "Rectangle"], ["circle", "Circle"], ["polygon", "Polygon: click the corners, double-click the last"], ["pixel", "Single pixels: click or drag; again: the other way"]];
    this.tools = new Map(tools.map(([name, title]) => [name, toolButton(name === "pixel" ? "point" : name, `Mask: ${title}`, () => this.choose(this.tool.tool === name ? null : name))]));
    this.modes = ["mask", "unmask"].map((name, k) => toolButton(name, k ? "Drawing frees pixels again" : "Drawing masks pixels", () => { this.adds = !k; this.refresh(); }));
    this.undo = toolButton("undo", "Undo (Ctrl+Z)", () => this.do({ step: "undo" }));
    this.redo = toolButton("redo", "Redo (Ctrl+Shift+Z)", () => this.do({ step: "redo" }));
    this.limits = ["below", "above"].map((name) => h("input", { type: "text", inputMode: "decimal", class: "bk-field bk-limit", "aria-label": `mask ${name}`, title: `Values ${name} this one` }));
    this.file = h("input", { type: "text", class: "bk-grows", value: "mask.nxs", "aria-label": "file of the mask", title: "Where the kernel runs. nxs keeps the reasons; edf, npy, tif, msk" });
    this.shows = h("input", { type: "checkbox", onchange: () => app.set("shows_mask", this.shows.checked) });
    this.counts = h("div", { class: "bk-mask-counts" });
    this.told = h("div", { class: "bk-hint", role: "status" });
    this.element = h("div", { class: "bk-mask-panel" },
      h("div", { class: "bk-row bk-wraps" }, h("span", { class: "bk-group" }, ...this.tools.values()), h("span", { class: "bk-group" }, ...this.modes), h("span", { class: "bk-group" }, this.undo, this.redo)),
      h("div", { class: "bk-row bk-wraps" }, "values below", this.limits[0], "above", this.limits[1], toolButton("apply", "Mask (or unmask) these values", () => this.threshold())),
      h("div", { class: "bk-row bk-wraps" }, toolButton("invert mine", "Mask what is not masked by hand, and the other way", () => this.do({ step: "invert" })), toolButton("as in the data", "Back to the mask that came with the data", () => this.do({ step: "reset" })), h("label", { class: "bk-check" }, this.shows, "shown")),
      h("div", { class: "bk-row" }, this.file, toolButton("save as", "Save the mask", () => this.do({ save: this.file.value })), toolButton("load", "Load a mask, and add it", () => this.do({ load: this.file.value }))),
      this.told, this.counts,
      h("div", { class: "bk-hint bk-after" }, "Choose a tool and draw in the image. It counts for statistics and contrast. In Python: viewer.mask, viewer.draw_mask(region)."));
  }

  show() {
    const { layers } = this.app.pane;
    if (!layers.includes(this.tool)) layers.push(this.tool);
    this.shows.checked = this.app.model.get("shows_mask");
    this.app.setTool("pan"); // what is drawn here is a mask, not the region of the other panels
    this.do({});
    this.refresh();
  }
  hide() {
    this.choose(null);
    this.app.pane.layers = this.app.pane.layers.filter((layer) => layer !== this.tool);
    this.app.pane.overlay.draw();
  }
  changed(what) {
    if (what === "info") this.do({});
    if (what === "frame") { // the mask may be another, set in a cell
      this.shows.checked = this.app.model.get("shows_mask");
      if (!this.waiting.length) this.do({});
    }
  }

  choose(tool) {
    if (tool) this.app.setTool("pan");
    if (this.tool.open) this.tool.open = null;
    this.tool.tool = tool;
    this.refresh();
    if (tool) this.app.pane.element.focus({ preventScroll: true });
  }

  // One step after the other: each must be done, and only the newest question is answered.
  do(step) {
    this.waiting.push(step);
    if (this.waiting.length === 1) this.app.ask("mask", step);
  }
  next() {
    this.waiting.shift();
    if (this.waiting.length) this.app.ask("mask", this.waiting[0]);
    else this.tool.done();
  }
  receive(content) {
    this.state = content;
    this.say(content.done);
    this.next();
    this.refresh();
  }
  failed(text) {
    this.say(text, true);
    this.next();
  }
  say(text, isError = false) {
    if (!text && !this.waiting.some((step) => Object.keys(step).length)) return;
    this.told.textContent = text;
    this.told.classList.toggle("bk-error", isError);
  }

  threshold() {
    const numbers = this.limits.map((input) => (input.value.trim() === "" ? null : Number(input.value.replace(",", "."))));
    this.limits.forEach((input, k) => input.classList.toggle("bk-wrong", Number.isNaN(numbers[k])));
    if (!numbers.some(Number.isNaN)) this.do({ threshold: numbers, value: this.adds });
  }

  onKey(event) {
    const isCommand = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
    if (isCommand && !event.altKey && key === "z") { this.do({ step: event.shiftKey ? "redo" : "undo" }); return true; }
    if (isCommand || !this.tool.isOn) return false;
    if (key === "enter" && this.tool.open) { this.tool.finish(); return true; }
    if (key === "escape") {
      if (this.tool.open) this.tool.open = null; else this.choose(null);
      this.app.pane.overlay.draw();
      return true;
    }
    return false;
  }

  refresh() {
    for (const [name, button] of this.tools) button.classList.toggle("bk-on", this.tool.tool === name);
    this.modes.forEach((button, k) => button.classList.toggle("bk-on", this.adds === !k));
    if (!this.state) return;
    const { canUndo, canRedo, counts, bad, total } = this.state;
    this.undo.disabled = !canUndo;
    this.redo.disabled = !canRedo;
    const line = (name, number) => [h("span", {}, name), h("span", {}, number.toLocaleString("en").replaceAll(",", "\u2009")), h("span", {}, `${tell(100 * number / total, 2)} %`)];
    this.counts.replaceChildren(...line("not used", bad), ...Object.entries(counts).flatMap(([name, number]) => line(name, number)));
  }
});
