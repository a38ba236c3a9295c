// Panel: profiles of the region that is drawn, its statistics, and both through the frames.

const RADIAL_AXES = [["radius", "pixel"], ["two_theta", "2θ"], ["q", "q"], ["d", "d"]];
const THROUGH_FRAMES = [["sum", "Sum"], ["net", "Net sum"], ["mean", "Mean"], ["max", "Maximum"], ["std", "Deviation"], ["center_x", "Centre x"], ["center_y", "Centre y"]];

// What was chosen: the state itself may come to the kernel after a question.
function chosen({ model }) {
  return Object.fromEntries(["curve", "radial_axis", "combine", "background", "statistic", "peak_model", "peak_range"].map((name) => [name, model.get(name)]));
}

// What a dictionary of the kernel calls a curve, as a plot takes it: d is drawn as q, where rings are even.
function curveOf(told, arrays, number) {
  const isInverse = told.axis === "d", x = arrays[`x${number}`];
  return { ...told, isInverse, x: isInverse ? x.map((d) => 2 * Math.PI / d) : x, y: arrays[`y${number}`] };
}

// A number with its error, to two digits of it.
function withError(value, error) {
  if (value === null || error === null || !(error > 0)) return tell(value, 5);
  const places = Math.min(Math.max(1 - Math.floor(Math.log10(Number(error.toPrecision(2)))), 0), 12);
  return Math.abs(value) >= 1e7 ? `${tell(value, 5)} ± ${tell(error, 2)}` : `${value.toFixed(places)} ± ${error.toFixed(places)}`;
}

async function toClipboard(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no permission, or no secure page
    const area = h("textarea", { value: text, style: "position:fixed;opacity:0" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.classList.add("bk-on");
  setTimeout(() => button.classList.remove("bk-on"), 700);
}

// Positions on the array where the scattering angle [deg] is that, on a flat detector.
function anglePositions(g, twoTheta, start = 0, stop = 360) {
  const normal = [g.fast[1] * g.slow[2] - g.fast[2] * g.slow[1], g.fast[2] * g.slow[0] - g.fast[0] * g.slow[2], g.fast[0] * g.slow[1] - g.fast[1] * g.slow[0]];
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const depth = dot(g.origin, normal), sine = Math.sin(twoTheta * DEGREE), cosine = Math.cos(twoTheta * DEGREE);
  return arc(0, 0, 1, start, stop).map(([a, b]) => {
    const ray = [sine * a, sine * b, cosine], length = depth / dot(ray, normal);
    if (!(length > 0)) return [NaN, NaN];
    const place = ray.map((part, k) => part * length - g.origin[k]);
    return [(dot(place, g.fast) / g.sizeX - 0.5 - g.firstX) / g.stepX + 0.5, (dot(place, g.slow) / g.sizeY - 0.5 - g.firstY) / g.stepY + 0.5];
  });
}

// Where the mouse is on a profile, drawn in the image.
class ProfileMarker {
  constructor(app) { this.app = app; this.lines = []; }
  set(lines) { this.lines = lines; this.app.pane.overlay.draw(); }
  draw(context, pane) {
    for (const line of this.lines) {
      context.beginPath();
      let isDown = false;
      for (const position of line) {
        const [a, b] = pane.toScreen(...position);
        if (!(Math.abs(a) < 1e4 && Math.abs(b) < 1e4)) { isDown = false; continue; }
        if (isDown) context.lineTo(a, b); else context.moveTo(a, b);
        isDown = true;
      }
      strokeTwice(context, "#4dd0e1", 1.3);
    }
  }
}

// From x of a curve to lines in the image, and from a position in the image to x of a curve; `found`
// is what the kernel told: {center, ring}.
class ProfilePlaces {
  constructor(app) { this.app = app; }

  lines(curve, x, found) {
    const { app } = this, { roi } = app, beam = found.center;
    if (curve.name === "line" && roi?.kind === "line") return this.acrossLine(roi, x);
    if (curve.name === "columns" && roi?.kind === "rectangle") return [[[x, roi.y0], [x, roi.y1]]];
    if (curve.name === "rows" && roi?.kind === "rectangle") return [[[roi.x0, x], [roi.x1, x]]];
    if (curve.name === "radial" && curve.axis === "radius") {
      return [roi?.kind === "sector" ? arc(...beam, x, roi.start, roi.stop) : arc(...beam, x, 0, 360)];
    }
    if (curve.name === "radial" && app.geometry) {
      const { wavelength } = app.geometry, angle = curve.axis === "two_theta" ? x : 2 * Math.asin(x * wavelength / (4 * Math.PI)) / DEGREE;
      return [anglePositions(app.geometry, angle)];
    }
    if (curve.name === "azimuthal" && found.ring) {
      return [found.ring.map((radius) => [beam[0] + radius * Math.cos(x * DEGREE), beam[1] + radius * Math.sin(x * DEGREE)])];
    }
    return [];
  }

  acrossLine(roi, x) {
    const length = Math.hypot(roi.x1 - roi.x0, roi.y1 - roi.y0) || 1, [u, v] = [(roi.x1 - roi.x0) / length, (roi.y1 - roi.y0) / length];
    const half = Math.max(roi.width / 2, 7 / this.app.pane.view.scaleX), [a, b] = [roi.x0 + u * x, roi.y0 + v * x];
    return [[[a - v * half, b + u * half], [a + v * half, b - u * half]]];
  }

  at(curve, [x, y], found) {
    const { app } = this, { roi } = app, center = found.center;
    if (curve.name === "line" && roi?.kind === "line") {
      const length = Math.hypot(roi.x1 - roi.x0, roi.y1 - roi.y0) || 1;
      const along = ((x - roi.x0) * (roi.x1 - roi.x0) + (y - roi.y0) * (roi.y1 - roi.y0)) / length;
      return along >= 0 && along <= length ? along : null;
    }
    if (["columns", "rows"].includes(curve.name) && roi?.kind === "rectangle") {
      const isInside = x >= roi.x0 && x <= roi.x1 && y >= roi.y0 && y <= roi.y1;
      return isInside ? (curve.name === "columns" ? x : y) : null;
    }
    if (curve.name === "radial" && curve.axis === "radius") return Math.hypot(x - center[0], y - center[1]);
    if (curve.name === "radial" && app.geometry) {
      const { twoTheta, q } = scatter(app.geometry, x, y);
      return curve.axis === "two_theta" ? twoTheta : q ? Math.hypot(...q) : null;
    }
    if (curve.name === "azimuthal") {
      const start = roi?.kind === "sector" ? roi.start : -180, angle = Math.atan2(y - center[1], x - center[0]) / DEGREE;
      return (((angle - start) % 360) + 360) % 360 + start;
    }
    return null;
  }
}

PANELS.push(class ProfilePanel {
  static id = "profile";
  static title = "Profile";

  constructor(app) {
    this.app = app;
    this.found = { curves: [], center: null, ring: null, statistics: null };
    this.through = null; // {x, axis, labels, and an array for each number}
    this.isLog = false;
    this.places = new ProfilePlaces(app);
    this.marker = new ProfileMarker(app);
    app.pane.layers.push(this.marker);
    this.ask = oncePerPicture(() => app.ask("profile", { roi: app.roi, chosen: chosen(app) }));
    this.build();
    this.listen();
  }

  build() {
    const { app } = this;
    this.logButton = toolButton("log", "Logarithmic values", () => { this.isLog = !this.isLog; this.draw(); });
    this.axisMenu = this.menu("radial_axis", "Radial axis", RADIAL_AXES);
    this.combineMenu = this.menu("combine", "What becomes of rows and columns", [["sum", "sum"], ["mean", "mean"]]);
    this.widthInput = h("input", { class: "bk-number", type: "number", min: 1, step: 1, "aria-label": "width of the line", title: "Width of the line in pixels: [ and ], or Shift and wheel", onchange: () => this.typedWidth(), onkeydown: (event) => { if (event.key === "Enter") this.typedWidth(); } });
    this.widthBox = h("label", { class: "bk-group" }, "width ", this.widthInput, " px");
    this.copyButton = toolButton("copy", "Copy the profiles as CSV", () => toClipboard(this.asText(), this.copyButton));
    this.controls = h("div", { class: "bk-row bk-profile-row" }, this.logButton, this.axisMenu, this.combineMenu, this.widthBox, h("span", { class: "bk-space" }), this.copyButton);
    this.hint = h("div", { class: "bk-hint" });
    this.plots = [0, 1].map((number) => new Plot({ height: number ? 120 : 150, hover: (x) => this.hovers(number, x) }));
    this.plotBox = h("div", {}, ...this.plots.map((plot) => plot.element));
    this.numbers = h("div", { class: "bk-numbers" });
    this.backgroundMenu = this.menu("background", "What the pixels around the region become: the median, or the mean where counts are few", [["auto", "auto"], ["median", "median"], ["mean", "mean"]]);
    this.copyNumbers = toolButton("copy", "Copy the numbers as CSV", () => toClipboard(this.numbersAsText(), this.copyNumbers));
    this.numbersBox = h("div", {}, h("div", { class: "bk-row bk-profile-head" }, h("b", {}, "Region"), h("span", { class: "bk-space" }), "background ", this.backgroundMenu, this.copyNumbers), this.numbers);
    this.numberMenu = this.menu("statistic", "Number", THROUGH_FRAMES, () => this.drawFrames());
    this.runButton = h("button", { type: "button", onclick: () => this.run() }, "Through all frames");
    this.progress = h("span", { class: "bk-hint" });
    this.framesPlot = new Plot({ height: 130, click: (x) => this.goTo(x) });
    this.framesBox = h("div", {}, h("div", { class: "bk-row bk-profile-head" }, this.numberMenu, this.runButton, this.progress), this.framesPlot.element);
    this.element = h("div", { class: "bk-profile" }, this.controls, this.hint, this.plotBox, this.numbersBox, this.framesBox);
    this.draw();
  }

  // A choice that the kernel knows too.
  menu(trait, title, choices, changed = () => this.ask()) {
    const { model } = this.app;
    const menu = h("select", { title, "aria-label": title, onchange: () => { this.app.set(trait, menu.value); changed(); } }, ...choices.map(([value, text]) => h("option", { value }, text)));
    menu.show = () => { menu.value = model.get(trait); };
    menu.told = () => { menu.show(); changed(); };
    model.on(`change:${trait}`, menu.told);
    menu.close = () => model.off(`change:${trait}`, menu.told);
    menu.show();
    return menu;
  }

  listen() {
    const { app } = this;
    app.element.addEventListener("keydown", (event) => {
      if (!["[", "]"].includes(event.key) || ["INPUT", "TEXTAREA", "SELECT"].includes(event.target.tagName) || app.roi?.kind !== "line") return;
      event.preventDefault();
      event.stopPropagation();
      this.setWidth(app.roi.width + (event.key === "]" ? 1 : -1));
    });
    app.pane.element.addEventListener("wheel", (event) => {
      if (!event.shiftKey || app.roi?.kind !== "line") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.setWidth(app.roi.width - Math.sign(event.deltaY || event.deltaX));
    }, { capture: true, passive: false });
  }

  typedWidth() {
    this.setWidth(Number(this.widthInput.value));
    this.widthInput.value = this.app.roi?.width;
  }

  setWidth(width) {
    const { roi } = this.app;
    if (roi?.kind === "line" && Number.isFinite(width)) this.app.setRoi({ ...roi, width: Math.min(Math.max(Math.round(width), 1), 500) }, true);
  }

  // ---- what changes
  show() { this.ask(); this.drawFrames(); }
  hide() { this.marker.set([]); }
  changed(what) {
    if (["frame", "mask", "info", "beam"].includes(what)) this.ask();
    if (what === "roi") { this.ask(); if (JSON.stringify(this.app.roi) !== this.throughRoi) { this.through = null; this.drawFrames(); } }
    if (what === "cursor") this.follow();
    if (what === "look") { for (const plot of [...this.plots, this.framesPlot]) plot.sketch.draw(); }
    if (what === "frame" || what === "position") this.drawFrames();
  }

  receive(content, arrays) {
    if ("progress" in content) return this.receiveFrames(content, arrays);
    this.found = { ...content, curves: content.curves.map((told, k) => curveOf(told, arrays, k)) };
    this.draw();
  }

  failed(text) {
    this.found = { curves: [], center: null, ring: null, statistics: null };
    this.draw(text);
  }

  // ---- profiles
  draw(text = "") {
    const { app, found } = this, { roi, info } = app, { curves } = found, isRadial = curves.some((curve) => curve.name === "radial");
    this.hint.textContent = text || (curves.length || found.statistics ? (roi?.kind === "point" ? "A point has no profile, but goes through the frames." : "") : "Draw a line (K) in the image for a profile along it, a rectangle (B) for its rows and columns, a circle (O) or a sector (S) for rings.");
    this.hint.hidden = !this.hint.textContent;
    this.logButton.classList.toggle("bk-on", this.isLog);
    this.axisMenu.hidden = !(isRadial && info.geometry);
    for (const option of this.axisMenu.options) option.disabled = ["q", "d"].includes(option.value) && !info.geometry?.wavelength;
    this.combineMenu.hidden = roi?.kind !== "rectangle";
    this.widthBox.hidden = roi?.kind !== "line";
    if (roi?.kind === "line" && !this.widthInput.matches(":focus")) this.widthInput.value = roi.width;
    this.controls.hidden = !curves.length;
    this.plots.forEach((plot, k) => {
      plot.element.hidden = !curves[k];
      if (curves[k]) plot.set([curves[k]].map(({ x, y }) => ({ x, y })), { labels: curves[k].labels, isLog: this.isLog, isInverse: curves[k].isInverse });
    });
    this.drawNumbers();
    this.follow();
  }

  hovers(number, x) {
    const curve = this.found.curves[number];
    this.marker.set(x === null || !curve ? [] : this.places.lines(curve, x, this.found));
  }

  follow() {
    const { pointer } = this.app;
    this.found.curves.forEach((curve, k) => this.plots[k].follow(pointer ? this.places.at(curve, pointer, this.found) : null));
  }

  asText() {
    return this.found.curves.map((curve) => {
      const rows = Array.from(curve.x, (x, k) => `${curve.isInverse ? 2 * Math.PI / x : x},${curve.y[k]}`);
      return [curve.labels.map((label) => label.replaceAll(",", " ")).join(","), ...rows].join("\n");
    }).join("\n\n");
  }

  // ---- numbers
  rows() {
    const s = this.found.statistics, { unit } = this.found, place = (x, y) => (x === null ? "–" : `${x.toFixed(1)}, ${y.toFixed(1)}`);
    return [
      ["Pixels", tell(s.pixels)], ["Masked", tell(s.masked)], ["Mean", tell(s.mean, 5)],
      [`Sum${unit ? ` (${unit})` : ""}`, tell(s.sum)], ["Deviation", tell(s.std, 5)], ["Minimum", tell(s.min)],
      ["Maximum", tell(s.max)], ["at x, y", place(s.max_x, s.max_y)], ["Centre of mass", place(s.center_x, s.center_y)],
      ["Background of a pixel", withError(s.background, s.background_error), "bk-wide"], ["Saturated", tell(s.saturated)],
      ["Sum without background", withError(s.net, s.net_error), "bk-whole"],
    ];
  }

  drawNumbers() {
    const s = this.found.statistics;
    this.numbersBox.hidden = !s;
    if (!s) return;
    this.numbers.replaceChildren(...this.rows().map(([title, text, kind = ""]) => h("div", { class: `bk-cell ${kind}` }, h("span", { class: "bk-cell-title", title }, title), h("span", { class: "bk-number-cell", title: text, "data-name": title }, text))));
  }

  numbersAsText() {
    return ["name,value", ...Object.entries(this.found.statistics).map(([name, value]) => `${name},${value ?? "nan"}`)].join("\n");
  }

  // ---- through the frames
  run() {
    const { app } = this;
    if (this.reading) { this.reading = null; app.ask("frames", { stop: true }); }
    else { this.reading = [0, app.info.frames]; this.throughRoi = JSON.stringify(app.roi); app.ask("frames", { roi: app.roi, chosen: chosen(app) }); }
    this.drawFrames();
  }

  receiveFrames(content, arrays) {
    if (content.progress) { if (this.reading) this.reading = content.progress; }
    else { this.reading = null; this.through = { ...content.frames, ...arrays }; }
    this.drawFrames();
  }

  drawFrames() {
    const { app, through, reading } = this, statistic = app.model.get("statistic");
    this.framesBox.hidden = !(app.info.frames > 1 && app.roi);
    this.runButton.textContent = reading ? "Stop" : "Through all frames";
    this.progress.textContent = reading ? `${reading[0]} of ${reading[1]}` : "";
    this.framesPlot.element.hidden = !through;
    if (!through) return;
    const marks = app.frame >= 0 && !app.span ? [{ x: through.x[app.frame] }] : [];
    this.framesPlot.set([{ x: through.x, y: through[statistic] }], { labels: [through.axis, through.labels[statistic]], marks });
  }

  goTo(x) {
    if (this.through) this.app.setFrame(this.framesPlot.nearest(this.through.x, x));
  }

  close() {
    for (const menu of [this.axisMenu, this.combineMenu, this.backgroundMenu, this.numberMenu]) menu.close();
    for (const plot of [...this.plots, this.framesPlot]) plot.close();
  }
});
