// Codes of 16 bits, as the kernel sends pixels, to colours. Reserved codes: no number is behind them.
const GAP = 0, MASKED = 1, SATURATED = 65535, FIRST_CODE = 2;
const FLAG_COLORS = { gap: [70, 80, 106], masked: [217, 140, 140], saturated: [0, 229, 255] };

// From the fraction of the contrast range to the fraction of the colours; as beamkit.images.contrast.
const SCALES = {
  linear: (u) => u,
  sqrt: (u) => Math.sqrt(u),
  log: (u) => Math.log1p(999 * u) / Math.log(1000),
  asinh: (u) => Math.asinh(50 * u) / Math.asinh(50),
};
const UNSCALES = {
  linear: (t) => t,
  sqrt: (t) => t * t,
  log: (t) => Math.expm1(t * Math.log(1000)) / 999,
  asinh: (t) => Math.sinh(t * Math.asinh(50)) / 50,
};

// The value behind a code; NaN for reserved ones.
function decode(code, coding) {
  if (code < FIRST_CODE || code === SATURATED) return NaN;
  if (coding.kind === "exact") return code - FIRST_CODE + coding.offset;
  return coding.center + coding.scale * Math.sinh((code - FIRST_CODE - 32766) * coding.step);
}

function rgba(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0; // little endian, as ImageData is
}

// Colour of every code before `end`, and of the reserved ones: 65536 numbers. Palettes have 256
// colours of 3 bytes.
function colorTable(coding, look, palette, end) {
  const table = new Uint32Array(65536);
  const [low, high] = look.clim;
  const scale = SCALES[look.scale], span = high - low || 1;
  const colors = new Uint32Array(256);
  for (let k = 0; k < 256; k++) {
    const at = 3 * (look.invert ? 255 - k : k);
    colors[k] = rgba(palette[at], palette[at + 1], palette[at + 2]);
  }
  for (let code = FIRST_CODE; code < end; code++) {
    const u = Math.min(Math.max((decode(code, coding) - low) / span, 0), 1);
    table[code] = colors[Math.min(Math.floor(scale(u) * 256), 255)];
  }
  table[GAP] = rgba(...FLAG_COLORS.gap);
  table[MASKED] = rgba(...FLAG_COLORS.masked);
  table[SATURATED] = rgba(...FLAG_COLORS.saturated);
  table.end = end;
  return table;
}

function decodePalette(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
