// A line plot: a few curves over one axis, a readout under the mouse, a range that can be dragged,
// and a closer look with the wheel.
class Plot {
  // range(from, to) is told when a range is dragged, hover(x or null) when the mouse moves,
  // click(x) when it is pressed and not dragged.
  constructor({ height = 150, range = null, hover = null, click = null } = {}) {
    this.curves = []; // {x, y, color, name, dashed, points}
    this.marks = []; // {x, label, color}
    this.labels = ["", ""];
    this.isLog = false;
    this.isInverse = false; // x is drawn, but 2π/x is read: q and d
    this.range = null;
    this.window = null; // part of x that is seen
    this.follows = null; // x of a faint line: where the mouse is in the image
    this.sketch = new Sketch("bk-plot", (context, width, height_) => this.paint(context, width, height_));
    this.canvas = this.sketch.canvas;
    this.canvas.style.height = `${height}px`;
    this.told = h("div", { class: "bk-plot-told" }, " ");
    this.element = h("div", { class: "bk-plot-box" }, this.canvas, this.told);
    this.canvas.addEventListener("pointermove", (event) => { this.at = event.offsetX; this.tell(); this.sketch.draw(); hover?.(this.toX(event.offsetX)); });
    this.canvas.addEventListener("pointerleave", () => { this.at = null; this.tell(); this.sketch.draw(); hover?.(null); });
    this.canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.canvas.addEventListener("dblclick", () => { this.window = null; this.sketch.draw(); });
    if (range || click) this.canvas.addEventListener("pointerdown", (event) => this.onDown(event, range, click));
    this.observer = new ResizeObserver(() => this.sketch.draw());
    this.observer.observe(this.canvas);
  }

  set(curves, { labels = this.labels, isLog = this.isLog, isInverse = false, marks = [] } = {}) {
    if (labels[0] !== this.labels[0]) this.window = null;
    Object.assign(this, { curves, labels, isLog, isInverse, marks });
    this.tell();
    this.sketch.draw();
  }

  // What is read at an x.
  read(x) { return this.isInverse ? 2 * Math.PI / x : x; }

  follow(x) {
    if (x === this.follows) return;
    this.follows = x;
    this.sketch.draw();
  }

  onDown(event, range, click) {
    if (event.button !== 0) return;
    const start = this.toX(event.offsetX), from = event.offsetX;
    let dragged = null;
    drag(this.canvas, event, (move) => {
      if (!range || (!dragged && Math.abs(move.offsetX - from) < 4)) return;
      const now = this.toX(move.offsetX);
      this.range = dragged = [Math.min(start, now), Math.max(start, now)];
      this.sketch.draw();
    }, () => (dragged ? range(dragged) : click?.(start)));
  }

  onWheel(event) {
    event.preventDefault();
    const [x0, x1] = this.limits(), [low, high] = this.whole();
    const factor = Math.exp(Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 120) / 400), at = this.toX(event.offsetX);
    const window = [Math.max(at - (at - x0) * factor, low), Math.min(at + (x1 - at) * factor, high)];
    this.window = window[0] <= low && window[1] >= high ? null : window;
    this.sketch.draw();
  }

  get margin() { return { left: this.labels[1] ? 58 : 46, right: 8, top: 8, bottom: this.labels[0] ? 32 : 20 }; }

  // First and last x of what is finite.
  whole() {
    let [low, high] = [Infinity, -Infinity];
    for (const { x } of this.curves) {
      for (const value of x) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    return high > low ? [low, high] : Number.isFinite(low) ? [low - 0.5, low + 0.5] : [0, 1];
  }

  limits() {
    const [x0, x1] = this.window ?? this.whole();
    let [y0, y1] = [Infinity, -Infinity];
    for (const { x, y } of this.curves) {
      for (let k = 0; k < x.length; k++) {
        const value = y[k];
        if (!Number.isFinite(value) || (this.isLog && value <= 0) || x[k] < x0 || x[k] > x1) continue;
        if (value < y0) y0 = value;
        if (value > y1) y1 = value;
      }
    }
    if (!(y1 >= y0)) return [x0, x1, this.isLog ? 0.1 : 0, 1];
    if (y0 === y1) [y0, y1] = this.isLog ? [y0 / 2, y1 * 2] : [y0 - 0.5, y1 + 0.5];
    if (this.isLog) return [x0, x1, y0 / 1.3, y1 * 1.3];
    const room = (y1 - y0) * 0.05;
    return [x0, x1, y0 - room, y1 + room];
  }

  frame() {
    const { left, right, top, bottom } = this.margin, { clientWidth: width, clientHeight: height } = this.canvas;
    const [x0, x1, y0, y1] = this.limits(), f = this.isLog ? Math.log10 : (value) => value;
    return {
      x0, x1, y0, y1, left, top, right: width - right, bottom: height - bottom,
      toScreenX: (x) => left + (x - x0) / (x1 - x0) * (width - left - right),
      toScreenY: (y) => height - bottom - (f(y) - f(y0)) / (f(y1) - f(y0)) * (height - top - bottom),
    };
  }

  toX(screen) {
    const { x0, x1, left, right } = this.frame();
    return x0 + Math.min(Math.max((screen - left) / (right - left), 0), 1) * (x1 - x0);
  }

  tell() {
    const first = this.curves[0];
    if (this.at === null || this.at === undefined || !first?.x.length) { this.told.textContent = " "; return; }
    const x = this.toX(this.at), k = this.nearest(first.x, x);
    const values = this.curves.filter((curve) => curve.x.length).map((curve) => `${curve.name ? `${curve.name} ` : ""}${tell(curve.y[this.nearest(curve.x, x)], 5)}`);
    this.told.textContent = `${this.labels[0].split(" [")[0]} ${tell(this.read(first.x[k]), 5)}: ${values.join(", ")}`;
  }

  nearest(xs, x) {
    let best = 0;
    for (let k = 1; k < xs.length; k++) if (Math.abs(xs[k] - x) < Math.abs(xs[best] - x)) best = k;
    return best;
  }

  // Places and texts along x.
  ticksX(x0, x1, width) {
    if (!this.isInverse) return niceTicks(x0, x1, Math.max(2, width / 70)).map((x) => [x, tell(x, 5)]);
    const ticks = [], room = 46 / width * (x1 - x0), [least, most] = [this.read(x1), this.read(Math.max(x0, x1 * 1e-4))];
    const first = Math.floor(Math.log10(least)), last = Math.ceil(Math.log10(most));
    for (const digit of [1, 2, 5, 3, 1.5, 7, 4, 1.2, 2.5, 6, 1.1, 1.3, 1.7, 8, 9, 1.4, 3.5, 2.2]) { // round numbers first
      for (let power = first; power <= last; power++) {
        const d = Number((digit * 10 ** power).toPrecision(3)), x = 2 * Math.PI / d;
        if (d >= least && d <= most && ticks.every(([other]) => Math.abs(other - x) > room)) ticks.push([x, tell(d, 3)]);
      }
    }
    return ticks;
  }

  paint(context, width, height) {
    const colors = theme(this.canvas), frame = this.frame();
    const { left, top, right, bottom, toScreenX } = frame;
    context.font = "10px system-ui, sans-serif";
    this.paintAxes(context, frame, colors, width, height);
    context.save();
    context.beginPath(); context.rect(left, top - 2, right - left, bottom - top + 4); context.clip();
    if (this.range) {
      context.fillStyle = colors.brand;
      context.globalAlpha = 0.15;
      context.fillRect(toScreenX(this.range[0]), top, toScreenX(this.range[1]) - toScreenX(this.range[0]), bottom - top);
      context.globalAlpha = 1;
    }
    for (const mark of this.marks) this.paintMark(context, mark, frame, colors);
    if (this.follows !== null) this.paintMark(context, { x: this.follows, color: colors.brand }, frame, colors);
    for (const curve of this.curves) this.paintCurve(context, curve, frame, colors);
    if (this.at !== null && this.at !== undefined) {
      context.strokeStyle = colors.faint;
      context.beginPath(); context.moveTo(this.at, top); context.lineTo(this.at, bottom); context.stroke();
    }
    context.restore();
    context.strokeStyle = colors.line;
    context.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
    this.paintLegend(context, right, top, colors);
  }

  paintAxes(context, { x0, x1, y0, y1, left, top, right, bottom, toScreenX, toScreenY }, colors, width, height) {
    context.fillStyle = colors.text;
    context.strokeStyle = colors.grid;
    context.lineWidth = 1;
    context.textBaseline = "top";
    context.textAlign = "center";
    for (const [tick, text] of this.ticksX(x0, x1, right - left)) {
      const x = Math.round(toScreenX(tick)) + 0.5;
      context.beginPath(); context.moveTo(x, top); context.lineTo(x, bottom); context.stroke();
      const half = context.measureText(text).width / 2;
      context.fillText(text, Math.min(Math.max(x, half), width - half), bottom + 4);
    }
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const tick of this.ticksY(y0, y1, (bottom - top) / 32)) {
      const y = Math.round(toScreenY(tick)) + 0.5;
      context.beginPath(); context.moveTo(left, y); context.lineTo(right, y); context.stroke();
      context.fillText(tell(tick, 3), left - 4, y);
    }
    context.fillStyle = colors.faint;
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.fillText(this.labels[0], (left + right) / 2, height - 1, right - left);
    context.save();
    context.translate(2, (top + bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.textBaseline = "top";
    context.fillText(this.labels[1], 0, 0, bottom - top + 14);
    context.restore();
  }

  paintMark(context, { x, label: text, color }, { top, bottom, toScreenX }, colors) {
    const at = toScreenX(x);
    context.strokeStyle = color ?? colors.faint;
    context.lineWidth = 1;
    context.setLineDash([4, 3]);
    context.beginPath(); context.moveTo(at, top); context.lineTo(at, bottom); context.stroke();
    context.setLineDash([]);
    if (!text) return;
    context.fillStyle = color ?? colors.faint;
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillText(text, at + 3, top + 1);
  }

  ticksY(low, high, number) {
    if (!this.isLog) return niceTicks(low, high, Math.max(2, number));
    const ticks = [];
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power++) ticks.push(10 ** power);
    if (ticks.length < 2) return niceTicks(low, high, 3).filter((tick) => tick > 0);
    const every = Math.max(1, Math.ceil(ticks.length / Math.max(2, number)));
    return ticks.filter((_, k) => k % every === 0);
  }

  paintCurve(context, { x, y, color, dashed, points }, { toScreenX, toScreenY, bottom }, colors) {
    context.strokeStyle = context.fillStyle = color ?? colors.brand;
    context.lineWidth = 1.4;
    context.setLineDash(dashed ? [5, 3] : []);
    context.beginPath();
    let isDown = false;
    for (let k = 0; k < x.length; k++) {
      if (!Number.isFinite(y[k])) { isDown = false; continue; }
      if (this.isLog && y[k] <= 0 && points) continue;
      // On a log scale zero is below the edge, and no gap.
      const [a, b] = [toScreenX(x[k]), this.isLog && y[k] <= 0 ? bottom + 4 : toScreenY(y[k])];
      if (points) context.fillRect(a - 1.5, b - 1.5, 3, 3);
      else if (isDown) context.lineTo(a, b);
      else {
        context.moveTo(a, b);
        if (!Number.isFinite(y[k + 1])) context.lineTo(a + 1, b); // alone between gaps
      }
      isDown = true;
    }
    if (!points) context.stroke();
    context.setLineDash([]);
  }

  paintLegend(context, right, top, colors) {
    const named = this.curves.filter((curve) => curve.name);
    if (named.length < 2) return;
    context.textAlign = "right";
    context.textBaseline = "top";
    named.forEach((curve, k) => {
      context.fillStyle = curve.color ?? colors.brand;
      context.fillText(curve.name, right - 6, top + 4 + 13 * k);
    });
  }

  close() { this.observer.disconnect(); }
}
