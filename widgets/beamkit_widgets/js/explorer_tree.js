// Folders, series and HDF5 files, opened level by level.
class ExplorerTree {
  // on: {branch(path), go(path), choose(path), open(path)}
  constructor(on) {
    this.on = on;
    this.items = new Map();
    this.list = h("ul", { class: "bk-x-branch", role: "group" });
    this.element = h("div", { class: "bk-x-tree", role: "tree", "aria-label": "folders", tabindex: "0", onkeydown: (event) => this.onKey(event) }, this.list);
    this.place = "";
    this.marked = "";
  }

  setRoot(path, name) {
    if (this.root?.path === path) return;
    this.items.clear();
    this.list.replaceChildren();
    this.root = this.add({ path, name, kind: "folder", note: "", reason: "", opens: true }, this.list, 0);
    this.expand(this.root);
  }

  add(node, list, depth) {
    const twisty = h("span", { class: "bk-x-twisty" });
    const row = h("div", { class: "bk-x-row", title: [node.name, node.note, node.reason].filter(Boolean).join("\n"), style: `padding-left:${2 + depth * 12}px` },
      twisty, explorerIcon(node.kind), explorerName(node.name), node.isLink ? h("span", { class: "bk-x-link", textContent: "↗" }) : null,
      node.note ? h("span", { class: "bk-x-note", textContent: node.note }) : null);
    const element = h("li", { role: "treeitem" }, row);
    const item = { ...node, row, element, depth, isOpen: false, branch: null };
    element.setAttribute("aria-label", node.name);
    this.items.set(node.path, item);
    twisty.addEventListener("click", (event) => { event.stopPropagation(); this.toggle(item); });
    row.addEventListener("click", () => this.press(item));
    row.addEventListener("dblclick", () => { if (item.kind === "dataset" || item.kind === "hdf5") this.on.open(item.path); });
    list.append(element);
    this.show(item);
    return item;
  }

  show(item) {
    item.row.querySelector(".bk-x-twisty").textContent = item.opens ? (item.isOpen ? "▾" : "▸") : "";
    if (item.opens) item.element.setAttribute("aria-expanded", String(item.isOpen));
    item.row.classList.toggle("bk-x-here", item.path === this.place);
    item.row.classList.toggle("bk-x-marked", item.path === this.marked);
    item.row.classList.toggle("bk-x-lost", item.kind === "broken" || item.kind === "unreadable");
  }

  press(item) {
    this.mark(item.path);
    if (item.kind === "folder" || item.kind === "series") {
      this.expand(item);
      this.on.go(item.path);
    } else if (item.kind === "group") this.toggle(item);
    else this.on.choose(item.path);
  }

  mark(path) {
    const earlier = this.items.get(this.marked);
    this.marked = path;
    if (earlier) this.show(earlier);
    const now = this.items.get(path);
    if (now) this.show(now);
  }

  toggle(item) {
    if (item.isOpen) {
      item.isOpen = false;
      item.branch.hidden = true;
      this.show(item);
    } else this.expand(item);
  }

  expand(item) {
    if (!item.opens || item.isOpen) return;
    item.isOpen = true;
    if (item.branch) item.branch.hidden = false;
    else {
      item.branch = h("ul", { class: "bk-x-branch", role: "group" });
      item.element.append(item.branch);
      this.on.branch(item.path);
    }
    this.show(item);
  }

  receive(message) {
    const item = this.items.get(message.path);
    if (!item || !item.branch) return;
    const open = [...this.items.values()].filter((other) => other.isOpen).map((other) => other.path);
    item.branch.replaceChildren();
    for (const node of message.children) this.add(node, item.branch, item.depth + 1);
    if (message.error) item.branch.append(h("li", { class: "bk-x-tree-error", textContent: message.error }));
    for (const node of message.children) if (open.includes(node.path)) this.expand(this.items.get(node.path));
    this.follow();
  }

  // Open the folders on the way to the place, as far as they are known.
  setPlace(place, crumbs) {
    const earlier = this.items.get(this.place);
    this.place = place;
    this.way = crumbs.map(([, path]) => path);
    if (earlier) this.show(earlier);
    this.follow();
  }

  follow() {
    for (const path of this.way || []) {
      const item = this.items.get(path);
      if (item && path !== this.place) this.expand(item);
    }
    const here = this.items.get(this.place);
    if (here) this.show(here);
  }

  // What was known of the folders is asked again.
  refresh() { for (const item of this.items.values()) if (item.isOpen && item.kind === "folder") this.on.branch(item.path); }

  onKey(event) {
    const rows = [...this.element.querySelectorAll(".bk-x-row")].filter((row) => row.offsetParent !== null);
    const items = rows.map((row) => [...this.items.values()].find((item) => item.row === row));
    const at = items.findIndex((item) => item.path === this.marked), item = items[at];
    const next = { ArrowDown: items[Math.min(at + 1, items.length - 1)], ArrowUp: items[Math.max(at - 1, 0)] }[event.key];
    if (next) { this.mark(next.path); next.row.scrollIntoView({ block: "nearest" }); }
    else if (item && event.key === "ArrowRight") this.expand(item);
    else if (item && event.key === "ArrowLeft" && item.isOpen) this.toggle(item);
    else if (item && event.key === "Enter") { if (item.kind === "dataset") this.on.open(item.path); else this.press(item); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
