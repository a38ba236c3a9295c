// Colour mapping: contrast, scale, colour map, and what the colours of bad pixels mean.

// The colour bar lying on its side, with the whole histogram: fine within the automatic contrast.
class WideHistogram extends ColorBar {
  constructor(app) {
    super(app);
    this.canvas.classList.replace("bk-bar", "bk-wide-bar");
    this.resizing = "ew-resize";
    this.data = null; // {edges, counts, extremes}
  }

  get length() { return this.canvas.clientWidth; }
  along(event) { return this.length - event.offsetX; }
  screen(event) { return -event.clientX; }
  x(value) { return this.length - this.y(value); }

  domain() {
    if (this.held && this.range) return this.range;
    const [low, high] = this.app.clim, [first, last] = this.data?.extremes ?? this.app.histogram?.extremes ?? [low, high];
    const [a, b] = this.app.automatic?.[0] ?? [low, high];
    this.center = a;
    this.unit = (b - a) / 3 || 1;
    this.range = [Math.min(first, low), Math.max(last, high)];
    return this.range;
  }
  spread(value) { return Math.asinh((value - this.center) / this.unit); }
  fraction(value) {
    const [low, high] = this.domain().map((end) => this.spread(end));
    return Math.min(Math.max((this.spread(value) - low) / (high - low || 1), 0), 1);
  }
  value(fraction) {
    const [low, high] = this.domain().map((end) => this.spread(end));
    return this.center + this.unit * Math.sinh(low + Math.min(Math.max(fraction, 0), 1) * (high - low));
  }

  paint(context, width, height) {
    const { app } = this, colors = theme(this.canvas), bar = 12, bottom = height - 16, top = bottom - bar;
    const palette = app.palette, [low, high] = app.clim, scale = SCALES[app.scale];
    for (let x = 10; x < width - 10; x++) {
      const u = Math.min(Math.max((this.at(width - x - 0.5) - low) / (high - low || 1), 0), 1);
      const level = Math.min(Math.floor(scale(u) * 256), 255), at = 3 * (app.invert ? 255 - level : level);
      context.fillStyle = `rgb(${palette[at]},${palette[at + 1]},${palette[at + 2]})`;
      context.fillRect(x, top, 1.5, bar);
    }
    context.strokeStyle = colors.line;
    context.strokeRect(9.5, top - 0.5, width - 19, bar + 1);
    this.paintCounts(context, top - 3, colors);
    this.paintNumbers(context, width, bottom + 3, colors);
    for (const value of app.clim) {
      const x = this.x(value);
      context.fillStyle = colors.brand;
      context.fillRect(x - 0.75, 2, 1.5, bottom - 2);
      context.beginPath();
      context.moveTo(x, top); context.lineTo(x - 5, bottom + 2); context.lineTo(x + 5, bottom + 2);
      context.fill();
    }
  }

  paintCounts(context, bottom, colors) {
    if (!this.data) return;
    const { counts, edges } = this.data, largest = Math.log1p(Math.max(...counts)) || 1;
    context.fillStyle = colors.faint;
    for (let k = 0; k < counts.length; k++) {
      if (!counts[k]) continue;
      const left = this.x(edges[k]), right = this.x(edges[k + 1]), height = Math.max((bottom - 2) * Math.log1p(counts[k]) / largest, 1);
      context.globalAlpha = edges[k + 1] <= this.app.clim[0] || edges[k] >= this.app.clim[1] ? 0.25 : 0.55;
      context.fillRect(left, bottom - height, Math.max(right - left - (right - left > 4 ? 1 : 0), 1), height);
    }
    context.globalAlpha = 1;
  }

  paintNumbers(context, width, y, colors) {
    context.font = "10px system-ui, sans-serif";
    context.fillStyle = colors.text;
    context.textAlign = "center";
    context.textBaseline = "top";
    const taken = [], [low, high] = this.domain();
    for (const value of roundNumbers(low, high)) {
      const text = tell(value, 3), half = context.measureText(text).width / 2, x = Math.min(Math.max(this.x(value), half), width - half);
      if (taken.some(([other, size]) => Math.abs(other - x) < size + half + 8)) continue;
      taken.push([x, half]);
      context.fillText(text, x, y);
    }
  }
}

PANELS.push(class ColorPanel {
  static id = "color";
  static title = "Colours";

  constructor(app) {
    this.app = app;
    this.histogram = new WideHistogram(app);
    this.limits = ["lowest", "highest"].map((name, k) => new NumberField(`Value of the ${name} colour`, (value) => this.setLimit(k, value), { width: "6.5em" }));
    this.unit = h("span", { class: "bk-unit" });
    this.clipped = h("div", { class: "bk-hint bk-clipped" });
    this.scales = h("span", { class: "bk-group" }, ...Object.keys(SCALES).map((name) => {
      const button = toolButton(name, `Scale: ${name}`, () => app.setLook({ scale: name }));
      button.dataset.scale = name;
      return button;
    }));
    this.invert = h("input", { type: "checkbox", onchange: () => app.setLook({ invert: this.invert.checked }) });
    this.lock = h("input", { type: "checkbox", onchange: () => app.set("auto_contrast", !this.lock.checked) });
    this.inRegion = toolButton("in region", "Automatic contrast from the pixels of the region that is drawn", () => app.ask("color", { roi: true }));
    this.gallery = h("div", { class: "bk-gallery" });
    this.legend = h("div", { class: "bk-legend" });
    this.element = h("div", { class: "bk-color-panel" },
      this.histogram.canvas,
      h("div", { class: "bk-row" }, this.limits[0].element, "to", this.limits[1].element, this.unit), this.clipped,
      h("div", { class: "bk-row bk-wraps" }, toolButton("auto", "Automatic contrast", () => this.auto(0)), toolButton("tighter", "Cut more of the brightest and darkest pixels", () => this.auto(1)), toolButton("full range", "From the lowest to the highest value", () => this.full()), this.inRegion),
      h("div", { class: "bk-row" }, h("label", { class: "bk-check", title: "Else every frame gets an automatic contrast" }, this.lock, "same contrast for all frames")),
      h("div", { class: "bk-row bk-wraps" }, this.scales, h("label", { class: "bk-check" }, this.invert, "invert")),
      this.gallery, this.legend);
    this.ask = oncePerPicture(() => { if (this.isShown) app.ask("color", { limits: app.clim }); });
    this.observer = new ResizeObserver(() => this.histogram.draw());
    this.observer.observe(this.histogram.canvas);
  }

  show() { this.isShown = true; this.refresh(); this.ask(); }
  hide() { this.isShown = false; }
  changed(what) {
    if (what === "look") { this.refresh(); this.askLater(); }
    if (what === "frame" || what === "mask" || what === "info") { this.refresh(); this.ask(); }
    if (what === "roi") this.refresh();
  }
  // The theme and the mouse change the look, too: what was counted for these limits holds.
  askLater() { if (String(this.counted) !== String(this.app.clim)) this.ask(); }

  receive(content, { edges, counts }) {
    const { app } = this;
    this.counts = content;
    this.counted = content.limits;
    this.histogram.data = { edges, counts, extremes: content.extremes };
    this.histogram.draw();
    this.tellCounts();
    app.tell("");
  }
  failed(text) { this.app.tell(text, true); }

  setLimit(which, value) {
    const clim = [...this.app.clim];
    clim[which] = value;
    if (clim[0] < clim[1]) this.app.setClim(clim, true);
    else this.app.tell("The lowest value must be below the highest.", true);
    this.refresh();
  }
  auto(step) {
    const steps = this.app.automatic;
    if (!steps?.length) return;
    const now = steps.findIndex((pair) => String(pair) === String(this.app.clim));
    this.app.setClim([...steps[step ? Math.min(now + 1, steps.length - 1) : 0]], true);
  }
  full() {
    const extremes = this.counts?.extremes ?? this.app.histogram?.extremes;
    if (extremes && extremes[0] < extremes[1]) this.app.setClim([...extremes], true);
  }

  refresh() {
    const { app } = this;
    this.limits.forEach((field, k) => field.show(app.clim[k]));
    this.unit.textContent = app.info.unit;
    this.invert.checked = app.invert;
    this.lock.checked = !app.model.get("auto_contrast");
    this.inRegion.disabled = !app.roi;
    for (const button of this.scales.children) button.classList.toggle("bk-on", button.dataset.scale === app.scale);
    this.showGallery();
    this.histogram.draw();
  }

  showGallery() {
    const { app } = this, names = Object.keys(app.palettes);
    if (String(names) !== this.drawn) {
      this.drawn = String(names);
      this.gallery.replaceChildren(...names.map((name) => this.swatch(name)));
    }
    for (const button of this.gallery.children) {
      const isChosen = button.dataset.name === app.look.cmap;
      button.classList.toggle("bk-chosen", isChosen);
      button.setAttribute("aria-pressed", isChosen);
    }
  }

  swatch(name) {
    const canvas = h("canvas", { class: "bk-swatch", width: 256, height: 1 }), context = canvas.getContext("2d");
    const image = context.createImageData(256, 1), palette = this.app.palettes[name];
    for (let k = 0; k < 256; k++) image.data.set([palette[3 * k], palette[3 * k + 1], palette[3 * k + 2], 255], 4 * k);
    context.putImageData(image, 0, 0);
    const button = h("button", { class: "bk-map", title: `Colour map ${name}`, "aria-label": `Colour map ${name}`, onclick: () => this.app.setCmap(name) }, canvas, h("span", {}, name));
    button.dataset.name = name;
    return button;
  }

  tellCounts() {
    const { good, below, above } = this.counts;
    const share = (number) => !number ? "none" : 100 * number / good < 0.01 ? `${number} px` : `${tell(100 * number / good, 2)} %`;
    this.clipped.textContent = good ? `Darker than the range: ${share(below)}; brighter: ${share(above)}` : "There is no good pixel.";
    this.legend.replaceChildren(...["gap", "masked", "saturated"].map((name) => h("span", { class: "bk-legend-item" },
      h("span", { class: "bk-legend-color", style: `background: rgb(${FLAG_COLORS[name]})` }), `${name}: ${this.counts[name].toLocaleString("en").replaceAll(",", "\u2009")} px`)));
  }

  close() { this.observer.disconnect(); }
});
