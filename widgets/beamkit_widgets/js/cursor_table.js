// The row of numbers under the image: position, value, q, scattering angle, resolution.

// What beamkit.diffraction.Geometry.at gives, here so that it follows the mouse without a message.
// `g`: origin, fast, slow [m], sizes [m], wavelength [angstrom] or null, firstX/stepX (index on the
// full detector of the first column, and step from column to column).
function scatter(g, x, y) {
  const fullX = g.firstX + 0.5 + (x - 0.5) * g.stepX, fullY = g.firstY + 0.5 + (y - 0.5) * g.stepY;
  const r = g.origin.map((o, k) => o + fullX * g.sizeX * g.fast[k] + fullY * g.sizeY * g.slow[k]);
  const length = Math.hypot(...r), across = Math.hypot(r[0], r[1]);
  const result = { twoTheta: Math.atan2(across, r[2]) / DEGREE };
  if (g.wavelength) {
    const k = 2 * Math.PI / g.wavelength;
    result.q = [k * r[0] / length, k * r[1] / length, -k * across * across / (length * (length + r[2]))];
    result.d = 2 * Math.PI / Math.hypot(...result.q);
  }
  return result;
}

class CursorTable {
  constructor(app) {
    this.app = app;
    this.element = h("div", { class: "bk-cursor" });
    this.cells = {};
  }

  refresh() {
    const { info } = this.app;
    const columns = [["x", info.geometry ? "X position" : info.columns.name], ["y", info.geometry ? "Y position" : info.rows.name], ["value", "Data value"]];
    if (info.geometry) {
      columns.push(["qx", "qX (1/Å)"], ["qy", "qY (1/Å)"], ["qz", "qZ (1/Å)"], ["twoTheta", "2θ (°)"], ["d", "Resolution (Å)"]);
    }
    this.element.replaceChildren(...columns.map(([name, title]) => {
      this.cells[name] = h("span", { class: "bk-number-cell" }, " ");
      this.cells[name].dataset.name = name;
      return h("div", { class: "bk-cell" }, h("span", { class: "bk-cell-title", title }, title), this.cells[name]);
    }));
    this.element.style.setProperty("--bk-columns", columns.length);
    this.show();
  }

  show() {
    const { app } = this, cursor = app.pointer ?? app.otherPointer;
    const put = (name, text) => { if (this.cells[name]) this.cells[name].textContent = text; };
    if (!cursor) { Object.keys(this.cells).forEach((name) => put(name, "–")); return; }
    const [x, y] = cursor, { info } = app;
    put("x", info.geometry ? x.toFixed(2) : this.coordinate(info.columns, x));
    put("y", info.geometry ? y.toFixed(2) : this.coordinate(info.rows, y));
    const { text, isExact } = app.valueAt(x, y);
    put("value", text);
    this.cells.value?.classList.toggle("bk-waits", !isExact);
    if (!info.geometry) return;
    const found = scatter(app.geometry, x, y);
    put("twoTheta", found.twoTheta.toFixed(3));
    const q = found.q ?? [NaN, NaN, NaN];
    ["qx", "qy", "qz"].forEach((name, k) => put(name, found.q ? q[k].toFixed(4) : "no wavelength"));
    put("d", found.d ? (found.d < 1000 ? found.d.toFixed(found.d < 10 ? 3 : 2) : tell(found.d, 4)) : "no wavelength");
  }

  coordinate(axis, position) {
    const value = axis.first + (position - 0.5) * axis.step;
    return `${axis.unit === "pixel" || axis.unit === "" ? tell(value, 6) : tell(value, 5)}${axis.unit && axis.unit !== "pixel" ? ` ${axis.unit}` : ""}`;
  }
}
