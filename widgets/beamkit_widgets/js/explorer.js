const OWN_ORDERS = { name: "name", modified: "time", size: "size", type: "type" };
const COMMON_ORDERS = ["start_time", "exposure_time", "omega", "start_angle", "wavelength", "energy", "detector_distance", "frames", "kind"];

class ExplorerApp {
  constructor(model, root) {
    this.model = model;
    this.client = Math.random().toString(36).slice(2);
    this.isAlive = true;
    this.build();
    root.append(this.element);
    this.hear = (content, buffers) => this.receive(content, buffers);
    model.on("msg:custom", this.hear);
    const follow = (names, f) => { const all = names.map((name) => `change:${name}`).join(" "); model.on(all, f); this.follows.push([all, f]); };
    this.follows = [];
    follow(["selection", "current"], () => this.showSelection());
    follow(["_palette", "cmap"], () => this.showColors());
    follow(["size"], () => this.showSize());
    follow(["filter", "sort", "descending"], () => this.showOrder());
    this.showColors();
    this.showSize();
    this.showOrder();
    this.showSelection();
    this.send({ type: "ready" });
  }

  close() {
    this.isAlive = false;
    this.model.off("msg:custom", this.hear);
    for (const [names, f] of this.follows) this.model.off(names, f);
    this.grid.close();
  }

  send(content) { if (this.isAlive) this.model.send({ client: this.client, ...content }); }

  set(values) {
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    this.model.save_changes();
  }

  // ---- what is on the screen

  build() {
    const tool = (text, title, onclick) => h("button", { class: "bk-x-tool", title, type: "button", onclick, textContent: text });
    this.grid = new ExplorerGrid({
      select: (selection, current) => { this.set({ selection, current }); this.tree.mark(""); this.showStatus(); },
      open: (path) => this.open(path),
      want: (entries, size) => this.send({ type: "wanted", version: this.grid.listing.version, entries, size }),
      up: () => this.up(),
    });
    this.tree = new ExplorerTree({
      branch: (path) => this.send({ type: "branch", path }),
      go: (path) => this.go(path),
      choose: (path) => { this.grid.setSelection([path], path); this.set({ selection: [path], current: path }); this.showStatus(); },
      open: (path) => { this.set({ selection: [path], current: path }); this.send({ type: "view" }); },
    });
    this.crumbs = h("nav", { class: "bk-x-crumbs", "aria-label": "folder" });
    this.upButton = tool("↑", "Go up (Backspace)", () => this.up());
    this.treeButton = tool("Tree", "Show or hide folders and what is inside HDF5 files", () => this.toggle("tree"));
    this.headerButton = tool("Header", "Show or hide the header of the current file", () => this.toggle("header"));
    this.filter = h("input", {
      type: "search", class: "bk-x-filter", placeholder: "Filter: name, or exposure_time > 0.1", spellcheck: false,
      title: "Words of the name (* and ?), comparisons such as exposure_time > 0.1 or size > 2MB, joined by and, or, not",
    });
    const sendFilter = settled(() => { this.say(""); this.set({ filter: this.filter.value }); }, 250);
    this.filter.addEventListener("input", sendFilter);
    this.sort = h("select", { class: "bk-x-sort", title: "Sort by", onchange: () => this.set({ sort: this.sort.value }) });
    this.direction = tool("↓", "Smallest or first on top; click to turn round", () => this.set({ descending: !this.model.get("descending") }));
    this.slider = h("input", { type: "range", min: "64", max: "256", step: "16", title: "Size of the pictures", "aria-label": "size of the pictures" });
    this.slider.addEventListener("input", () => { this.grid.setSize(Number(this.slider.value)); });
    this.slider.addEventListener("change", () => this.set({ size: Number(this.slider.value) }));
    this.status = h("span", { class: "bk-x-status" });
    this.note = h("span", { class: "bk-x-message", role: "status" });
    this.buttons = {
      view: h("button", { type: "button", textContent: "View", title: "Show the selected below; several as one dataset (Enter)", onclick: () => this.send({ type: "view" }) }),
      compare: h("button", { type: "button", textContent: "Compare", title: "Show two selected side by side", onclick: () => this.send({ type: "compare" }) }),
      dataset: h("button", { type: "button", textContent: "One dataset", title: "Open the selected as one dataset: explorer.dataset in the next cell", onclick: () => this.send({ type: "dataset" }) }),
    };
    this.details = new ExplorerDetails();
    this.element = h("div", { class: "bk-explorer", "data-lm-suppress-shortcuts": "true" },
      h("div", { class: "bk-x-bar" }, this.treeButton, this.upButton,
        tool("⟳", "List the folder again", () => { this.send({ type: "refresh" }); this.tree.refresh(); }), this.crumbs, this.headerButton),
      h("div", { class: "bk-x-bar" }, this.filter,
        h("span", { class: "bk-x-pair" }, h("span", { class: "bk-x-label", textContent: "Sort" }), this.sort, this.direction),
        h("span", { class: "bk-x-pair" }, h("span", { class: "bk-x-label", textContent: "Size" }), this.slider)),
      h("div", { class: "bk-x-body" }, this.tree.element, this.grid.element, this.details.element),
      h("div", { class: "bk-x-foot" }, h("span", { class: "bk-x-told" }, this.status, this.note),
        h("span", { class: "bk-x-pair" }, this.buttons.view, this.buttons.compare, this.buttons.dataset)));
    // On a narrow page the header waits until it is asked for.
    this.hidden = { tree: false, header: false };
    this.toggle(null);
  }

  toggle(part) {
    if (part) this.hidden[part] = !this.hidden[part];
    this.tree.element.hidden = this.hidden.tree;
    this.details.element.hidden = this.hidden.header;
    this.treeButton.setAttribute("aria-pressed", String(!this.hidden.tree));
    this.headerButton.setAttribute("aria-pressed", String(!this.hidden.header));
    this.element.classList.toggle("bk-x-no-tree", this.hidden.tree);
    this.element.classList.toggle("bk-x-no-header", this.hidden.header);
  }

  showColors() {
    const gray = this.model.get("cmap") === "gray";
    this.grid.setColors(this.model.get("_palette"), gray);
    this.details.setColors(this.grid.colors, gray);
  }

  showSize() {
    this.slider.value = String(this.model.get("size"));
    this.grid.setSize(this.model.get("size"));
  }

  showOrder() {
    if (document.activeElement !== this.filter) this.filter.value = this.model.get("filter");
    this.showSorts();
    const isDown = this.model.get("descending");
    this.direction.textContent = isDown ? "↑" : "↓";
    this.direction.title = isDown ? "Largest or last first; click to turn round" : "Smallest or first on top; click to turn round";
  }

  showSorts() {
    const chosen = this.model.get("sort"), known = new Set(this.names || COMMON_ORDERS);
    const attributes = [...new Set([...COMMON_ORDERS.filter((name) => known.has(name)), ...known])].filter((name) => !(name in OWN_ORDERS));
    const option = (value, text) => h("option", { value, textContent: text });
    const key = attributes.join();
    if (key !== this.sortKey) {
      this.sortKey = key;
      this.sort.replaceChildren(...Object.entries(OWN_ORDERS).map(([value, text]) => option(value, text)),
        h("optgroup", { label: "of the header" }, ...attributes.map((name) => option(name, name))));
    }
    this.sort.value = chosen;
  }

  showSelection() {
    this.grid.setSelection(this.model.get("selection"), this.model.get("current"));
    this.showStatus();
  }

  showStatus() {
    const { listing, order } = this.grid, total = listing.names.length, chosen = this.model.get("selection");
    const parts = [order.length === total ? `${total} entries` : `${order.length} of ${total} shown`];
    if (chosen.length) parts.push(`${chosen.length} selected`);
    if (this.waiting) parts.push(`reading headers, ${this.waiting} to go`);
    this.status.textContent = parts.join(", ");
    this.buttons.view.disabled = this.buttons.dataset.disabled = chosen.length === 0;
    this.buttons.compare.disabled = chosen.length !== 2;
  }

  say(text, isError = false) {
    this.note.textContent = text;
    this.note.title = text;
    this.note.classList.toggle("bk-x-error", isError);
  }

  // ---- where one goes

  go(path) { this.send({ type: "go", path }); }

  up() {
    const { crumbs } = this.grid.listing;
    if (crumbs && crumbs.length > 1) this.go(crumbs[crumbs.length - 2][1]);
  }

  open(path) {
    const { listing, order, places } = this.grid;
    const entry = order[places.get(path)], kind = listing.kinds[entry];
    if (kind === "folder" || kind === "series") return this.go(path);
    const made = this.grid.made(entry);
    if (kind === "file" && made && made.frames > 1 && made.kind !== "scan" && made.kind !== "pattern") return this.go(path);
    return this.send({ type: "view" });
  }

  // ---- from the kernel

  receive(content, buffers) {
    const take = {
      listing: () => this.takeListing(content),
      order: () => this.takeOrder(content),
      thumbnails: () => this.grid.receive(content, buffers),
      branch: () => this.tree.receive(content),
      details: () => { if (content.path === this.model.get("current")) this.details.show(content, buffers); },
      message: () => this.say(content.text, content.isError),
    }[content.type];
    if (take) take();
  }

  takeListing(listing) {
    this.grid.setListing(listing);
    this.say("");
    this.waiting = 0;
    const [name, path] = listing.crumbs[0];
    this.tree.setRoot(path, name);
    this.tree.setPlace(listing.place, listing.crumbs);
    this.upButton.disabled = listing.crumbs.length < 2;
    this.crumbs.replaceChildren(...listing.crumbs.flatMap(([text, target], k) => {
      const isLast = k === listing.crumbs.length - 1;
      const crumb = h("button", { class: "bk-x-crumb", type: "button", title: target, textContent: text, onclick: () => this.go(target) });
      if (isLast) crumb.setAttribute("aria-current", "location");
      return k ? [h("span", { class: "bk-x-slash", textContent: "/" }), crumb] : [crumb];
    }));
    this.crumbs.scrollLeft = this.crumbs.scrollWidth;
  }

  takeOrder(content) {
    if (content.version !== this.grid.listing.version) return;
    this.waiting = content.waiting;
    this.names = content.names;
    this.grid.setOrder(content.order);
    this.grid.empty.textContent = content.order.length ? "" : this.grid.listing.names.length ? "Nothing passes the filter." : "This folder is empty.";
    this.showSorts();
    this.showStatus();
  }
}

// Picture and header of the current file.
class ExplorerDetails {
  constructor() {
    this.search = h("input", { type: "search", class: "bk-x-search", placeholder: "Search the header", "aria-label": "search the header", oninput: () => this.sift() });
    this.picture = h("canvas", { class: "bk-x-large" });
    this.title = h("div", { class: "bk-x-title" });
    this.error = h("div", { class: "bk-x-error" });
    this.table = h("table", { class: "bk-x-table" });
    this.rest = h("div");
    this.hint = h("div", { class: "bk-x-hint", textContent: "Click a picture to see its header." });
    this.body = h("div", { class: "bk-x-shown", hidden: true }, this.title, this.picture, this.error, this.search, this.table, this.rest);
    this.element = h("aside", { class: "bk-x-details", "aria-label": "header" }, this.hint, this.body);
  }

  setColors(colors, invert) { this.colors = colors; this.invert = invert; this.paint(); }

  show(content, buffers) {
    this.hint.hidden = Boolean(content.path);
    this.body.hidden = !content.path;
    this.title.textContent = content.title;
    this.title.title = content.path;
    this.made = content.made.length ? unpackThumbnail(content.made[0], buffers) : null;
    this.paint();
    this.error.textContent = content.error || "";
    const row = ([name, value, unit = "", meaning = ""]) => h("tr", { title: meaning },
      h("th", { textContent: name }), h("td", { textContent: unit ? `${value} ${unit}` : value }));
    this.table.replaceChildren(...content.rows.map(row));
    this.rest.replaceChildren();
    if (content.remarks.length) this.rest.append(h("ul", { class: "bk-x-remarks" }, ...content.remarks.map((text) => h("li", { textContent: text }))));
    if (content.header.length) {
      this.rest.append(h("details", {}, h("summary", { textContent: "Header as in the file" }),
        h("table", { class: "bk-x-table" }, ...content.header.map(row))));
    }
    this.search.hidden = content.rows.length < 6;
    this.sift();
  }

  paint() {
    this.picture.hidden = !(this.made && drawThumbnail(this.picture, this.made, this.colors, this.invert, 240));
  }

  sift() {
    const wanted = this.search.hidden ? "" : this.search.value.toLowerCase();
    for (const row of this.element.querySelectorAll("tr")) {
      row.hidden = wanted !== "" && !`${row.textContent} ${row.title}`.toLowerCase().includes(wanted);
    }
    const raw = this.rest.querySelector("details");
    if (raw && wanted) raw.open = true;
  }
}

export default {
  render({ model, el }) {
    const app = new ExplorerApp(model, el);
    el.__beamkit = app; // for tests of what is on the screen
    return () => app.close();
  },
};
