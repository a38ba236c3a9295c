// Regions drawn with the mouse, in positions [pixel] from the outer corner: the same numbers as
// beamkit.images.regions.

const DEGREE = Math.PI / 180;

// How each kind is made by a drag from a to b, its handles (name -> position), what a drag of a
// handle does, and its outline (list of lines of positions).
const REGIONS = {
  line: {
    make: ([x0, y0], [x1, y1], old) => ({ kind: "line", x0, y0, x1, y1, width: old?.kind === "line" ? old.width : 1 }),
    handles: (r) => ({ start: [r.x0, r.y0], end: [r.x1, r.y1], middle: [(r.x0 + r.x1) / 2, (r.y0 + r.y1) / 2] }),
    move: (r, name, [x, y]) => name === "start" ? { ...r, x0: x, y0: y } : { ...r, x1: x, y1: y },
    shift: (r, dx, dy) => ({ ...r, x0: r.x0 + dx, x1: r.x1 + dx, y0: r.y0 + dy, y1: r.y1 + dy }),
    outline: (r) => {
      const length = Math.hypot(r.x1 - r.x0, r.y1 - r.y0) || 1;
      const [u, v] = [-(r.y1 - r.y0) / length * r.width / 2, (r.x1 - r.x0) / length * r.width / 2];
      const lines = [[[r.x0, r.y0], [r.x1, r.y1]]];
      if (r.width > 1.5) lines.push([[r.x0 + u, r.y0 + v], [r.x1 + u, r.y1 + v]], [[r.x0 - u, r.y0 - v], [r.x1 - u, r.y1 - v]]);
      return lines;
    },
    constrain: ([x0, y0], [x, y]) => { // to multiples of 45 degrees
      const angle = Math.round(Math.atan2(y - y0, x - x0) / (45 * DEGREE)) * 45 * DEGREE, length = Math.hypot(x - x0, y - y0);
      return [x0 + length * Math.cos(angle), y0 + length * Math.sin(angle)];
    },
  },
  rectangle: {
    make: ([xa, ya], [xb, yb]) => ({ kind: "rectangle", x0: Math.floor(Math.min(xa, xb)), y0: Math.floor(Math.min(ya, yb)), x1: Math.ceil(Math.max(xa, xb)), y1: Math.ceil(Math.max(ya, yb)) }),
    handles: (r) => ({ nw: [r.x0, r.y0], ne: [r.x1, r.y0], se: [r.x1, r.y1], sw: [r.x0, r.y1], middle: [(r.x0 + r.x1) / 2, (r.y0 + r.y1) / 2] }),
    move: (r, name, [x, y]) => REGIONS.rectangle.make([x, y], { nw: [r.x1, r.y1], ne: [r.x0, r.y1], se: [r.x0, r.y0], sw: [r.x1, r.y0] }[name]),
    shift: (r, dx, dy) => ({ ...r, x0: r.x0 + Math.round(dx), x1: r.x1 + Math.round(dx), y0: r.y0 + Math.round(dy), y1: r.y1 + Math.round(dy) }),
    outline: (r) => [[[r.x0, r.y0], [r.x1, r.y0], [r.x1, r.y1], [r.x0, r.y1], [r.x0, r.y0]]],
    constrain: ([x0, y0], [x, y]) => { // square
      const size = Math.max(Math.abs(x - x0), Math.abs(y - y0));
      return [x0 + Math.sign(x - x0) * size, y0 + Math.sign(y - y0) * size];
    },
  },
  circle: {
    make: ([x, y], [xb, yb]) => ({ kind: "circle", x, y, radius: Math.hypot(xb - x, yb - y) }),
    handles: (r) => ({ edge: [r.x + r.radius, r.y], middle: [r.x, r.y] }),
    move: (r, name, [x, y]) => ({ ...r, radius: Math.hypot(x - r.x, y - r.y) }),
    shift: (r, dx, dy) => ({ ...r, x: r.x + dx, y: r.y + dy }),
    outline: (r) => [arc(r.x, r.y, r.radius, 0, 360)],
  },
  sector: {
    make: ([xa, ya], [xb, yb], old, app) => {
      const [x, y] = app.beamCenter ?? [app.info.shape[1] / 2, app.info.shape[0] / 2];
      const radii = [Math.hypot(xa - x, ya - y), Math.hypot(xb - x, yb - y)].sort((a, b) => a - b);
      let start = Math.atan2(ya - y, xa - x) / DEGREE, stop = Math.atan2(yb - y, xb - x) / DEGREE;
      if (((stop - start) % 360 + 540) % 360 - 180 < 0) [start, stop] = [stop, start];
      return { kind: "sector", x, y, r0: radii[0], r1: radii[1], start, stop: stop < start ? stop + 360 : stop };
    },
    handles: (r) => {
      const at = (radius, angle) => [r.x + radius * Math.cos(angle * DEGREE), r.y + radius * Math.sin(angle * DEGREE)];
      return { inner: at(r.r0, (r.start + r.stop) / 2), outer: at(r.r1, (r.start + r.stop) / 2), start: at((r.r0 + r.r1) / 2, r.start), stop: at((r.r0 + r.r1) / 2, r.stop) };
    },
    move: (r, name, [x, y]) => {
      const radius = Math.hypot(x - r.x, y - r.y), angle = Math.atan2(y - r.y, x - r.x) / DEGREE;
      const near = (other) => angle + 360 * Math.round((other - angle) / 360);
      if (name === "inner") return { ...r, r0: Math.min(radius, r.r1) };
      if (name === "outer") return { ...r, r1: Math.max(radius, r.r0) };
      if (name === "start") return { ...r, start: Math.max(Math.min(near(r.start), r.stop), r.stop - 360) };
      return { ...r, stop: Math.min(Math.max(near(r.stop), r.start), r.start + 360) };
    },
    shift: (r) => r, // it stays around the beam
    outline: (r) => [arc(r.x, r.y, r.r0, r.start, r.stop), arc(r.x, r.y, r.r1, r.start, r.stop),
      ...(r.stop - r.start < 360 ? [r.start, r.stop].map((angle) => [r.r0, r.r1].map((radius) => [r.x + radius * Math.cos(angle * DEGREE), r.y + radius * Math.sin(angle * DEGREE)])) : [])],
  },
  polygon: {
    make: (a, b) => ({ kind: "polygon", points: [a, b] }),
    handles: (r) => Object.fromEntries(r.points.map((point, k) => [k, point])),
    move: (r, name, position) => ({ ...r, points: r.points.map((point, k) => (k === Number(name) ? position : point)) }),
    shift: (r, dx, dy) => ({ ...r, points: r.points.map(([x, y]) => [x + dx, y + dy]) }),
    outline: (r) => [[...r.points, r.points[0]]],
  },
  point: {
    make: (a, [x, y]) => ({ kind: "point", x, y }),
    handles: (r) => ({ middle: [r.x, r.y] }),
    move: (r, name, [x, y]) => ({ ...r, x, y }),
    shift: (r, dx, dy) => ({ ...r, x: r.x + dx, y: r.y + dy }),
    outline: (r) => [[[Math.floor(r.x), Math.floor(r.y)], [Math.floor(r.x) + 1, Math.floor(r.y)], [Math.floor(r.x) + 1, Math.floor(r.y) + 1], [Math.floor(r.x), Math.floor(r.y) + 1], [Math.floor(r.x), Math.floor(r.y)]]],
  },
};

function arc(x, y, radius, start, stop) {
  const number = Math.max(8, Math.ceil((stop - start) / 3));
  return Array.from({ length: number + 1 }, (_, k) => {
    const angle = (start + (stop - start) * k / number) * DEGREE;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
}

// Draws a region, and makes and changes it with the mouse. `changed(region, isFinal)` is told.
class RegionTool {
  constructor(app, { color = "#ff6b6b", get, changed }) {
    Object.assign(this, { app, color, get, changed });
    this.tool = null; // kind that the next drag makes; null: only existing handles
    this.open = null; // a polygon that is being drawn
  }

  get region() { return this.open ?? this.get(); }

  handleAt([x, y], pane) {
    const region = this.region;
    if (!region) return null;
    const [c, d] = pane.toScreen(x, y);
    const found = Object.entries(REGIONS[region.kind].handles(region)).find(([, position]) => {
      const [a, b] = pane.toScreen(...position);
      return Math.hypot(a - c, b - d) < 8;
    });
    return found?.[0] ?? null;
  }

  cursor(position, pane) {
    const handle = this.handleAt(position, pane);
    if (handle) return handle === "middle" ? "move" : "pointer";
    return this.tool ? "crosshair" : null;
  }

  grab(event, position, pane) {
    if (this.open) return this.addPoint(position, pane);
    const handle = this.handleAt(position, pane);
    if (handle !== null) {
      const start = this.region;
      this.follow(event, pane, (now) => handle === "middle" && REGIONS[start.kind].shift
        ? REGIONS[start.kind].shift(start, now[0] - position[0], now[1] - position[1])
        : REGIONS[start.kind].move(start, handle, now));
      return true;
    }
    if (!this.tool) return false;
    if (this.tool === "polygon") { this.open = { kind: "polygon", points: [position] }; pane.overlay.draw(); return true; }
    const old = this.region, kind = this.tool;
    this.follow(event, pane, (now, move) => {
      const end = move.shiftKey && REGIONS[kind].constrain ? REGIONS[kind].constrain(position, now) : now;
      return REGIONS[kind].make(position, end, old, this.app);
    }, kind === "point");
    return true;
  }

  follow(event, pane, make, isClick = false) {
    let latest = isClick ? make(pane.at(event), event) : null;
    if (latest) this.changed(latest, false);
    drag(pane.element, event, (move) => {
      latest = make(pane.at(move), move);
      this.changed(latest, false);
    }, () => { if (latest) this.changed(latest, true); });
  }

  addPoint(position, pane) {
    const points = this.open.points, [a, b] = pane.toScreen(...points[0]), [c, d] = pane.toScreen(...position);
    if (points.length > 2 && Math.hypot(a - c, b - d) < 9) this.finish();
    else this.open = { kind: "polygon", points: [...points, position] };
    pane.overlay.draw();
    return true;
  }

  finish() { // close the polygon
    const open = this.open;
    this.open = null;
    if (open && open.points.length > 2) this.changed(open, true);
  }

  double(event, position, pane) {
    if (!this.open) return this.handleAt(position, pane) !== null;
    this.finish();
    return true;
  }

  cancel() {
    if (this.open) this.open = null;
    else this.changed(null, true);
  }

  nudge(dx, dy) {
    const region = this.get();
    if (!region) return false;
    this.changed(REGIONS[region.kind].shift(region, dx, dy), true);
    return true;
  }

  draw(context, pane) {
    const region = this.region;
    if (!region) return;
    const shape = REGIONS[region.kind];
    for (const line of this.open ? [region.points] : shape.outline(region)) {
      context.beginPath();
      line.forEach((position, k) => (k ? context.lineTo(...pane.toScreen(...position)) : context.moveTo(...pane.toScreen(...position))));
      strokeTwice(context, this.color, 1.5);
    }
    for (const position of Object.values(shape.handles(region))) {
      const [x, y] = pane.toScreen(...position);
      context.fillStyle = "#fff";
      context.strokeStyle = this.color;
      context.lineWidth = 1.5;
      context.fillRect(x - 3, y - 3, 6, 6);
      context.strokeRect(x - 3, y - 3, 6, 6);
    }
  }
}
