// A line plot: a few curves over one axis, a readout under the mouse, a range that can be dragged.
class Plot {
  // range(from, to) is told when a range is dragged, hover(x or null) when the mouse moves.
  constructor({ height = 150, range = null, hover = null } = {}) {
    this.curves = []; // {x, y, color, name, dashed, points}
    this.marks = []; // {x, label, color}
    this.labels = ["", ""];
    this.isLog = false;
    this.range = null;
    this.sketch = new Sketch("bk-plot", (context, width, height_) => this.paint(context, width, height_));
    this.canvas = this.sketch.canvas;
    this.canvas.style.height = `${height}px`;
    this.told = h("div", { class: "bk-plot-told" }, " ");
    this.element = h("div", { class: "bk-plot-box" }, this.canvas, this.told);
    this.canvas.addEventListener("pointermove", (event) => { this.at = event.offsetX; this.tell(); this.sketch.draw(); hover?.(this.toX(event.offsetX)); });
    this.canvas.addEventListener("pointerleave", () => { this.at = null; this.tell(); this.sketch.draw(); hover?.(null); });
    if (range) this.canvas.addEventListener("pointerdown", (event) => this.onDown(event, range));
    this.observer = new ResizeObserver(() => this.sketch.draw());
    this.observer.observe(this.canvas);
  }

  set(curves, { labels = this.labels, isLog = this.isLog, marks = [] } = {}) {
    Object.assign(this, { curves, labels, isLog, marks });
    this.tell();
    this.sketch.draw();
  }

  onDown(event, range) {
    const start = this.toX(event.offsetX);
    this.range = null;
    drag(this.canvas, event, (move) => {
      const now = this.toX(move.offsetX);
      this.range = [Math.min(start, now), Math.max(start, now)];
      this.sketch.draw();
    }, () => range(this.range));
  }

  get margin() { return { left: 46, right: 8, top: 8, bottom: this.labels[0] ? 32 : 20 }; }

  limits() {
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const { x, y } of this.curves) {
      for (let k = 0; k < x.length; k++) {
        const value = y[k];
        if (!Number.isFinite(value) || (this.isLog && value <= 0)) continue;
        if (x[k] < x0) x0 = x[k];
        if (x[k] > x1) x1 = x[k];
        if (value < y0) y0 = value;
        if (value > y1) y1 = value;
      }
    }
    if (!(x1 >= x0)) return [0, 1, this.isLog ? 0.1 : 0, 1];
    if (x0 === x1) [x0, x1] = [x0 - 0.5, x1 + 0.5];
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
    if (this.at === null || this.at === undefined || !this.curves.length) { this.told.textContent = " "; return; }
    const x = this.toX(this.at), first = this.curves[0], k = this.nearest(first.x, x);
    const values = this.curves.filter((curve) => curve.x.length).map((curve) => `${curve.name ? `${curve.name} ` : ""}${tell(curve.y[this.nearest(curve.x, x)], 5)}`);
    this.told.textContent = `${this.labels[0].split(" [")[0]} ${tell(first.x[k], 5)}: ${values.join(", ")}`;
  }

  nearest(xs, x) {
    let best = 0;
    for (let k = 1; k < xs.length; k++) if (Math.abs(xs[k] - x) < Math.abs(xs[best] - x)) best = k;
    return best;
  }

  paint(context, width, height) {
    const colors = theme(this.canvas), frame = this.frame();
    const { x0, x1, y0, y1, left, top, right, bottom, toScreenX, toScreenY } = frame;
    context.font = "10px system-ui, sans-serif";
    context.fillStyle = colors.text;
    context.strokeStyle = colors.grid;
    context.lineWidth = 1;
    context.textBaseline = "top";
    context.textAlign = "center";
    for (const tick of niceTicks(x0, x1, Math.max(2, (right - left) / 70))) {
      const x = Math.round(toScreenX(tick)) + 0.5;
      context.beginPath(); context.moveTo(x, top); context.lineTo(x, bottom); context.stroke();
      const half = context.measureText(tell(tick, 5)).width / 2;
      context.fillText(tell(tick, 5), Math.min(Math.max(x, half), width - half), bottom + 4);
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
    context.beginPath(); context.rect(left, top - 2, right - left, bottom - top + 4); context.clip();
    if (this.range) {
      context.fillStyle = colors.brand;
      context.globalAlpha = 0.15;
      context.fillRect(toScreenX(this.range[0]), top, toScreenX(this.range[1]) - toScreenX(this.range[0]), bottom - top);
      context.globalAlpha = 1;
    }
    for (const mark of this.marks) {
      context.strokeStyle = mark.color ?? colors.faint;
      context.setLineDash([4, 3]);
      context.beginPath(); context.moveTo(toScreenX(mark.x), top); context.lineTo(toScreenX(mark.x), bottom); context.stroke();
      context.setLineDash([]);
      if (mark.label) { context.fillStyle = mark.color ?? colors.faint; context.textAlign = "left"; context.textBaseline = "top"; context.fillText(mark.label, toScreenX(mark.x) + 3, top); }
    }
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

  ticksY(low, high, number) {
    if (!this.isLog) return niceTicks(low, high, Math.max(2, number));
    const ticks = [];
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power++) ticks.push(10 ** power);
    const every = Math.max(1, Math.ceil(ticks.length / Math.max(2, number)));
    return ticks.length ? ticks.filter((_, k) => k % every === 0) : [low, high];
  }

  paintCurve(context, { x, y, color, dashed, points }, { toScreenX, toScreenY }, colors) {
    context.strokeStyle = context.fillStyle = color ?? colors.brand;
    context.lineWidth = 1.4;
    context.setLineDash(dashed ? [5, 3] : []);
    context.beginPath();
    let isDown = false;
    for (let k = 0; k < x.length; k++) {
      const isGood = Number.isFinite(y[k]) && !(this.isLog && y[k] <= 0);
      if (!isGood) { isDown = false; continue; }
      const [a, b] = [toScreenX(x[k]), toScreenY(y[k])];
      if (points) context.fillRect(a - 1.5, b - 1.5, 3, 3);
      else if (isDown) context.lineTo(a, b);
      else context.moveTo(a, b);
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
