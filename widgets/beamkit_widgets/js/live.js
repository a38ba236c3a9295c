// Words and units of the statistics.
const LIVE_NAMES = {
  spots: "spots", spots_outside_ice: "spots outside ice", score: "score", resolution: "resolution [Å]",
  intensity: "intensity of spots [counts]", total: "total [counts]", background: "background [counts/pixel]",
  max: "maximum [counts]", overloads: "overloads", ice_score: "ice score", ice_ring: "ice ring [Å]", masked: "masked part",
};
const LIVE_STATES = { waiting: "waiting for the first frame", running: "running", finished: "finished", stopped: "stopped" };

// A plot with room for the first and the last point, and for numbers of seven digits.
class LivePlot extends Plot {
  get margin() { return { ...super.margin, left: 70 }; }
  whole() {
    const [low, high] = super.whole(), room = (high - low) * 0.01;
    return [low - room, high + room];
  }
}

// The numbers of a measurement that runs; the picture is a viewer of its own below.
class LiveApp {
  constructor(model, root) {
    this.model = model;
    this.names = model.get("_names");
    this.rows = []; // one Float64Array a frame
    this.build();
    root.append(this.element);
    this.freeKeys = keepKeys(this.element);
    this.hear = (content, buffers) => this.receive(content, buffers);
    model.on("msg:custom", this.hear);
    this.follow = () => this.refresh();
    model.on("change:_told change:statistic change:frame change:is_paused", this.follow);
    this.drawSoon = oncePerPicture(() => this.draw());
    this.refresh();
    model.send({ type: "ready" });
  }

  build() {
    this.state = h("span", { class: "bk-live-state" });
    this.counts = h("span", { class: "bk-live-counts", role: "status" });
    this.menu = h("select", { title: "What is plotted", "aria-label": "what is plotted", onchange: () => this.set("statistic", this.menu.value) },
      ...this.names.map((name) => h("option", { value: name }, LIVE_NAMES[name] ?? name)));
    this.newest = h("button", { class: "bk-tool", type: "button", title: "Show the newest frame, always", onclick: () => this.set("frame", null) }, "Newest");
    this.pause = h("button", { class: "bk-tool", type: "button", title: "Let the picture stand still; the numbers go on", onclick: () => this.set("is_paused", !this.model.get("is_paused")) }, "Pause");
    this.stop = h("button", { class: "bk-tool", type: "button", title: "End watching; what has come stays", onclick: () => this.model.send({ type: "stop" }) }, "Stop");
    this.note = h("div", { class: "bk-message" });
    this.plot = new LivePlot({ height: 170, click: (x) => this.choose(x) });
    this.element = h("div", { class: "bk-viewer bk-live" },
      h("div", { class: "bk-toolbar" }, this.state, this.counts, h("span", { class: "bk-space" }),
        this.menu, h("span", { class: "bk-group" }, this.newest, this.pause, this.stop)),
      this.plot.element, this.note);
  }

  set(name, value) { this.model.set(name, value); this.model.save_changes(); }

  choose(x) {
    if (!this.rows.length) return;
    this.set("frame", Math.min(Math.max(Math.round(x), 0), this.rows.length - 1));
  }

  receive(content, buffers) {
    if (content.type !== "rows") return;
    const view = buffers[0], width = this.names.length;
    const numbers = new Float64Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    if (content.start > this.rows.length) { this.model.send({ type: "ready" }); return; } // some were lost on the way
    this.rows.length = content.start;
    for (let k = 0; k < content.number; k++) this.rows.push(numbers.subarray(k * width, (k + 1) * width));
    this.drawSoon();
  }

  refresh() {
    const told = this.model.get("_told"), state = told.state ?? "waiting", frame = this.model.get("frame"), isPaused = this.model.get("is_paused");
    const isOver = state === "finished" || state === "stopped";
    this.state.textContent = LIVE_STATES[state];
    this.state.dataset.state = state;
    const behind = told.seen - told.analysed;
    const parts = [`${told.seen ?? 0} seen`, `${told.analysed ?? 0} analysed${behind > 0 ? ` (${behind} to go)` : ""}`];
    if (told.skipped) parts.push(`picture skipped ${told.skipped}`);
    if (told.lost) parts.push(`${told.lost} with problems`);
    this.counts.textContent = parts.join(" · ");
    this.counts.title = (told.problems ?? []).join("\n");
    this.menu.value = this.model.get("statistic");
    this.newest.classList.toggle("bk-on", frame === null);
    this.pause.classList.toggle("bk-on", isPaused);
    this.pause.disabled = this.stop.disabled = isOver;
    const problems = told.problems ?? [];
    this.note.textContent = told.error || problems[problems.length - 1] || told.note || "";
    this.note.classList.toggle("bk-error", Boolean(told.error || problems.length));
    this.drawSoon?.();
  }

  draw() {
    const name = this.model.get("statistic"), column = this.names.indexOf(name), { shown } = this.model.get("_told");
    const curve = { x: this.rows.map((_, k) => k), y: this.rows.map((row) => row[column]), points: true };
    const marks = shown === null || shown === undefined ? [] : [{ x: shown, label: `frame ${shown}` }];
    this.plot.set([curve], { labels: ["frame", LIVE_NAMES[name] ?? name], marks });
  }

  close() {
    this.model.off("msg:custom", this.hear);
    this.model.off("change:_told change:statistic change:frame change:is_paused", this.follow);
    this.freeKeys();
    this.plot.close();
  }
}

export default {
  render({ model, el }) {
    const app = new LiveApp(model, el);
    el.__beamkit = app; // for tests of what is on the screen
    return () => app.close();
  },
};
