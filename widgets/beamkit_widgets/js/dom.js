// Make an element: h("button", {class: "bk-tool", onclick: f}, "text", child).
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list" && name !== "style") element[name] = value;
    else if (value !== null && value !== undefined) element.setAttribute(name === "class" ? "class" : name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// A field for what a person types; what comes from elsewhere is put into it with `fill`, which does
// not touch what is half typed.
function typed(attributes) {
  const input = h("input", attributes);
  input.addEventListener("input", () => { input.isTyped = true; });
  // "change" first, then what it brings about.
  for (const end of ["change", "blur"]) input.addEventListener(end, () => { input.isTyped = false; }, { capture: true });
  return input;
}
function fill(input, value) { if (!input.isTyped) input.value = value; }

// A number as a person reads it: six significant digits, no more zeros than needed.
function tell(value, digits = 6) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return String(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(Math.max(digits - 3, 1));
  return String(Number(value.toPrecision(digits)));
}

// Ticks at 1, 2 or 5 times a power of ten, about `number` of them, between low and high.
function niceTicks(low, high, number) {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(number, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}

// Call `f` once things have been quiet for a while; `.now()` calls it at once if it waits.
function settled(f, milliseconds) {
  let timer = null;
  const run = () => { timer = null; f(); };
  const wait = () => { clearTimeout(timer); timer = setTimeout(run, milliseconds); };
  wait.cancel = () => clearTimeout(timer);
  return wait;
}

// Call `f` at most once a picture of the screen.
function oncePerPicture(f) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; f(); });
  };
}

// JupyterLab takes keys before the page does, by the element that has the focus: all stay here but
// those that run a cell and that save. Returns what ends this.
function keepKeys(element) {
  const look = (event) => {
    if (!element.contains(event.target)) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const isForNotebook = event.key === "Enter" ? isCommand || event.shiftKey || event.altKey : isCommand && event.key.toLowerCase() === "s";
    for (const part of [element, event.target]) part.toggleAttribute("data-lm-suppress-shortcuts", !isForNotebook);
  };
  window.addEventListener("keydown", look, true);
  return () => window.removeEventListener("keydown", look, true);
}

// Follow the pointer from a press to its release: move(event), end(event).
function drag(element, event, move, end = () => {}) {
  element.setPointerCapture(event.pointerId);
  const release = (last) => {
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", release);
    element.removeEventListener("pointercancel", release);
    end(last);
  };
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
}

// A canvas that is sharp on every screen: draw(context, width, height) in CSS pixels.
class Sketch {
  constructor(name, draw) {
    this.canvas = h("canvas", { class: name });
    this.context = this.canvas.getContext("2d");
    this.paint = draw;
    this.draw = oncePerPicture(() => this.now());
  }

  now() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== columns || this.canvas.height !== rows) {
      this.canvas.width = columns;
      this.canvas.height = rows;
    }
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
    this.paint(this.context, width, height);
  }
}

// The colours of the theme, for canvases, which cannot use CSS variables.
function theme(element) {
  const style = getComputedStyle(element);
  const color = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    text: color("--jp-ui-font-color1", "#222"),
    faint: color("--jp-ui-font-color2", "#666"),
    line: color("--jp-border-color1", "#bbb"),
    grid: color("--jp-border-color2", "#ddd"),
    back: color("--jp-layout-color1", "#fff"),
    brand: color("--jp-brand-color1", "#1976d2"),
  };
}

// Arrays as the kernel packs them: {name: [type, shape, buffer number]} -> {name: typed array}.
function unpackArrays(spec, buffers) {
  const types = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u4: Uint32Array, u2: Uint16Array, u1: Uint8Array };
  const result = {};
  for (const [name, [type, shape, number]] of Object.entries(spec || {})) {
    const view = buffers[number];
    const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
    const array = new types[type](bytes);
    array.shape = shape;
    result[name] = array;
  }
  return result;
}
