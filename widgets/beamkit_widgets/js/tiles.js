// Pieces of an image at some reduction, and how they become the pixels of a canvas.

async function inflate(buffer) {
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  writer.write(buffer).catch(() => {}); // what is wrong with the bytes is told where they are read
  writer.close().catch(() => {});
  return new Uint8Array(await new Response(readable).arrayBuffer());
}

// Two planes of bytes, the low ones first, to numbers of 16 bits.
function joinPlanes(bytes) {
  const number = bytes.length / 2, codes = new Uint16Array(number);
  for (let k = 0; k < number; k++) codes[k] = bytes[k] | (bytes[k + number] << 8);
  return codes;
}

class Tile {
  // header: rows, columns (of codes), x0, y0 (first pixel of the image), stepX, stepY (pixels a code)
  constructor(header, codes) {
    Object.assign(this, header);
    this.codes = codes;
    this.end = 0; // of the codes in use, without the reserved last one
    for (let k = 0; k < codes.length; k++) if (codes[k] >= this.end && codes[k] !== SATURATED) this.end = codes[k] + 1;
  }

  static async receive(header, buffers) {
    const tile = new Tile(header, joinPlanes(await inflate(buffers[0])));
    if (buffers.length > 1) tile.values = new Float64Array(buffers[1].buffer.slice(buffers[1].byteOffset, buffers[1].byteOffset + buffers[1].byteLength));
    return tile;
  }

  get x1() { return Math.min(this.x0 + this.columns * this.stepX, this.imageColumns); }
  get y1() { return Math.min(this.y0 + this.rows * this.stepY, this.imageRows); }

  covers(x0, y0, x1, y1) {
    return this.x0 <= Math.max(x0, 0) && this.y0 <= Math.max(y0, 0)
      && this.x1 >= Math.min(x1, this.imageColumns) && this.y1 >= Math.min(y1, this.imageRows);
  }

  // Code at a position; null outside.
  code(x, y) {
    const column = Math.floor((Math.floor(x) - this.x0) / this.stepX);
    const row = Math.floor((Math.floor(y) - this.y0) / this.stepY);
    if (column < 0 || row < 0 || column >= this.columns || row >= this.rows) return null;
    return this.codes[row * this.columns + column];
  }

  value(x, y) {
    const column = Math.floor(x) - this.x0, row = Math.floor(y) - this.y0;
    return this.values ? this.values[row * this.columns + column] : decode(this.code(x, y), this.coding);
  }
}

// First and last code behind each pixel of the canvas, along one axis: two arrays; -1 outside.
// Where codes are smaller than pixels each code belongs to the pixel in which its centre lies: no
// code is lost, not even at the edges.
function spans(length, start, perPixel, first, step, number, end) {
  const from = new Int32Array(length).fill(-1), to = new Int32Array(length).fill(-1);
  for (let k = 0; k < length; k++) {
    const a = start + k * perPixel, b = start + (k + 1) * perPixel;
    if (perPixel <= step) {
      const middle = (a + b) / 2;
      if (middle < first || middle >= end) continue;
      from[k] = to[k] = Math.min(Math.floor((middle - first) / step), number - 1);
    } else {
      const low = Math.ceil((a - first) / step - 0.5), high = Math.ceil((b - first) / step - 0.5) - 1;
      if (high < 0 || low >= number) continue;
      from[k] = Math.max(low, 0);
      to[k] = Math.min(high, number - 1);
    }
  }
  return [from, to];
}

// Paint a tile; where several codes fall on one pixel of the canvas the largest wins, so that a
// spot of one pixel is seen at any zoom.
function paintTile(tile, table, pixels, width, height, view) {
  const [left, right] = spans(width, view.x0, 1 / view.scaleX, tile.x0, tile.stepX, tile.columns, tile.x1);
  const [top, bottom] = spans(height, view.y0, 1 / view.scaleY, tile.y0, tile.stepY, tile.rows, tile.y1);
  const { codes, columns } = tile;
  for (let j = 0; j < height; j++) {
    if (top[j] < 0) continue;
    const single = top[j] === bottom[j];
    const start = top[j] * columns;
    for (let i = 0, at = j * width; i < width; i++, at++) {
      if (left[i] < 0) continue;
      let code = codes[start + left[i]];
      if (!single || left[i] !== right[i]) {
        for (let row = top[j]; row <= bottom[j]; row++)
          for (let k = row * columns + left[i]; k <= row * columns + right[i]; k++)
            if (codes[k] > code) code = codes[k];
      }
      pixels[at] = table[code];
    }
  }
}
