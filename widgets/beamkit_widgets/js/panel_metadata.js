// Metadata: what is known of the shown frame and of the data, and the raw header; searched, copied.

// Copy a text; where the browser has no clipboard (no https, no permission) the old way.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { value: text, style: "position:fixed;left:-999px;top:0" });
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }
}

PANELS.push(class MetadataPanel {
  static id = "metadata";
  static title = "Metadata";

  constructor(app) {
    this.app = app;
    this.frame = [];
    this.all = null;
    this.search = h("input", { type: "search", class: "bk-grows", placeholder: "search name, value, meaning, header", "aria-label": "search the metadata", oninput: () => this.draw() });
    this.copied = h("div", { class: "bk-hint bk-copied", role: "status" });
    this.remarks = h("ul", { class: "bk-remarks" });
    this.body = h("div", { class: "bk-metadata" });
    this.headerBody = h("div", { class: "bk-metadata" });
    this.headerTitle = h("summary", {}, "Raw header");
    this.header = h("details", { class: "bk-header" }, this.headerTitle, this.headerBody);
    this.element = h("div", { class: "bk-metadata-panel" },
      h("div", { class: "bk-row" }, this.search, toolButton("copy", "Copy the rows that are shown", () => this.copyAll())),
      this.copied, this.body, this.remarks, this.header);
  }

  show() { this.app.ask("metadata", { all: this.all === null }); }
  changed(what) {
    if (what === "frame") this.app.ask("metadata", { all: this.all === null });
    if (what === "info") { this.all = null; this.show(); }
  }
  receive({ frame, rows, remarks, header }) {
    this.frame = frame;
    if (rows) this.all = { rows, remarks, header };
    this.draw();
  }
  failed(text) { this.copied.textContent = text; }

  found(texts) {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean), text = texts.join(" ").replaceAll("_", " ").toLowerCase();
    return words.every((word) => text.includes(word.replaceAll("_", " ")));
  }

  draw() {
    if (!this.all) return;
    const { rows, remarks, header } = this.all;
    this.shown = [...this.frame, ...rows].filter((row) => this.found(row.slice(0, 4)));
    const frame = this.frame.filter((row) => this.found(row.slice(0, 4)));
    const groups = [["This frame", frame], ["Data", this.shown.slice(frame.length)]].filter(([, some]) => some.length);
    this.body.replaceChildren(...groups.flatMap(([title, some]) => [h("div", { class: "bk-group-title" }, title), ...some.map((row) => this.line(...row))]));
    if (!this.shown.length) this.body.replaceChildren(h("div", { class: "bk-hint" }, this.search.value ? "Nothing is called so." : "The data tell nothing about themselves."));
    this.remarks.replaceChildren(...remarks.filter((line) => this.found([line])).map((line) => h("li", { class: line.startsWith("note") ? "" : "bk-marked" }, line.replaceAll("_", " "))));
    const lines = header.filter((entry) => this.found(entry));
    this.header.hidden = !header.length;
    this.headerTitle.textContent = `Raw header: ${lines.length === header.length ? `${header.length} entries` : `${lines.length} of ${header.length} entries`}`;
    if (this.search.value && lines.length) this.header.open = true;
    this.headerBody.replaceChildren(...lines.map(([name, value]) => this.line(name, value, "", "", false)));
  }

  // A click on the value copies it, one on the name the whole line.
  line(name, value, unit, meaning, isAssumed) {
    const whole = `${name}\t${value}${unit ? ` ${unit}` : ""}`;
    return h("div", { class: "bk-line" },
      h("button", { class: "bk-key", title: `${meaning ? `${meaning}. ` : ""}Click: copy name and value`, onclick: () => this.copy(whole, name) }, name.replaceAll("_", " ")),
      h("button", { class: "bk-value", title: "Click: copy the value", onclick: () => this.copy(value, value) }, value || " ", unit ? h("span", { class: "bk-unit" }, ` ${unit}`) : null, isAssumed ? h("span", { class: "bk-marked" }, " assumed") : null),
      meaning ? h("div", { class: "bk-meaning" }, meaning) : null);
  }

  async copy(text, name) {
    const isCopied = await copyText(text), short = name.length > 32 ? `${name.slice(0, 31)}…` : name;
    this.copied.textContent = isCopied ? `Copied: ${short}` : "The browser does not allow copying.";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.copied.textContent = ""; }, 2500);
  }
  copyAll() {
    const lines = (this.shown ?? []).map(([name, value, unit, meaning]) => [name, value, unit, meaning].join("\t"));
    this.copy(lines.join("\n"), `${lines.length} rows`);
  }

  close() { clearTimeout(this.timer); }
});
