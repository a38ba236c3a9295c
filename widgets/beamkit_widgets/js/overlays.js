// What is drawn over the image and cannot be grabbed.

function strokeTwice(context, color, width = 1.4) { // a dark line under a bright one: seen on any colour
  context.lineJoin = "round";
  context.strokeStyle = "rgba(0,0,0,0.55)";
  context.lineWidth = width + 1.6;
  context.stroke();
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke();
}

function label(context, text, x, y, { align = "left", color = "#fff" } = {}) {
  context.font = "11px system-ui, sans-serif";
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0,0,0,0.75)";
  context.strokeText(text, x, y);
  context.fillStyle = color;
  context.fillText(text, x, y);
}

class CrossHair {
  constructor(app) { this.app = app; this.isOn = false; }
  draw(context, pane) {
    const cursor = this.app.pointer ?? this.app.otherPointer;
    if (!cursor || !(this.isOn || this.app.otherPointer)) return;
    const [x, y] = pane.toScreen(...cursor);
    context.beginPath();
    context.moveTo(0, y); context.lineTo(pane.width, y);
    context.moveTo(x, 0); context.lineTo(x, pane.height);
    strokeTwice(context, "rgba(255,255,255,0.85)", 0.8);
  }
}

class ScaleBar {
  constructor(app) { this.app = app; }
  draw(context, pane) {
    const { bar } = this.app.info; // {pixel: length of a pixel, unit}
    if (!bar) return;
    const perUnit = pane.view.scaleX / bar.pixel, target = Math.min(pane.width / 5, 140) / perUnit;
    const power = 10 ** Math.floor(Math.log10(target));
    let length = [5, 2, 1].find((step) => step * power <= target) * power, text = `${tell(length)} ${bar.unit}`;
    if (bar.unit === "µm" && length >= 1000) text = `${tell(length / 1000)} mm`;
    if (bar.unit === "mm" && length < 1) text = `${tell(length * 1000)} µm`;
    const width = length * perUnit, y = pane.height - 14;
    context.beginPath();
    context.moveTo(14, y); context.lineTo(14 + width, y);
    context.lineCap = "butt";
    strokeTwice(context, "#fff", 3);
    label(context, text, 14 + width / 2, y - 11, { align: "center" });
  }
}

class PixelValues {
  constructor(app) { this.app = app; }
  draw(context, pane) {
    if (Math.min(pane.view.scaleX, pane.view.scaleY) < 34) return;
    const tile = pane.tiles.find((item) => item.stepX === 1 && item.stepY === 1);
    if (!tile || !(tile.values || tile.coding.kind === "exact")) return; // other codes are rounded
    const [x0, y0, x1, y1] = pane.bounds.map(Math.floor);
    const table = this.app.table(tile);
    context.font = `${Math.min(13, pane.view.scaleX / 4)}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let row = Math.max(y0, 0); row <= Math.min(y1, this.app.info.shape[0] - 1); row++)
      for (let column = Math.max(x0, 0); column <= Math.min(x1, this.app.info.shape[1] - 1); column++) {
        const code = tile.code(column, row);
        if (code === null) continue;
        const value = tile.value(column, row), color = table[code];
        const isBright = (color & 255) * 0.3 + ((color >> 8) & 255) * 0.6 + ((color >> 16) & 255) * 0.1 > 140;
        context.fillStyle = isBright ? "#000" : "#fff";
        const text = code === GAP ? "gap" : code === MASKED && Number.isNaN(value) ? "mask" : tell(value, 4);
        context.fillText(text, ...pane.toScreen(column + 0.5, row + 0.5));
      }
  }
}

// Lines of equal scattering angle, as the kernel computed them, with labels.
class Rings {
  constructor(app) { Object.assign(this, { app, curves: [], items: [], off: [], notes: [], beam: null, pointed: null }); }
  set({ curves, items, off, notes, beam }, arrays) {
    this.curves = curves.map((curve, k) => ({ ...curve, x: arrays[`x${k}`], y: arrays[`y${k}`] }));
    Object.assign(this, { items, off, notes, beam });
    this.app.pane.overlay.draw();
  }
  // While the beam is moved, until the exact curves are there.
  get shift() {
    const now = this.app.beamCenter;
    return this.beam && now ? [now[0] - this.beam[0], now[1] - this.beam[1]] : [0, 0];
  }
  draw(context, pane) {
    const placed = [], shift = this.shift;
    for (const [number, { x, y, color, dashed }] of this.curves.entries()) {
      context.beginPath();
      for (let k = 0; k < x.length; k++) {
        const [a, b] = pane.toScreen(x[k] + shift[0], y[k] + shift[1]);
        if (k === 0 || Number.isNaN(x[k - 1])) context.moveTo(a, b); else context.lineTo(a, b);
      }
      context.setLineDash(dashed ? [6, 4] : []);
      strokeTwice(context, color || "#ffd54a", number === this.pointed ? 2.6 : 1.1);
      context.setLineDash([]);
    }
    for (const curve of this.curves) { // labels on top, where there is room for them
      if (!curve.label) continue;
      const spot = this.roomFor(curve, pane, placed, shift);
      if (!spot) continue;
      placed.push(spot);
      label(context, curve.label, ...spot, { align: "center", color: curve.color || "#ffd54a" });
    }
  }
  roomFor({ x, y }, pane, placed, shift) {
    const number = x.length, start = Math.floor(number * 0.875); // upper right first
    for (let step = 0; step < number; step += Math.max(1, Math.floor(number / 48))) {
      const k = (start + step) % number;
      if (Number.isNaN(x[k])) continue;
      const [a, b] = pane.toScreen(x[k] + shift[0], y[k] + shift[1]);
      const isInside = a > 40 && a < pane.width - 40 && b > 10 && b < pane.height - 10;
      if (a < 180 && b > pane.height - 40 && this.app.info.bar) continue; // the scale bar is there
      if (isInside && placed.every(([c, d]) => Math.abs(a - c) > 84 || Math.abs(b - d) > 18)) return [a, b];
    }
    return null;
  }
}

// Where the direct beam meets the detector; a cross that can be dragged.
class BeamCenter {
  constructor(app) { this.app = app; }
  get isShown() { return Boolean(this.app.beamCenter) && this.app.showsBeam; }
  cursor([x, y], pane) {
    if (!this.isShown) return null;
    const [a, b] = pane.toScreen(...this.app.beamCenter), [c, d] = pane.toScreen(x, y);
    return Math.hypot(a - c, b - d) < 10 ? "move" : null;
  }
  grab(event, position, pane) {
    if (!this.cursor(position, pane)) return false;
    const start = this.app.beamCenter;
    drag(pane.element, event, (move) => {
      const now = pane.at(move);
      this.app.moveBeam([start[0] + now[0] - position[0], start[1] + now[1] - position[1]]);
    }, () => this.app.moveBeam(this.app.beamCenter, true));
    return true;
  }
  draw(context, pane) {
    if (!this.isShown) return;
    const [x, y] = pane.toScreen(...this.app.beamCenter);
    context.beginPath();
    context.moveTo(x - 9, y); context.lineTo(x + 9, y);
    context.moveTo(x, y - 9); context.lineTo(x, y + 9);
    context.moveTo(x + 5, y); context.arc(x, y, 5, 0, 2 * Math.PI);
    strokeTwice(context, this.app.info.assumesBeam ? "#ff9f43" : "#7CFC9A", 1.4);
  }
}
