// The image: zoom and pan in the browser, on tiles that are already there.
class ImagePane {
  constructor(app) {
    this.app = app;
    this.tiles = [];
    this.view = { x0: 0, y0: 0, scaleX: 1, scaleY: 1 }; // image position of the corner; screen pixels a pixel
    this.isFitted = true;
    this.layers = []; // what is drawn over the image: draw(context, pane), each its own object
    this.pixels = h("canvas", { class: "bk-pixels" });
    this.context = this.pixels.getContext("2d", { alpha: false });
    this.overlay = new Sketch("bk-overlay", (context) => this.layers.forEach((layer) => layer.draw(context, this)));
    this.element = h("div", { class: "bk-pane", tabIndex: 0 }, this.pixels, this.overlay.canvas);
    this.draw = oncePerPicture(() => this.now());
    this.ask = settled(() => app.askForView(), 120);
    this.element.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.element.addEventListener("pointerdown", (event) => this.onDown(event));
    this.element.addEventListener("pointermove", (event) => this.onMove(event));
    this.element.addEventListener("pointerleave", () => app.cursorLeaves());
    this.element.addEventListener("dblclick", (event) => this.onDouble(event));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.element);
  }

  get width() { return this.element.clientWidth; }
  get height() { return this.element.clientHeight; }
  get shape() { return this.app.info.shape; } // [rows, columns]

  // ---- from position to screen and back
  toScreen(x, y) { return [(x - this.view.x0) * this.view.scaleX, (y - this.view.y0) * this.view.scaleY]; }
  toImage(x, y) { return [this.view.x0 + x / this.view.scaleX, this.view.y0 + y / this.view.scaleY]; }
  at(event) {
    const box = this.pixels.getBoundingClientRect(); // inside the border
    return this.toImage(event.clientX - box.left, event.clientY - box.top);
  }
  get bounds() { // what is visible: x0, y0, x1, y1
    const { x0, y0, scaleX, scaleY } = this.view;
    return [x0, y0, x0 + this.width / scaleX, y0 + this.height / scaleY];
  }

  // ---- zoom and pan
  resize() {
    if (!this.width || !this.height) return;
    if (!this.hasSize) { // now that it is in the page
      this.hasSize = true;
      this.fit(false);
      if (this.app.model.get("zoom")) this.app.zoomChanged();
    } else if (this.isFitted) this.fit(false);
    else this.changed(false);
  }

  fit(tellOthers = true) {
    const [rows, columns] = this.shape, aspect = this.app.info.aspect;
    if (!this.width || !rows) return;
    let scaleX = this.width / columns, scaleY = this.height / rows;
    if (aspect) { // height of a pixel over its width
      scaleX = Math.min(scaleX, scaleY / aspect);
      scaleY = scaleX * aspect;
    }
    this.view = {
      scaleX, scaleY,
      x0: (columns - this.width / scaleX) / 2,
      y0: (rows - this.height / scaleY) / 2,
    };
    this.isFitted = true;
    this.changed(tellOthers);
  }

  actualSize() {
    const [x, y] = this.toImage(this.width / 2, this.height / 2);
    this.zoomTo(1 / (window.devicePixelRatio || 1), x, y, this.width / 2, this.height / 2);
  }

  zoomTo(scaleX, x, y, screenX, screenY) {
    const ratio = this.view.scaleY / this.view.scaleX;
    const smallest = Math.min(this.width / this.shape[1], this.height / this.shape[0]) / 4;
    scaleX = Math.min(Math.max(scaleX, smallest), 120);
    this.view = { scaleX, scaleY: scaleX * ratio, x0: x - screenX / scaleX, y0: y - screenY / (scaleX * ratio) };
    this.isFitted = false;
    this.changed();
  }

  zoomBy(factor, screenX = this.width / 2, screenY = this.height / 2) {
    this.zoomTo(this.view.scaleX * factor, ...this.toImage(screenX, screenY), screenX, screenY);
  }

  show([x0, y0, x1, y1], tellOthers = true) {
    const aspect = this.app.info.aspect || (this.view.scaleY / this.view.scaleX);
    const scaleX = Math.min(this.width / (x1 - x0), this.height / (y1 - y0) / aspect);
    const scaleY = scaleX * aspect;
    this.view = {
      scaleX, scaleY,
      x0: (x0 + x1) / 2 - this.width / scaleX / 2,
      y0: (y0 + y1) / 2 - this.height / scaleY / 2,
    };
    this.isFitted = false;
    this.changed(tellOthers);
  }

  changed(tellOthers = true) {
    this.draw();
    this.ask();
    if (tellOthers) this.app.viewChanged();
  }

  onWheel(event) {
    event.preventDefault();
    const box = this.pixels.getBoundingClientRect(); // inside the border
    const factor = Math.exp(-Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 120) / 400);
    this.zoomBy(factor, event.clientX - box.left, event.clientY - box.top);
  }

  onDown(event) {
    if (event.button !== 0 && event.button !== 1) return;
    this.element.focus({ preventScroll: true });
    const position = this.at(event);
    if (event.button === 0 && !this.app.isSpaceDown) {
      for (const layer of [...this.layers].reverse()) if (layer.grab?.(event, position, this)) return;
    }
    let [x, y] = [event.clientX, event.clientY];
    this.element.classList.add("bk-moving");
    drag(this.element, event, (move) => {
      this.view.x0 -= (move.clientX - x) / this.view.scaleX;
      this.view.y0 -= (move.clientY - y) / this.view.scaleY;
      [x, y] = [move.clientX, move.clientY];
      this.isFitted = false;
      this.changed();
    }, () => this.element.classList.remove("bk-moving"));
  }

  onMove(event) {
    const position = this.at(event);
    this.app.cursorMoves(...position);
    const layer = [...this.layers].reverse().find((item) => item.cursor?.(position, this));
    this.element.style.cursor = layer ? layer.cursor(position, this) : "";
  }

  onDouble(event) {
    const position = this.at(event);
    for (const layer of [...this.layers].reverse()) if (layer.double?.(event, position, this)) return;
    this.fit();
  }

  // ---- tiles
  // Tiles of one version only: never a piece of another frame beside this one.
  add(tile) {
    const shown = this.tiles[0]?.version ?? -1;
    if (tile.version < shown) return false;
    if (tile.version > shown) this.tiles = [];
    this.tiles = this.tiles.filter((other) => other.role !== tile.role);
    this.tiles.push(tile);
    this.tiles.sort((a, b) => b.stepX - a.stepX); // the finest is painted last
    this.now();
    return true;
  }

  // The finest tile at a position, or null.
  tileAt(x, y) {
    return [...this.tiles].reverse().find((tile) => tile.code(x, y) !== null) ?? null;
  }

  now() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.width * ratio), height = Math.round(this.height * ratio);
    if (!width || !height) return;
    if (this.pixels.width !== width || this.pixels.height !== height) {
      this.pixels.width = width;
      this.pixels.height = height;
      this.data = null;
    }
    this.data ??= this.context.createImageData(width, height);
    const pixels = new Uint32Array(this.data.data.buffer);
    pixels.fill(this.app.background);
    const { x0, y0, scaleX, scaleY } = this.view;
    const view = { x0, y0, scaleX: scaleX * ratio, scaleY: scaleY * ratio };
    for (const tile of this.tiles) paintTile(tile, this.app.table(tile), pixels, width, height, view);
    this.context.putImageData(this.data, 0, 0);
    this.overlay.now();
  }

  close() { this.observer.disconnect(); }
}
