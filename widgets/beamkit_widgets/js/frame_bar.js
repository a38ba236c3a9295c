// Which image: slider, number, play, range, and a strip of thumbnails.
class FrameBar {
  constructor(app) {
    this.app = app;
    this.slider = h("input", { type: "range", min: 0, step: 1, class: "bk-slider", "aria-label": "frame", oninput: () => this.choose(Number(this.slider.value)) });
    this.number = typed({ type: "number", min: 0, step: 1, class: "bk-number", "aria-label": "frame number", onchange: () => { this.choose(Number(this.number.value)); this.refresh(); } });
    this.total = h("span", { class: "bk-total" });
    this.place = h("span", { class: "bk-place" });
    this.play = toolButton("play", "Play (P)", () => this.toggle());
    this.how = h("select", { title: "One frame, or several as one", class: "bk-how", onchange: () => this.range() },
      ...[["single", "single frame"], ["sum", "sum of"], ["max", "maximum of"], ["mean", "mean of"]].map(([value, text]) => h("option", { value }, text)));
    this.first = typed({ type: "number", min: 0, class: "bk-number", title: "first frame", onchange: () => this.range() });
    this.last = typed({ type: "number", min: 0, class: "bk-number", title: "last frame", onchange: () => this.range() });
    this.ends = h("span", { class: "bk-ends" }, this.first, " to ", this.last);
    this.strip = h("div", { class: "bk-strip" });
    this.element = h("div", { class: "bk-frames" },
      h("div", { class: "bk-row" },
        toolButton("previous", "Previous (,)", () => this.step(-1)),
        this.play,
        toolButton("next", "Next (.)", () => this.step(1)),
        this.slider, this.number, this.total),
      h("div", { class: "bk-row" }, this.place, h("span", { class: "bk-space" }), this.how, this.ends),
      this.strip);
    this.thumbnails = new Map();
  }

  get size() { return this.app.info.frames; }

  refresh() {
    const { app } = this, span = app.span;
    this.element.hidden = this.size < 2;
    this.slider.max = this.number.max = this.first.max = this.last.max = this.size - 1;
    this.slider.disabled = this.number.disabled = this.play.disabled = Boolean(span);
    fill(this.number, app.frame);
    if (!this.isHeld) this.slider.value = app.frame;
    this.total.textContent = `of ${this.size - 1}`;
    this.how.value = span?.how ?? "single";
    this.ends.hidden = !span;
    if (span) { fill(this.first, span.first); fill(this.last, span.last); }
    this.tellShown();
    this.strip.querySelectorAll(".bk-thumbnail").forEach((cell) => cell.classList.toggle("bk-current", !span && Number(cell.dataset.frame) === this.nearest(app.frame)));
  }

  // The words are those of the picture that is drawn, not of the one that was asked for.
  tellShown() {
    const shown = this.app.shown, isLate = shown && shown.frame !== (this.app.span ? -1 : this.app.frame);
    this.place.textContent = shown ? `${this.app.info.main}${shown.frame >= 0 ? ` ${shown.frame}` : ""}${shown.label ? `: ${shown.label}` : ""}` : "";
    this.element.classList.toggle("bk-late", Boolean(isLate));
  }

  choose(frame) {
    if (Number.isFinite(frame)) this.app.setFrame(Math.min(Math.max(Math.round(frame), 0), this.size - 1));
  }
  step(by) { this.choose(this.app.frame + by); }

  range() {
    const how = this.how.value;
    if (how === "single") return this.app.setSpan(null);
    const old = this.app.span;
    const read = (input, otherwise) => (input.value === "" || !old ? otherwise : Math.min(Math.max(Math.round(Number(input.value)), 0), this.size - 1));
    const first = read(this.first, 0), last = read(this.last, this.size - 1);
    this.app.setSpan({ how, first: Math.min(first, last), last: Math.max(first, last) });
    this.refresh();
  }

  toggle() { if (this.isPlaying) this.stop(); else { this.isPlaying = true; this.play.replaceChildren(icon("pause")); this.advance(); } }
  stop() { this.isPlaying = false; this.play.replaceChildren(icon("play")); clearTimeout(this.timer); }
  // The next frame only once this one is on the screen.
  advance() {
    clearTimeout(this.timer);
    if (!this.isPlaying || !this.element.isConnected) return this.stop();
    this.timer = setTimeout(() => this.choose((this.app.frame + 1) % this.size), 60);
  }

  nearest(frame) {
    let best = null;
    for (const k of this.frames ?? []) if (best === null || Math.abs(k - frame) < Math.abs(best - frame)) best = k;
    return best;
  }

  // Once there is a picture, which comes first.
  askForThumbnails() {
    if (!this.app.shown) return;
    const room = Math.max(3, Math.floor(this.app.element.clientWidth * 0.62 / 66));
    const number = Math.min(this.size, room, 16);
    const frames = Array.from({ length: number }, (_, k) => Math.round(k * (this.size - 1) / Math.max(number - 1, 1)));
    if (this.size < 2 || String(frames) === String(this.frames)) return;
    this.frames = frames;
    this.strip.replaceChildren(...frames.map((frame) => {
      const canvas = h("canvas", { class: "bk-thumbnail", title: `${this.app.info.main} ${frame}`, onclick: () => this.choose(frame) });
      canvas.dataset.frame = frame;
      return canvas;
    }));
    this.app.send({ type: "thumbnails", frames });
  }

  thumbnail(tile) {
    this.thumbnails.set(tile.frame, tile);
    this.drawThumbnail(tile.frame);
  }

  drawThumbnail(frame) {
    const tile = this.thumbnails.get(frame), canvas = this.strip.querySelector(`[data-frame="${frame}"]`);
    if (!tile || !canvas) return;
    canvas.width = tile.columns;
    canvas.height = tile.rows;
    const context = canvas.getContext("2d"), data = context.createImageData(tile.columns, tile.rows);
    const pixels = new Uint32Array(data.data.buffer), table = this.app.table(tile);
    for (let k = 0; k < pixels.length; k++) pixels[k] = table[tile.codes[k]];
    context.putImageData(data, 0, 0);
  }

  recolor() { for (const frame of this.thumbnails.keys()) this.drawThumbnail(frame); }
}
