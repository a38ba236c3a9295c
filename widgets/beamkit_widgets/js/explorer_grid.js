// Pictures of entries, of which only those on the screen exist, whatever the folder holds.

const EXPLORER_ICONS = {
  folder: '<path d="M3 6.5a1.5 1.5 0 0 1 1.5-1.5h4.6l2 2h8.4A1.5 1.5 0 0 1 21 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z"/>',
  file: '<path d="M6 3h8l5 5v13H6z M14 3v5h5" fill-opacity=".25"/>',
  hdf5: '<path d="M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3v12c0 1.7-3.6 3-8 3s-8-1.3-8-3z M4 6c0 1.7 3.6 3 8 3s8-1.3 8-3 M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3" fill-opacity=".25"/>',
  series: '<path d="M8 3h13v13H8z M5 6v13h13 M2.5 9v12.5H15.5" fill-opacity=".25"/>',
  group: '<path d="M4 5h7v5H4z M8 10v9h6 M8 14h6 M14 12h6v4h-6z M14 17h6v4h-6z" fill-opacity=".25"/>',
  dataset: '<path d="M4 4h16v16H4z M4 9.3h16 M4 14.7h16 M9.3 4v16 M14.7 4v16" fill-opacity=".15"/>',
  broken: '<path d="M12 3 22 20H2z M12 9v5 M12 16.5v1.5" fill-opacity=".25"/>',
};
EXPLORER_ICONS.unreadable = EXPLORER_ICONS.broken;
EXPLORER_ICONS.frame = EXPLORER_ICONS.dataset;

function explorerIcon(kind) {
  const icon = h("span", { class: `bk-x-icon bk-x-${kind}` });
  icon.innerHTML = `<svg viewBox="0 0 24 24">${EXPLORER_ICONS[kind] || EXPLORER_ICONS.file}</svg>`;
  return icon;
}

// 6224001 -> "6.2 MB"
function explorerSize(bytes) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (bytes < 1000) return unit === "B" ? `${bytes} B` : `${bytes.toFixed(1)} ${unit}`;
    bytes /= 1000;
  }
  return `${bytes.toFixed(1)} TB`;
}

// A name that is cut in its middle, by the style sheet: what tells files apart is at the end.
function explorerName(name) {
  const tail = Math.min(9, Math.floor(name.length / 2));
  return h("span", { class: "bk-x-name" },
    h("span", { class: "bk-x-head", textContent: name.slice(0, name.length - tail) }),
    h("span", { class: "bk-x-tail", textContent: name.slice(name.length - tail) }));
}

// The same for a width in pixels, without a gap.
function shortName(element, name, width) {
  shortName.context ??= document.createElement("canvas").getContext("2d");
  const { context } = shortName;
  const style = getComputedStyle(element);
  context.font = `${style.fontSize} ${style.fontFamily}`;
  const measure = (text) => context.measureText(text).width;
  if (measure(name) <= width) return name;
  let kept = name.length - 1;
  const cut = () => `${name.slice(0, Math.ceil(kept * 0.4))}…${name.slice(name.length - Math.floor(kept * 0.6))}`;
  while (kept > 4 && measure(cut()) > width) kept--;
  return cut();
}

// Draw a thumbnail into a canvas; false where there is nothing to draw.
function drawThumbnail(canvas, made, colors, invert, shownSize) {
  if (made.pixels) {
    const [rows, columns] = made.pixels;
    canvas.width = columns;
    canvas.height = rows;
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    const table = invert && made.kind === "diffraction" ? colors.inverted : colors.table;
    const target = new Uint32Array(image.data.buffer);
    for (let k = 0; k < target.length; k++) target[k] = table[made.data[k]];
    context.putImageData(image, 0, 0);
    canvas.classList.toggle("bk-x-coarse", Math.max(rows, columns) * 1.5 < shownSize);
    canvas.classList.toggle("bk-x-thin", Math.max(rows, columns) > 4 * Math.min(rows, columns));
    return true;
  }
  if (!made.curve) return false;
  const ratio = window.devicePixelRatio || 1, side = Math.round(shownSize * ratio);
  canvas.width = canvas.height = side;
  canvas.classList.remove("bk-x-coarse", "bk-x-thin");
  const context = canvas.getContext("2d"), look = theme(canvas), points = made.curve[1];
  const at = (value) => side * (0.08 + 0.84 * value);
  context.strokeStyle = look.line;
  context.lineWidth = ratio;
  context.strokeRect(at(0) - 3 * ratio, side - at(1) - 3 * ratio, at(1) - at(0) + 6 * ratio, at(1) - at(0) + 6 * ratio);
  context.strokeStyle = look.brand;
  context.lineWidth = 1.5 * ratio;
  context.lineJoin = "round";
  context.beginPath();
  let isDown = false;
  for (let k = 0; k < points; k++) {
    const x = made.data[k], y = made.data[points + k];
    if (Number.isNaN(x) || Number.isNaN(y)) { isDown = false; continue; }
    if (isDown) context.lineTo(at(x), side - at(y)); else context.moveTo(at(x), side - at(y));
    isDown = true;
  }
  context.stroke();
  return true;
}

// Palette of the kernel (256 x 3 bytes, in base64) as colours of ImageData; bright and dark exchanged in the second.
function thumbnailColors(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const table = new Uint32Array(256), inverted = new Uint32Array(256);
  for (let k = 0; k < 256; k++) {
    table[k] = ((255 << 24) | (bytes[3 * k + 2] << 16) | (bytes[3 * k + 1] << 8) | bytes[3 * k]) >>> 0;
  }
  for (let k = 0; k < 256; k++) inverted[k] = k >= 2 && k <= 254 ? table[256 - k] : table[k];
  return { table, inverted };
}

// Thumbnails as they came, the newest 3000.
class ThumbnailStore {
  constructor() { this.made = new Map(); }

  put(key, made) {
    this.made.delete(key);
    this.made.set(key, made);
    if (this.made.size > 3000) this.made.delete(this.made.keys().next().value);
  }

  get(key) { return this.made.get(key); }
}

const THUMBNAIL_SIZES = [96, 128, 192, 256];

class ExplorerGrid {
  // on: {select(paths, current), open(path), want(entries, size), up()}
  constructor(on) {
    this.on = on;
    this.listing = { names: [], kinds: [], formats: [], counts: [], sizes: [], times: [], reasons: {}, place: "", version: -1 };
    this.order = [];
    this.selected = new Set();
    this.current = "";
    this.anchor = "";
    this.size = 128;
    this.cells = new Map();
    this.store = new ThumbnailStore();
    this.asked = "";
    this.inner = h("div", { class: "bk-x-inner" });
    this.empty = h("div", { class: "bk-x-empty" });
    this.element = h("div", {
      class: "bk-x-grid", tabindex: "0", role: "listbox", "aria-multiselectable": "true", "aria-label": "files",
      onkeydown: (event) => this.onKey(event),
    }, this.inner, this.empty);
    this.draw = oncePerPicture(() => this.drawNow());
    this.element.addEventListener("scroll", this.draw);
    this.resized = new ResizeObserver(this.draw);
    this.resized.observe(this.element);
  }

  close() { this.resized.disconnect(); clearTimeout(this.asking); }

  path(entry) { return this.listing.paths ? this.listing.paths[entry] : `${this.listing.place.replace(/\/$/, "")}/${this.listing.names[entry]}`; }

  setListing(listing) {
    const isSame = listing.place === this.listing.place;
    this.listing = listing;
    this.order = [];
    this.asked = "";
    this.clear();
    if (!isSame) this.element.scrollTop = 0;
  }

  setOrder(order) {
    this.order = order;
    this.places = new Map(order.map((entry, place) => [this.path(entry), place]));
    this.clear();
    this.draw();
  }

  setSize(size) {
    if (size === this.size) return;
    const middle = this.firstVisible();
    this.size = size;
    this.clear();
    this.layout();
    this.element.scrollTop = Math.floor(middle / this.columns) * this.rowHeight;
    this.draw();
  }

  setColors(palette, invert) {
    this.colors = thumbnailColors(palette);
    this.invert = invert;
    this.clear();
    this.draw();
  }

  setSelection(paths, current) {
    this.selected = new Set(paths);
    this.current = current;
    for (const cell of this.cells.values()) this.mark(cell);
  }

  clear() {
    for (const cell of this.cells.values()) cell.element.remove();
    this.cells.clear();
  }

  layout() {
    const width = this.element.clientWidth - 4;
    this.columns = Math.max(1, Math.floor(width / (this.size + 14)));
    this.cellWidth = width / this.columns;
    this.rowHeight = this.size + 32;
    this.rows = Math.ceil(this.order.length / this.columns);
    this.inner.style.height = `${this.rows * this.rowHeight + 4}px`;
  }

  firstVisible() { return Math.floor(this.element.scrollTop / (this.rowHeight || 1)) * (this.columns || 1); }

  drawNow() {
    if (!this.element.clientWidth) return;
    this.layout();
    const firstRow = Math.max(0, Math.floor(this.element.scrollTop / this.rowHeight) - 1);
    const lastRow = Math.ceil((this.element.scrollTop + this.element.clientHeight) / this.rowHeight) + 1;
    const first = firstRow * this.columns, last = Math.min(this.order.length, lastRow * this.columns);
    for (const [place, cell] of this.cells) {
      if (place < first || place >= last) { cell.element.remove(); this.cells.delete(place); }
    }
    for (let place = first; place < last; place++) {
      if (!this.cells.has(place)) this.cells.set(place, this.makeCell(place));
      const { element } = this.cells.get(place);
      const [row, column] = [Math.floor(place / this.columns), place % this.columns];
      element.style.transform = `translate(${2 + column * this.cellWidth}px, ${2 + row * this.rowHeight}px)`;
      element.style.width = `${this.cellWidth}px`;
      element.style.height = `${this.rowHeight}px`;
    }
    this.want(firstRow, lastRow);
  }

  makeCell(place) {
    const entry = this.order[place], kind = this.listing.kinds[entry], name = this.listing.names[entry];
    const picture = h("div", { class: "bk-x-picture", style: `width:${this.size}px;height:${this.size}px` });
    const element = h("div", { class: `bk-x-cell bk-x-kind-${kind}`, role: "option", title: this.tip(entry) },
      h("div", { class: "bk-x-tile" }, picture, h("span", { class: "bk-x-name", textContent: shortName(this.element, name, this.cellWidth - 14) })));
    element.addEventListener("mousedown", (event) => this.onPress(event, place));
    element.addEventListener("dblclick", () => this.on.open(this.path(entry)));
    const cell = { element, picture, entry, path: this.path(entry) };
    this.inner.append(element);
    this.fill(cell);
    this.mark(cell);
    return cell;
  }

  tip(entry) {
    const { listing } = this, kind = listing.kinds[entry];
    const lines = [listing.names[entry]];
    if (listing.reasons[entry]) lines.push(listing.reasons[entry]);
    if (kind === "series") lines.push(`${listing.counts[entry]} frames`);
    if (kind !== "folder" && listing.sizes[entry]) lines.push(explorerSize(listing.sizes[entry]));
    if (listing.times[entry]) lines.push(new Date(listing.times[entry] * 1000).toLocaleString());
    const made = this.made(entry);
    if (made && made.reason && kind !== "unreadable") lines.push(made.reason);
    return lines.join("\n");
  }

  key(entry, size) { return `${this.path(entry)}|${this.listing.times[entry]}|${size}`; }

  made(entry) {
    const best = this.store.get(this.key(entry, this.bucket()));
    if (best) return best;
    for (const size of THUMBNAIL_SIZES) {
      const other = this.store.get(this.key(entry, size));
      if (other) return other;
    }
    return null;
  }

  fill(cell) {
    const kind = this.listing.kinds[cell.entry], { picture } = cell;
    const isPlain = kind === "folder" || kind === "unreadable";
    const made = isPlain ? null : this.made(cell.entry);
    picture.replaceChildren();
    if (made) {
      const canvas = h("canvas");
      picture.append(canvas);
      if (!drawThumbnail(canvas, made, this.colors, this.invert, this.size)) {
        canvas.remove();
        this.fillIcon(cell, made.kind === "unreadable" ? "broken" : "file", made.kind === "unreadable" ? "cannot be read" : "");
      }
      cell.element.title = this.tip(cell.entry);
    } else if (isPlain) this.fillIcon(cell, kind === "folder" ? "folder" : "broken", kind === "unreadable" ? "cannot be opened" : "");
    else picture.append(h("div", { class: "bk-x-waiting" }));
    const count = kind === "series" ? this.listing.counts[cell.entry] : made ? made.frames : 0;
    if (count > 1) picture.append(h("span", { class: "bk-x-badge", textContent: `${count} frames` }));
  }

  fillIcon(cell, kind, text) {
    const { picture } = cell, format = this.listing.formats[cell.entry];
    const ending = this.listing.names[cell.entry].split(".").slice(1).pop() || "";
    picture.append(h("div", { class: "bk-x-plain" }, explorerIcon(kind),
      h("span", { textContent: text || (kind === "file" ? (ending && ending.length < 7 ? `.${ending}` : format) : "") })));
  }

  mark(cell) {
    cell.element.setAttribute("aria-selected", String(this.selected.has(cell.path)));
    cell.element.classList.toggle("bk-x-current", cell.path === this.current);
  }

  bucket() {
    const wanted = this.size * (window.devicePixelRatio || 1);
    return THUMBNAIL_SIZES.find((size) => size >= wanted) || 256;
  }

  // Ask for what is on the screen and not there yet, at most ten times a second.
  want(firstRow, lastRow) {
    this.visibleRows = [firstRow, lastRow];
    if (this.asking) return;
    this.asking = setTimeout(() => { this.asking = null; this.askNow(); }, this.asked === "" ? 0 : 100);
  }

  askNow() {
    const [firstRow, lastRow] = this.visibleRows, size = this.bucket();
    const missing = (from, to) => {
      const found = [];
      for (let place = from * this.columns; place < Math.min(this.order.length, to * this.columns); place++) {
        const entry = this.order[place], kind = this.listing.kinds[entry];
        if (kind === "folder" || kind === "unreadable" || this.store.get(this.key(entry, size))) continue;
        found.push(entry);
      }
      return found;
    };
    // First what is seen, then the row above and the row below.
    const top = Math.floor(this.element.scrollTop / this.rowHeight);
    const seen = missing(top, lastRow - 1);
    const entries = [...seen, ...missing(lastRow - 1, lastRow), ...missing(firstRow, top)];
    const asked = `${this.listing.version} ${size} ${entries.join()}`;
    if (asked === this.asked) return;
    this.asked = asked;
    this.on.want(entries, size);
  }

  receive(message, buffers) {
    if (message.version !== this.listing.version) return;
    const entries = new Set();
    for (const made of message.made) {
      this.store.put(this.key(made.entry, made.size), unpackThumbnail(made, buffers));
      entries.add(made.entry);
    }
    for (const cell of this.cells.values()) if (entries.has(cell.entry)) this.fill(cell);
  }

  // ---- mouse and keyboard

  onPress(event, place) {
    if (event.button !== 0) return;
    event.preventDefault(); // no text is selected
    this.element.focus({ preventScroll: true });
    if (event.shiftKey) this.extend(place, event.ctrlKey || event.metaKey);
    else if (event.ctrlKey || event.metaKey) this.toggle(place);
    else this.choose(place);
  }

  choose(place) {
    const path = this.path(this.order[place]);
    this.anchor = path;
    this.changed([path], path);
  }

  toggle(place) {
    const path = this.path(this.order[place]);
    const chosen = new Set(this.selected);
    if (!chosen.delete(path)) chosen.add(path);
    this.anchor = path;
    this.changed([...chosen], path);
  }

  extend(place, isMore) {
    const from = this.places.get(this.anchor) ?? place;
    const [first, last] = [Math.min(from, place), Math.max(from, place)];
    const chosen = new Set(isMore ? this.selected : []);
    for (let k = first; k <= last; k++) chosen.add(this.path(this.order[k]));
    this.changed([...chosen], this.path(this.order[place]));
  }

  // In the order of the grid, so that a dataset has its frames as they are seen.
  changed(paths, current) {
    paths.sort((a, b) => (this.places.get(a) ?? 0) - (this.places.get(b) ?? 0));
    this.setSelection(paths, current);
    this.on.select(paths, current);
  }

  reveal(place) {
    const top = Math.floor(place / this.columns) * this.rowHeight, view = this.element;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + this.rowHeight > view.scrollTop + view.clientHeight) view.scrollTop = top + this.rowHeight - view.clientHeight + 4;
  }

  onKey(event) {
    const here = this.places?.get(this.current), last = this.order.length - 1;
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.rowHeight)) * this.columns;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
    const isMore = event.ctrlKey || event.metaKey;
    if (event.altKey && event.key === "ArrowUp" || event.key === "Backspace") this.on.up();
    else if (event.key in steps && last >= 0) {
      const step = steps[event.key];
      let place = here === undefined ? 0 : here + step;
      if (Math.abs(step) === this.columns && (place < 0 || place > last)) place = here; // no half rows
      place = Math.min(Math.max(place, 0), last);
      if (event.shiftKey) { this.anchor = this.anchor || this.current; this.extend(place, isMore); }
      else this.choose(place);
      this.reveal(place);
    } else if (event.key === "Enter" && here !== undefined) this.on.open(this.current);
    else if (event.key === " " && here !== undefined) this.toggle(here);
    else if (event.key === "Escape") this.changed([], "");
    else if (isMore && event.key.toLowerCase() === "a") {
      this.changed(this.order.filter((entry) => this.listing.kinds[entry] === "file" || this.listing.kinds[entry] === "frame").map((entry) => this.path(entry)), this.current);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function unpackThumbnail(made, buffers) {
  if (made.buffer === undefined) return made;
  const view = buffers[made.buffer];
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return { ...made, data: made.pixels ? new Uint8Array(bytes) : new Float32Array(bytes) };
}
