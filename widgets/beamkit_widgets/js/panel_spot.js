// Panel: the pixels of the region that is drawn as a surface, turned with the mouse.

const SPOT_VIEW = [-60, 35, 1]; // azimuth and elevation [deg], zoom
const SPOT_HEIGHT = 0.7; // of the largest value, in units of the longer side

// The surface: heights on a grid, seen from azimuth and elevation without perspective.
class Surface {
  // values (rows x columns, NaN is a hole), first position and step of both, height of a pixel over its width
  constructor(content, values, saturated, look, palette, aspect) {
    Object.assign(this, content, { values, saturated, look });
    [this.number, this.width] = [values.shape[0], values.shape[1]];
    this.side = Math.max(this.columns, this.rows * aspect);
    this.aspect = aspect;
    this.scale();
    this.color(palette);
  }

  // From value to height: the scale of the colours, which goes on above the contrast.
  heightOf(value) { return SCALES[this.look.scale](Math.max((value - this.look.clim[0]) / this.span, 0)); }

  scale() {
    const [low, high] = this.look.clim;
    this.span = high - low || 1;
    this.top = -Infinity;
    for (const value of this.values) if (value > this.top) this.top = value;
    this.most = Math.max(this.heightOf(this.top), 1e-12);
    if (!Number.isFinite(this.most)) this.most = 1;
    this.heights = Float32Array.from(this.values, (value) => (Number.isNaN(value) ? NaN : SPOT_HEIGHT * this.heightOf(value) / this.most));
  }

  color(palette) {
    this.colors = new Uint8Array(3 * this.values.length);
    for (let k = 0; k < this.values.length; k++) {
      const u = Math.min(Math.max((this.values[k] - this.look.clim[0]) / this.span, 0), 1), at = Math.min(Math.floor(SCALES[this.look.scale](u) * 256), 255);
      const from = 3 * (this.look.invert ? 255 - at : at);
      this.colors.set(this.saturated[k] ? FLAG_COLORS.saturated : palette.subarray(from, from + 3), 3 * k);
    }
  }

  // Ticks of the heights: value and height, at even heights, with short numbers.
  ticks() {
    const ticks = [];
    for (const part of [0, 0.25, 0.5, 0.75, 1]) {
      const value = Number((this.look.clim[0] + this.span * UNSCALES[this.look.scale](part * this.most)).toPrecision(2));
      const height = SPOT_HEIGHT * this.heightOf(value) / this.most;
      if (height <= SPOT_HEIGHT * 1.04 && ticks.every(([, other]) => Math.abs(other - height) > 0.09)) ticks.push([value, height]);
    }
    return ticks;
  }
}

class SpotPicture {
  constructor(app) {
    this.app = app;
    this.surface = null;
    this.sketch = new Sketch("bk-spot", (context, width, height) => this.paint(context, width, height));
    this.canvas = this.sketch.canvas;
    this.canvas.tabIndex = 0;
    this.view = [...app.model.get("spot_view")];
    this.keep = settled(() => app.set("spot_view", this.view), 150);
    this.canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    this.canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.turn(0, 0, Math.exp(-Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 120) / 500)); }, { passive: false });
    this.canvas.addEventListener("dblclick", () => this.look(SPOT_VIEW));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    this.observer = new ResizeObserver(() => this.sketch.draw());
    this.observer.observe(this.canvas);
  }

  look(view) { this.view = [...view]; this.keep(); this.sketch.draw(); }

  turn(azimuth, elevation, zoom = 1) {
    const [a, e, z] = this.view;
    this.look([(a + azimuth + 540) % 360 - 180, Math.min(Math.max(e + elevation, 0), 90), Math.min(Math.max(z * zoom, 0.3), 8)]);
  }

  onDown(event) {
    let [x, y] = [event.clientX, event.clientY];
    this.canvas.focus({ preventScroll: true });
    drag(this.canvas, event, (move) => {
      this.turn((move.clientX - x) * 0.6, (move.clientY - y) * 0.5);
      [x, y] = [move.clientX, move.clientY];
    });
  }

  onKey(event) {
    const turns = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, 5], ArrowDown: [0, -5], "+": [0, 0, 1.2], "-": [0, 0, 1 / 1.2] };
    if (!turns[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    this.turn(...turns[event.key]);
  }

  // From column, row (of pixels from the corner of the surface) and height to the screen.
  project(width, height) {
    const { surface } = this, [azimuth, elevation, zoom] = this.view, [a, e] = [azimuth * DEGREE, elevation * DEGREE];
    const [ca, sa, ce, se] = [Math.cos(a), Math.sin(a), Math.cos(e), Math.sin(e)], [w, h_] = [surface.columns / surface.side, surface.rows * surface.aspect / surface.side];
    const radius = Math.hypot(w, h_) / 2, tall = 2 * radius * se + SPOT_HEIGHT * ce;
    const size = zoom * Math.min((width - 76) / (2 * radius), (height - 56) / tall);
    const [middleX, middleY] = [width / 2 + 8, height / 2 - 10 + size * SPOT_HEIGHT * ce / 2];
    return (column, row, z) => {
      const x = column / surface.side - w / 2, y = h_ / 2 - row * surface.aspect / surface.side;
      return [middleX + size * (x * ca - y * sa), middleY - size * (z * ce + (x * sa + y * ca) * se)];
    };
  }

  paint(context, width, height) {
    const start = performance.now();
    if (!this.surface) return;
    const place = this.project(width, height), colors = theme(this.canvas);
    context.font = "10px system-ui, sans-serif";
    this.paintWalls(context, place, colors);
    this.paintSurface(context, place);
    this.paintLabels(context, place, colors);
    this.canvas.dataset.milliseconds = (performance.now() - start).toFixed(1);
  }

  // Which edges are behind: column and row of the far ones.
  far() {
    const [azimuth] = this.view, { columns, rows } = this.surface;
    return { column: Math.sin(azimuth * DEGREE) > 0 ? columns : 0, row: Math.cos(azimuth * DEGREE) > 0 ? 0 : rows };
  }

  paintWalls(context, place, colors) {
    const { columns, rows } = this.surface, far = this.far();
    const line = (...points) => { context.beginPath(); points.forEach((point, k) => (k ? context.lineTo(...place(...point)) : context.moveTo(...place(...point)))); context.stroke(); };
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    line([0, 0, 0], [columns, 0, 0], [columns, rows, 0], [0, rows, 0], [0, 0, 0]);
    for (const [, z] of this.surface.ticks()) line([columns - far.column, far.row, z], [far.column, far.row, z], [far.column, rows - far.row, z]);
    for (const corner of [[columns - far.column, far.row], [far.column, far.row], [far.column, rows - far.row]]) line([...corner, 0], [...corner, SPOT_HEIGHT]);
  }

  // Quadrilaterals between the centres of pixels, from the far ones to the near ones.
  paintSurface(context, place) {
    const { surface } = this, { heights, width, number, stepX, stepY, columns, rows } = surface, far = this.far();
    const points = new Float32Array(2 * heights.length);
    for (let row = 0; row < number; row++) {
      for (let column = 0; column < width; column++) {
        const k = row * width + column;
        points.set(place(Math.min((column + 0.5) * stepX, columns), Math.min((row + 0.5) * stepY, rows), heights[k]), 2 * k);
      }
    }
    const isFine = width * number > 2000, order = (size, isBack) => Array.from({ length: Math.max(size - 1, 0) }, (_, k) => (isBack ? size - 2 - k : k));
    const columnOrder = order(width, far.column > 0), rowOrder = order(number, far.row > 0);
    context.lineWidth = isFine ? 0.6 : 0.5;
    context.lineJoin = "round";
    for (const row of rowOrder) for (const column of columnOrder) this.paintQuad(context, points, row * width + column, isFine);
  }

  paintQuad(context, points, a, isFine) {
    const { heights, colors, width, side, stepX } = this.surface, [b, c, d] = [a + 1, a + width + 1, a + width];
    const sum = heights[a] + heights[b] + heights[c] + heights[d];
    if (Number.isNaN(sum)) return;
    // Light from the upper left of the image, so that slopes are seen in any colour.
    const unit = 2 * stepX / side, slopeX = (heights[b] + heights[c] - heights[a] - heights[d]) / unit, slopeY = (heights[c] + heights[d] - heights[a] - heights[b]) / unit;
    const light = 0.68 + 0.34 * Math.max((0.8 + 0.35 * slopeX + 0.45 * slopeY) / Math.hypot(slopeX, slopeY, 1), 0);
    const shade = (k) => Math.min(255, light * (colors[3 * a + k] + colors[3 * b + k] + colors[3 * c + k] + colors[3 * d + k]) / 4) | 0;
    const color = `rgb(${shade(0)},${shade(1)},${shade(2)})`;
    context.fillStyle = color;
    context.strokeStyle = isFine ? color : "rgba(128,128,128,0.35)";
    context.beginPath();
    context.moveTo(points[2 * a], points[2 * a + 1]);
    for (const corner of [b, c, d]) context.lineTo(points[2 * corner], points[2 * corner + 1]);
    context.closePath();
    context.fill();
    context.stroke();
  }

  paintLabels(context, place, colors) {
    const { columns, rows, x0, y0 } = this.surface, far = this.far(), [nearColumn, nearRow] = [columns - far.column, rows - far.row];
    const [middleX, middleY] = place(columns / 2, rows / 2, 0);
    const placed = [];
    const put = (text, x, y, align, color) => { // where no other text is
      if (placed.some(([a, b]) => Math.abs(a - x) < 26 && Math.abs(b - y) < 11)) return;
      placed.push([x, y]);
      Object.assign(context, { fillStyle: color, textAlign: align, textBaseline: "middle" });
      context.fillText(text, x, y);
    };
    const beside = (text, [x, y], away, color) => {
      const length = Math.hypot(x - middleX, y - middleY) || 1, [u, v] = [(x - middleX) / length, (y - middleY) / length];
      put(text, x + u * away, y + v * away * 0.8 + 3, u > 0.35 ? "left" : u < -0.35 ? "right" : "center", color);
    };
    if (this.view[1] <= 78) { // from above there are no heights
      const ends = [[columns - far.column, far.row], [far.column, rows - far.row]], [left] = ends.sort((a, b) => place(...a, 0)[0] - place(...b, 0)[0]);
      for (const [value, z] of this.surface.ticks()) { const [x, y] = place(...left, z); put(tell(value, 3), x - 4, y, "right", colors.text); }
    }
    for (const tick of niceTicks(x0, x0 + columns, 4)) beside(tell(tick), place(tick - x0, nearRow, 0), 10, colors.text);
    for (const tick of niceTicks(y0, y0 + rows, 4)) beside(tell(tick), place(nearColumn, tick - y0, 0), 10, colors.text);
    beside("x", place(columns / 2, nearRow, 0), 44, colors.faint);
    beside("y", place(nearColumn, rows / 2, 0), 44, colors.faint);
  }

  close() { this.observer.disconnect(); this.keep.cancel(); }
}

PANELS.push(class SpotPanel {
  static id = "spot";
  static title = "Spot";

  constructor(app) {
    this.app = app;
    this.picture = new SpotPicture(app);
    this.hint = h("div", { class: "bk-hint" });
    this.told = h("div", { class: "bk-spot-told" });
    this.topButton = toolButton("top", "Seen from above, as the image", () => this.picture.look([0, 90, 1]));
    this.resetButton = toolButton("reset", "Seen as at first (double click)", () => this.picture.look(SPOT_VIEW));
    this.element = h("div", { class: "bk-spot-panel" }, h("div", { class: "bk-row bk-profile-row" }, this.hint, h("span", { class: "bk-space" }), h("span", { class: "bk-group" }, this.topButton, this.resetButton)), this.picture.canvas, this.told);
    this.ask = oncePerPicture(() => app.ask("spot", { roi: app.roi, at: app.pointer ?? app.model.get("cursor") }));
    this.turned = () => { this.picture.view = [...app.model.get("spot_view")]; this.picture.sketch.draw(); };
    app.model.on("change:spot_view", this.turned);
    this.tellHint();
  }

  show() { this.ask(); }
  changed(what) {
    if (["frame", "roi", "mask", "info"].includes(what) || (what === "cursor" && !this.app.roi && this.app.pointer)) this.ask();
    if (what === "look" && this.content) this.draw();
    if (what === "roi") this.tellHint();
  }

  tellHint() { this.hint.textContent = this.app.roi ? "Drag to turn, wheel to zoom." : "Around the mouse; draw a rectangle (B) to stay. Drag to turn."; }

  receive(content, arrays) {
    [this.content, this.arrays] = [content, arrays];
    this.draw();
  }

  failed(text) {
    this.content = this.picture.surface = null;
    this.told.textContent = text;
    this.picture.sketch.draw();
  }

  draw() {
    const { app, content, arrays } = this, { values } = arrays;
    this.picture.surface = new Surface(content, values, arrays.saturated, { ...app.look }, app.palette, app.info.aspect || 1);
    this.picture.sketch.draw();
    let best = 0;
    values.forEach((value, k) => { if (value > values[best] || Number.isNaN(values[best])) best = k; });
    const [row, column] = [Math.floor(best / values.shape[1]), best % values.shape[1]], { stepX, stepY } = content;
    const [x, y] = [content.x0 + (column + 0.5) * stepX, content.y0 + (row + 0.5) * stepY];
    const reduced = stepX * stepY > 1 ? `; of ${stepX} × ${stepY} pixels the largest` : "";
    this.told.textContent = Number.isNaN(values[best]) ? "All pixels are masked." : `${content.columns} × ${content.rows} pixels, highest ${tell(values[best])} at ${tell(x)}, ${tell(y)}${reduced}`;
  }

  close() {
    this.app.model.off("change:spot_view", this.turned);
    this.picture.close();
  }
});
