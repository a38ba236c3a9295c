// Viewers that follow each other: those with the same `_group`, in what both share (`_shares`).

// Group -> viewers on this page.
const LINKED = (window.__beamkitLinked ??= new Map());

class Links {
  constructor(app) {
    this.app = app;
    this.group = app.model.get("_group");
    if (!this.group) return;
    if (!LINKED.has(this.group)) LINKED.set(this.group, new Set());
    LINKED.get(this.group).add(app);
  }

  shares(what) { return this.app.model.get("_shares").includes(what); }

  // f(other) for all others that share this, too. What they do then must tell nobody.
  each(what, f) {
    if (!this.group || !this.shares(what)) return;
    for (const other of LINKED.get(this.group)) if (other !== this.app && other.isAlive && other.links.shares(what)) f(other);
  }

  // `isTold`: the others tell the kernel their zoom; not if it came from there.
  view(isTold = true) {
    this.each("zoom", (other) => {
      followView(other.pane, this.app.pane);
      if (isTold) other.tellView();
    });
  }

  cursor() { this.each("cursor", (other) => other.pointElsewhere(this.app.pointer)); }
  look(change) { this.each("look", (other) => other.setLook(change, false, false)); }

  close() {
    if (!this.group) return;
    if (this.app.pointer) { this.app.pointer = null; this.cursor(); }
    LINKED.get(this.group).delete(this.app);
    if (!LINKED.get(this.group).size) LINKED.delete(this.group);
  }
}

// The same middle at the same scale: nothing adds up, whatever the sizes of the two.
function followView(pane, other) {
  if (!pane.width || !other.width) return;
  if (other.isFitted) { pane.fit(false); return; }
  const [x, y] = other.toImage(other.width / 2, other.height / 2), { scaleX, scaleY } = other.view;
  pane.view = { scaleX, scaleY, x0: x - pane.width / 2 / scaleX, y0: y - pane.height / 2 / scaleY };
  pane.isFitted = false;
  pane.changed(false);
}

const PLANE_COLORS = ["#64b5f6", "#81c784", "#ffb74d"];

// Where three planes of a volume cross: lines that can be dragged, or set with a click.
class PlaneCross {
  constructor(app) {
    this.app = app;
    this.local = null; // ahead of the kernel, while it is dragged here or in another plane
    this.isHeld = false;
    this.send = oncePerPicture(() => { if (this.local) this.app.set("_cross", this.local); });
  }

  get place() { return this.local ?? this.app.model.get("_cross"); }
  get isOn() { return Object.keys(this.app.model.get("_cross")).length > 0; }

  // The kernel has moved it.
  changed() {
    if (!this.isHeld) this.local = null;
    this.app.pane.overlay.draw();
  }
  follow(place, isHeld) {
    Object.assign(this, { local: place, isHeld });
    this.app.pane.overlay.draw();
  }

  cursor() { return this.isOn && this.isFree ? "crosshair" : null; }
  get isFree() { return (this.app.tool ?? "pan") === "pan"; }

  grab(event, position, pane) {
    if (!this.isOn || !this.isFree || event.button !== 0) return false;
    this.move(position, true);
    drag(pane.element, event, (move) => this.move(pane.at(move), true), () => this.move(null, false));
    return true;
  }

  move(position, isHeld) {
    const { rows, columns, shape } = this.app.info;
    const within = (number, size) => Math.min(Math.max(Math.floor(number), 0), size - 1);
    if (position) this.local = { ...this.place, [columns.dim]: within(position[0], shape[1]), [rows.dim]: within(position[1], shape[0]) };
    this.isHeld = isHeld;
    const place = this.local;
    this.app.links.each("cross", (other) => other.planes.follow(place, isHeld));
    if (isHeld) this.send(); else this.app.set("_cross", place);
    this.app.pane.overlay.draw();
  }

  color(dim) { return PLANE_COLORS[this.app.info.dims.findIndex(([name]) => name === dim) % PLANE_COLORS.length]; }

  draw(context, pane) {
    if (!this.isOn) return;
    const { rows, columns } = this.app.info, { place } = this;
    const [x, y] = pane.toScreen(place[columns.dim] + 0.5, place[rows.dim] + 0.5);
    const line = (color, ...points) => {
      context.beginPath();
      points.forEach(([a, b], k) => (k % 2 ? context.lineTo(a, b) : context.moveTo(a, b)));
      strokeTwice(context, color, 1);
    };
    const gap = 7; // what is looked at stays free
    line(this.color(columns.dim), [x, 0], [x, y - gap], [x, y + gap], [x, pane.height]);
    line(this.color(rows.dim), [0, y], [x - gap, y], [x + gap, y], [pane.width, y]);
  }
}
