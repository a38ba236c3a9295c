// The viewer: puts the parts together, keeps what they share, and talks with the kernel.

// Panels at the side register themselves here: a class with static `title`, static `id`, static
// `isFor(info)` (whether it makes sense), an `element`, and, all optional: show(), hide(),
// changed(what) for "frame", "roi", "cursor", "mask", "beam", "look", "info", receive(content, arrays), close().
const PANELS = [];

const TOOLS = [
  ["pan", "Pan and zoom (Esc)"], ["line", "Line (K)"], ["rectangle", "Rectangle (B)"], ["circle", "Circle (O)"],
  ["polygon", "Polygon (G): click the corners, double-click the last"], ["sector", "Sector around the beam (S)"],
  ["point", "Single pixel (N)"], ["ruler", "Ruler: distance and angle (U)"],
];

class ViewerApp {
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.client = Math.random().toString(36).slice(2);
    this.tables = new Map();
    this.shown = null;
    this.histogram = null;
    this.isAlive = true;
    this.isSpaceDown = false;
    this.backgroundColor = rgba(238, 238, 238);
    this.readLook();
    this.build();
    this.links = new Links(this);
    this.listen();
    this.infoChanged();
    this.send({ type: "ready" });
  }

  // ---- state, shared with the kernel
  get info() { return this.model.get("_info"); }
  get frame() { return this.model.get("frame"); }
  get span() { return this.model.get("_span"); }
  get scale() { return this.look.scale; }
  get invert() { return this.look.invert; }
  get clim() { return this.look.clim; }
  get palette() { return this.palettes[this.look.cmap] ?? this.palettes.gray; }
  get roi() { return this.localRoi !== undefined ? this.localRoi : this.model.get("_roi"); }
  get beamCenter() { return this.localBeam ?? this.model.get("_beam"); }
  get background() { return this.backgroundColor; }

  set(name, value) { this.model.set(name, value); this.model.save_changes(); }

  readLook() {
    this.palettes ??= {};
    for (const [name, text] of Object.entries(this.model.get("_palettes"))) this.palettes[name] ??= decodePalette(text);
    const clim = this.model.get("clim");
    this.look = { clim: clim ?? this.look?.clim ?? [0, 1], scale: this.model.get("scale"), cmap: this.model.get("cmap"), invert: this.model.get("invert") };
    this.tables.clear();
  }

  // The colours of the codes of a tile.
  table({ coding, end }) {
    const key = JSON.stringify(coding);
    if (!(this.tables.get(key)?.end >= end)) {
      if (this.tables.size > 24) this.tables.clear();
      this.tables.set(key, colorTable(coding, this.look, this.palette, end));
    }
    return this.tables.get(key);
  }

  // ---- the parts
  build() {
    this.pane = new ImagePane(this);
    this.bar = new ColorBar(this);
    this.frames = new FrameBar(this);
    this.cursorTable = new CursorTable(this);
    this.cross = new CrossHair(this);
    this.rings = new Rings(this);
    this.beam = new BeamCenter(this);
    this.regionTool = new RegionTool(this, { get: () => this.roi, changed: (roi, isFinal) => this.setRoi(roi, isFinal) });
    this.planes = new PlaneCross(this);
    this.ruler = new RulerTool(this);
    this.spotMarks = new SpotMarks(this);
    this.pane.layers.push(new PixelValues(this), this.planes, this.rings, this.spotMarks, this.beam, this.regionTool, this.ruler, this.cross, new ScaleBar(this));
    this.message = h("div", { class: "bk-message", role: "status" });
    this.assumed = h("div", { class: "bk-assumed" });
    this.title = h("div", { class: "bk-title" });
    this.panels = new Map();
    this.tabs = h("div", { class: "bk-tabs", role: "tablist" });
    this.side = h("div", { class: "bk-side-body" });
    this.sideBox = h("div", { class: "bk-side" }, this.tabs, this.side);
    this.element = h("div", { class: "bk-viewer" },
      this.title, this.toolbar(),
      h("div", { class: "bk-body" },
        h("div", { class: "bk-main" },
          h("div", { class: "bk-image" }, this.pane.element, this.bar.canvas),
          this.message, this.assumed, this.frames.element, this.cursorTable.element),
        this.sideBox));
    for (const part of this.model.get("_without")) this.element.classList.add(`bk-no-${part}`);
    this.root.append(this.element);
  }

  toolbar() {
    const button = toolButton;
    this.toolButtons = new Map(TOOLS.map(([name, title]) => [name, button(name, title, () => this.setTool(name))]));
    this.scaleMenu = h("select", { title: "Scale of the colours (L)", "aria-label": "scale", onchange: () => this.setLook({ scale: this.scaleMenu.value }) }, ...Object.keys(SCALES).map((name) => h("option", { value: name }, name)));
    this.cmapMenu = h("select", { title: "Colour map", "aria-label": "colour map", onchange: () => this.setCmap(this.cmapMenu.value) });
    this.invertButton = button("invert", "Invert the colours (I)", () => this.setLook({ invert: !this.look.invert }));
    this.crossButton = button("cross", "Cross-hair (C)", () => this.toggleCross());
    this.sideButton = button("side", "Panels at the side", () => this.set("panel", this.model.get("panel") ? "" : this.lastPanel || this.available()[0]?.id || ""));
    return h("div", { class: "bk-toolbar" },
      h("span", { class: "bk-group" }, button("fit", "Fit (F)", () => this.pane.fit()), button("1:1", "One to one (1)", () => this.pane.actualSize()), button("plus", "Zoom in (+)", () => this.pane.zoomBy(1.5)), button("minus", "Zoom out (-)", () => this.pane.zoomBy(1 / 1.5))),
      h("span", { class: "bk-group" }, ...this.toolButtons.values()),
      h("span", { class: "bk-group" }, this.scaleMenu, this.cmapMenu, this.invertButton, button("auto", "Automatic contrast (A); again: more", () => this.auto()), this.crossButton),
      h("span", { class: "bk-space" }), this.sideButton);
  }

  available() { return PANELS.filter((panel) => !panel.isFor || panel.isFor(this.info)); }

  infoChanged() {
    const { info } = this, images = JSON.stringify([info.dims, info.rows, info.columns, info.title]);
    this.geometry = info.geometry;
    // How a detector stands is rarely in a header; what moves the numbers a lot is told at once.
    const assumed = info.assumed.filter((line) => !line.startsWith("detector_fast_axis"));
    this.assumed.textContent = assumed.length ? `Assumed: ${assumed.map((line) => line.replaceAll("_", " ")).join("; ")}` : "";
    if (images === this.images) { // only what is known of the detector is another
      this.cursorTable.refresh();
      this.beamChanged();
      this.notify("info");
      return;
    }
    this.images = images;
    this.title.textContent = this.model.get("_title") || info.title;
    const names = Object.keys(this.palettes);
    this.cmapMenu.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    this.element.style.setProperty("--bk-ratio", this.model.get("_ratio") ?? info.shape[0] * (info.aspect || 0.75 * info.shape[1] / info.shape[0]) / info.shape[1]);
    this.cursorTable.refresh();
    this.tabs.replaceChildren(...this.available().map((panel) => h("button", { class: "bk-tab", role: "tab", "data-panel": panel.id, onclick: () => this.set("panel", panel.id) }, panel.title)));
    this.pane.tiles = [];
    this.pane.fit(false);
    this.frames.frames = null;
    this.frames.thumbnails.clear();
    this.frames.askForThumbnails();
    this.beamChanged();
    this.refresh();
    this.panelChanged();
    this.notify("info");
  }

  refresh() {
    this.scaleMenu.value = this.look.scale;
    this.cmapMenu.value = this.look.cmap;
    this.invertButton.classList.toggle("bk-on", this.look.invert);
    this.crossButton.classList.toggle("bk-on", this.cross.isOn);
    this.frames.refresh();
    this.bar.draw();
  }

  panelChanged() {
    const id = this.model.get("panel");
    const chosen = this.available().find((panel) => panel.id === id);
    this.panel?.hide?.();
    this.panel = null;
    this.sideBox.hidden = !chosen;
    this.element.classList.toggle("bk-has-side", Boolean(chosen));
    for (const tab of this.tabs.children) tab.classList.toggle("bk-on", tab.dataset.panel === id);
    if (!chosen) { this.side.replaceChildren(); return; }
    this.lastPanel = id;
    if (!this.panels.has(id)) this.panels.set(id, new chosen(this));
    this.panel = this.panels.get(id);
    this.side.replaceChildren(this.panel.element);
    this.panel.show?.();
  }

  notify(what) { this.panel?.changed?.(what); }

  // ---- the kernel
  send(content) { if (this.isAlive) this.model.send({ client: this.client, ...content }); }

  // Ask a panel's question; only the newest answer comes back: receive(content, arrays).
  ask(panel, content = {}) { this.send({ type: "panel", panel, ...content }); }

  askForView() {
    const ratio = window.devicePixelRatio || 1;
    this.send({ type: "view", bounds: this.pane.bounds, width: Math.round(this.pane.width * ratio), height: Math.round(this.pane.height * ratio) });
  }

  async receive(content, buffers) {
    if (content.client && content.client !== this.client) return; // for another window
    if (content.type === "tile") {
      const start = performance.now();
      const tile = await Tile.receive(content.tile, buffers);
      if (!this.isAlive) return;
      if (tile.role === "thumbnail") return this.frames.thumbnail(tile);
      if (tile.clim && tile.version > (this.shown?.version ?? -1)) {
        this.look.clim = tile.clim;
        this.tables.clear();
      }
      if (this.pane.add(tile)) this.tileShown(tile, start);
    } else if (content.type === "value") {
      this.exact = content;
      this.cursorTable.show();
    } else if (content.type === "contrast") {
      this.histogram = content.histogram;
      this.automatic = content.automatic;
      this.bar.draw();
      this.notify("look");
    } else if (content.type === "rings") {
      const arrays = unpackArrays(content.arrays, buffers);
      this.rings.set(content, arrays);
      this.notify("rings");
    } else if (content.type === "spots") {
      this.spotMarks.set(content, unpackArrays(content.arrays, buffers));
      this.notify("spots");
    } else if (content.type === "panel") {
      const panel = this.panels.get(content.panel);
      if (content.error) panel?.failed ? panel.failed(content.error) : this.tell(content.error, true);
      else panel?.receive?.(content, unpackArrays(content.arrays, buffers));
    } else if (content.type === "message") {
      this.tell(content.text, content.isError);
    }
  }

  tileShown(tile, start) {
    const isNew = !this.shown || tile.version !== this.shown.version;
    if (!this.shown) requestAnimationFrame(() => this.send({ type: "seen" }));
    this.shown = tile;
    this.decodeTime = performance.now() - start;
    this.tell("");
    this.frames.tellShown();
    this.cursorTable.show();
    if (tile.clim) this.bar.draw();
    if (!isNew) return;
    this.notify("frame");
    this.frames.askForThumbnails();
    if (this.frames.isPlaying) this.frames.advance();
    this.element.dataset.frame = tile.frame;
    this.element.dataset.version = tile.version;
  }

  tell(text, isError = false) {
    this.message.textContent = text;
    this.message.classList.toggle("bk-error", isError);
  }

  listen() {
    const { model } = this;
    this.handlers = {
      "msg:custom": (content, buffers) => this.receive(content, buffers),
      "change:frame change:_span": () => { this.frames.refresh(); this.notify("position"); },
      "change:_info": () => this.infoChanged(),
      "change:_title": () => { this.title.textContent = this.model.get("_title") || this.info.title; },
      "change:_palettes change:clim change:scale change:cmap change:invert": () => this.lookChanged(),
      "change:_roi": () => { this.localRoi = undefined; this.pane.overlay.draw(); this.notify("roi"); },
      "change:_beam": () => { this.localBeam = null; this.beamChanged(); },
      "change:panel": () => this.panelChanged(),
      "change:zoom": () => this.zoomChanged(),
      "change:ruler": () => this.ruler.changed(),
      "change:_cross": () => this.planes.changed(),
      "change:_places change:axes": () => this.notify("position"),
    };
    for (const [names, handler] of Object.entries(this.handlers)) model.on(names, handler);
    this.releaseKeys = keepKeys(this.element);
    this.element.addEventListener("keydown", (event) => pressKey(this, event));
    this.element.addEventListener("keyup", (event) => { if (event.key === " ") this.isSpaceDown = false; });
    this.themeWatch = new MutationObserver(() => this.themeChanged());
    this.themeWatch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
    this.sizeWatch = new ResizeObserver(() => { this.themeChanged(); this.frames.askForThumbnails(); });
    this.sizeWatch.observe(this.element);
  }

  close() {
    this.isAlive = false;
    for (const [names, handler] of Object.entries(this.handlers)) this.model.off(names, handler);
    this.releaseKeys();
    this.themeWatch.disconnect();
    this.sizeWatch.disconnect();
    this.pane.close();
    this.frames.stop();
    for (const panel of this.panels.values()) panel.close?.();
    this.links.close();
  }

  themeChanged() {
    const color = getComputedStyle(this.pane.element).backgroundColor; // known once it is in the page
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    this.backgroundColor = rgba(...context.getImageData(0, 0, 1, 1).data.slice(0, 3));
    this.pane.draw();
    this.bar.draw();
    this.notify("look");
  }

  // ---- what the mouse and the keys change
  setFrame(frame) {
    if (frame === this.frame && !this.span) return;
    this.model.set("frame", frame);
    this.set("_span", null);
  }
  setSpan(span) { this.set("_span", span); }

  setLook(change, isFinal = true, isTold = true) {
    Object.assign(this.look, change);
    this.tables.clear();
    if (isTold) this.links.look(change);
    if (isTold) this.pane.now(); else this.pane.draw();
    this.frames.recolor();
    this.refresh();
    if (isFinal) {
      for (const name of ["clim", "scale", "cmap", "invert"]) this.model.set(name, this.look[name]);
      this.model.save_changes();
    }
    this.notify("look");
  }
  setClim(clim, isFinal) { this.setLook({ clim }, isFinal); }
  setCmap(name) { this.setLook({ cmap: name }); }
  lookChanged() {
    this.readLook();
    this.pane.draw();
    this.frames.recolor();
    this.refresh();
    this.notify("look");
  }
  // The next press after another one, with the same picture, cuts more.
  auto() {
    const steps = this.automatic;
    if (!steps?.length) return;
    const now = steps.findIndex(([low, high]) => low === this.clim[0] && high === this.clim[1]);
    this.setClim(steps[(now + 1) % steps.length], true);
  }

  setTool(name) {
    this.tool = name;
    if (this.regionTool.open) this.regionTool.cancel();
    this.regionTool.tool = name in REGIONS ? name : null;
    for (const [other, button] of this.toolButtons) button.classList.toggle("bk-on", other === name);
    this.pane.element.focus({ preventScroll: true });
  }

  setRoi(roi, isFinal) {
    this.localRoi = roi;
    this.pane.overlay.draw();
    this.sendRoi ??= oncePerPicture(() => { if (this.localRoi !== undefined) this.set("_roi", this.localRoi); });
    if (isFinal) { this.set("_roi", roi); this.localRoi = undefined; } else this.sendRoi();
    this.notify("roi");
  }

  moveBeam(position, isFinal = false) {
    this.localBeam = position;
    this.beamChanged();
    this.sendBeam ??= oncePerPicture(() => { if (this.localBeam) this.model.set("_beam", this.localBeam), this.model.save_changes(); });
    if (isFinal) this.set("_beam", position);
    else this.sendBeam();
  }
  beamChanged() {
    const g = this.info.geometry, beam = this.beamCenter;
    if (g && g.beam && beam) {
      const dx = (beam[0] - g.beam[0]) * g.stepX * g.sizeX, dy = (beam[1] - g.beam[1]) * g.stepY * g.sizeY;
      this.geometry = { ...g, origin: g.origin.map((o, k) => o - dx * g.fast[k] - dy * g.slow[k]) };
    }
    this.pane.overlay.draw();
    this.cursorTable.show();
    this.notify("beam");
  }
  get showsBeam() { return Boolean(this.rings.curves.length) || ["rings", "profile"].includes(this.model.get("panel")); }

  toggleCross() { this.cross.isOn = !this.cross.isOn; this.pane.overlay.draw(); this.refresh(); }

  // ---- the cursor
  cursorMoves(x, y) {
    const [rows, columns] = this.info.shape;
    const isInside = x >= 0 && y >= 0 && x < columns && y < rows;
    this.pointer = isInside ? [x, y] : null;
    this.showCursor();
    this.tellCursor ??= settled(() => { if (this.pointer) this.set("cursor", this.pointer); }, 120);
    if (isInside) this.tellCursor();
    this.links.cursor();
  }
  cursorLeaves() {
    this.pointer = null;
    this.showCursor();
    this.links.cursor();
  }
  // The mouse is over another viewer that is linked to this one.
  pointElsewhere(pointer) {
    this.otherPointer = pointer;
    this.showElsewhere ??= oncePerPicture(() => this.showCursor());
    this.showElsewhere();
  }
  showCursor() {
    this.cursorTable.show();
    if (this.cross.isOn || this.otherPointer !== undefined || this.spotMarks.isShown) this.pane.overlay.draw();
    this.notify("cursor");
  }
  // The value of the very pixel: from a tile that is not reduced, else from the kernel.
  valueAt(x, y) {
    const tile = this.pane.tileAt(x, y);
    if (!tile) return { text: "–", isExact: false };
    if (tile.stepX === 1 && tile.stepY === 1) {
      const code = tile.code(x, y);
      if (tile.values || (tile.coding.kind === "exact" && code >= FIRST_CODE && code < SATURATED)) return { text: tell(tile.value(x, y)) + this.flag(code), isExact: true };
    }
    const column = Math.floor(x), row = Math.floor(y);
    const { exact } = this;
    if (exact && exact.column === column && exact.row === row && exact.version === tile.version) return { text: exact.text, isExact: true };
    this.askValue ??= settled(() => this.send({ type: "value", column: this.asked[0], row: this.asked[1] }), 25);
    if (!this.asked || this.asked[0] !== column || this.asked[1] !== row || this.asked[2] !== tile.version) {
      this.asked = [column, row, tile.version];
      this.askValue();
    }
    return { text: exact ? exact.text : "…", isExact: false };
  }
  flag(code) { return code === GAP ? " gap" : code === MASKED ? " masked" : code === SATURATED ? " saturated" : ""; }

  // ---- what is visible
  viewChanged() {
    this.links.view();
    this.tellView();
  }
  tellView() {
    this.notify("view");
    this.tellZoom ??= settled(() => { this.sentZoom = this.pane.isFitted ? null : this.pane.bounds; this.set("zoom", this.sentZoom); }, 200);
    this.tellZoom();
  }
  // By a cell, or in another window: follow, and tell nobody.
  zoomChanged() {
    const zoom = this.model.get("zoom");
    if (String(zoom) === String(this.sentZoom)) return;
    this.sentZoom = zoom;
    if (zoom) this.pane.show(zoom, false); else this.pane.fit(false);
    this.links.view(false);
    this.notify("view");
  }

  open(id) { if (this.available().some((panel) => panel.id === id)) this.set("panel", this.model.get("panel") === id ? "" : id); }
}
