// Spots that were found in the image, or that a table has, as rings around them.
class SpotMarks {
  constructor(app) { Object.assign(this, { app, x: [], y: [], radius: [], text: [], version: -1, chosen: null }); }

  // Only those of the picture that is drawn: never those of another frame.
  get isShown() { return this.x.length > 0 && this.version === this.app.shown?.version; }

  set({ version, text }, { x = [], y = [], radius = [] }) {
    Object.assign(this, { version, text, x, y, radius, chosen: null });
    this.app.pane.overlay.draw();
  }

  // Many small rings are less in the way than many large ones.
  size(k, pane) { return Math.max(this.x.length > 300 ? 3.5 : 6, (this.radius[k] + 1.5) * pane.view.scaleX); }

  draw(context, pane) {
    if (!this.isShown) return;
    context.beginPath();
    let near = this.chosen, nearest = 14;
    const cursor = this.app.pointer && pane.toScreen(...this.app.pointer);
    for (let k = 0; k < this.x.length; k++) {
      const [a, b] = pane.toScreen(this.x[k], this.y[k]), size = this.size(k, pane);
      if (a < -size || b < -size || a > pane.width + size || b > pane.height + size) continue;
      context.moveTo(a + size, b);
      context.arc(a, b, size, 0, 2 * Math.PI);
      const away = cursor ? Math.hypot(a - cursor[0], b - cursor[1]) : Infinity;
      if (away < Math.max(nearest, size)) [near, nearest] = [k, away];
    }
    strokeTwice(context, "#00b8d4", 1.2);
    if (near !== null) this.tell(context, pane, near);
  }

  tell(context, pane, k) {
    const [a, b] = pane.toScreen(this.x[k], this.y[k]), size = this.size(k, pane);
    context.beginPath();
    context.arc(a, b, size, 0, 2 * Math.PI);
    strokeTwice(context, "#ffea00", 2);
    if (this.text[k]) label(context, this.text[k], Math.min(Math.max(a, 80), pane.width - 80), b - size - 10 < 8 ? b + size + 10 : b - size - 10, { align: "center", color: "#ffea00" });
  }
}
