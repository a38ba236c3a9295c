// Round numbers between low and high: zero, powers of ten, then fives, then twos; even ones last.
function roundNumbers(low, high) {
  const largest = Math.max(Math.abs(low), Math.abs(high)), powers = [];
  for (let power = Math.floor(Math.log10(largest || 1)); powers.length < 6; power--) powers.push(10 ** power);
  const around = [0, ...[1, 5, 2].flatMap((factor) => powers.flatMap((power) => [factor * power, -factor * power]))];
  return [...around.filter((value) => value >= low && value <= high), ...niceTicks(low, high, 10)].map((value) => Number(value.toPrecision(12)));
}

// Colour bar, histogram of the good pixels, and two handles for the contrast.
class ColorBar {
  constructor(app) {
    this.app = app;
    this.sketch = new Sketch("bk-bar", (context, width, height) => this.paint(context, width, height));
    this.canvas = this.sketch.canvas;
    this.canvas.title = "Drag the handles, or between them; double-click: automatic contrast";
    this.canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    this.canvas.addEventListener("pointermove", (event) => {
      const part = this.part(this.along(event));
      this.canvas.style.cursor = part === "both" ? "grab" : this.resizing;
    });
    this.canvas.addEventListener("dblclick", () => app.auto());
    this.range = null; // values at the bottom and the top
    this.resizing = "ns-resize";
  }

  draw() { this.sketch.draw(); }

  // The range is only made anew when the contrast leaves it or fills too little of it, so that
  // the handles stay under the mouse.
  domain() {
    const [low, high] = this.app.clim, { extremes } = this.app.histogram ?? { extremes: [low, high] };
    const span = high - low;
    const wanted = [Math.max(Math.min(extremes[0], low), low - span), Math.min(Math.max(extremes[1], high), high + span * (this.app.scale === "linear" ? 1 : 4))];
    wanted[0] = Math.min(wanted[0], low);
    wanted[1] = Math.max(wanted[1], high);
    if (!this.held || !this.range) this.range = wanted;
    return this.range;
  }

  fraction(value) { // along the bar
    const [low, high] = this.domain();
    return SCALES[this.app.scale](Math.min(Math.max((value - low) / (high - low || 1), 0), 1));
  }

  value(fraction) {
    const [low, high] = this.domain();
    return low + UNSCALES[this.app.scale](Math.min(Math.max(fraction, 0), 1)) * (high - low);
  }

  // Along the bar: from its upper end down. A bar that lies on its side has others.
  get length() { return this.canvas.clientHeight; }
  along(event) { return event.offsetY; }
  screen(event) { return event.clientY; }
  y(value) { return 10 + (1 - this.fraction(value)) * (this.length - 20); }
  at(y) { return this.value(1 - (y - 10) / (this.length - 20)); }

  part(y) {
    const [low, high] = this.app.clim.map((value) => this.y(value));
    if (Math.abs(y - high) < 9 && Math.abs(y - high) <= Math.abs(y - low)) return "high";
    if (Math.abs(y - low) < 9) return "low";
    return y > high && y < low ? "both" : y <= high ? "high" : "low";
  }

  onDown(event) {
    this.domain();
    this.held = true;
    const part = this.part(this.along(event)), start = this.screen(event), clim = [...this.app.clim];
    const [lowY, highY] = clim.map((value) => this.y(value));
    drag(this.canvas, event, (move) => {
      const by = this.screen(move) - start;
      const low = part === "high" ? clim[0] : this.at(lowY + by);
      const high = part === "low" ? clim[1] : this.at(highY + by);
      if (high > low) this.app.setClim([low, high], false);
    }, () => { this.held = false; this.app.setClim(this.app.clim, true); this.draw(); });
  }

  paint(context, width, height) {
    const { app } = this, colors = theme(this.canvas), bar = 16, left = 2;
    this.domain();
    const { length } = this; // asked of the page once
    const palette = app.palette, [low, high] = app.clim, scale = SCALES[app.scale];
    for (let y = 10; y < height - 10; y++) {
      const value = this.value(1 - (y - 9.5) / (length - 20)), u = Math.min(Math.max((value - low) / (high - low || 1), 0), 1);
      const level = Math.min(Math.floor(scale(u) * 256), 255), at = 3 * (app.invert ? 255 - level : level);
      context.fillStyle = `rgb(${palette[at]},${palette[at + 1]},${palette[at + 2]})`;
      context.fillRect(left, y, bar, 1.5);
    }
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    context.strokeRect(left - 0.5, 9.5, bar + 1, height - 19);
    this.paintHistogram(context, left + bar + 2, width - left - bar - 4, colors);
    this.paintTicks(context, left + bar + 4, height, colors);
    for (const value of app.clim) {
      const y = this.y(value);
      context.fillStyle = colors.brand;
      context.beginPath();
      context.moveTo(left + bar + 1, y); context.lineTo(left + bar + 8, y - 5); context.lineTo(left + bar + 8, y + 5);
      context.fill();
      context.fillRect(left, y - 0.75, bar + 2, 1.5);
    }
  }

  paintHistogram(context, left, width, colors) {
    const histogram = this.app.histogram;
    if (!histogram) return;
    const { counts, edges } = histogram, largest = Math.log1p(Math.max(...counts));
    context.fillStyle = colors.faint;
    context.globalAlpha = 0.35;
    for (let k = 0; k < counts.length; k++) {
      if (!counts[k]) continue;
      const bottom = this.y(edges[k]), top = this.y(edges[k + 1]);
      if (bottom <= 10 || top >= this.canvas.clientHeight - 10) continue;
      context.fillRect(left, top, Math.max(width * Math.log1p(counts[k]) / largest, 1), Math.max(bottom - top, 1));
    }
    context.globalAlpha = 1;
  }

  paintTicks(context, left, height, colors) {
    context.font = "10px system-ui, sans-serif";
    context.fillStyle = colors.text;
    context.textAlign = "left";
    context.textBaseline = "middle";
    const taken = [], low = this.value(0), high = this.value(1);
    for (const value of [low, high, ...roundNumbers(low, high)]) { // the rounder a number the sooner it gets its place
      const y = this.y(value);
      if (value < low || value > high || y < 8 || y > height - 8 || taken.some((other) => Math.abs(other - y) < 16)) continue;
      if ((value === low || value === high) && Number(value.toPrecision(2)) !== value) continue;
      taken.push(y);
      context.fillText(tell(value, 3), left + 6, y);
    }
  }
}
