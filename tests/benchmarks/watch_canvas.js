// For bench_viewer.py: count what goes over the wire, and wait for a canvas to change.
window.bench = {sent: 0, received: 0, began: null};
window.WebSocket = class extends WebSocket {
  constructor(...options) {
    super(...options);
    this.addEventListener('message', ({data}) => { bench.received += data.byteLength ?? data.length; });
  }
  send(data) { bench.sent += 1; return super.send(data); }
};
bench.canvas = ([cell, selector]) =>
  document.querySelectorAll('.jp-CodeCell')[cell].querySelector(selector);
bench.look = (canvas) => {
  if (!canvas || !canvas.width) return {hash: 0, colours: 0};
  // Two bands of rows: to read all of a canvas takes longer than to draw it.
  const colours = new Set(), rows = 8;
  let hash = 0;
  for (const height of [0.4, 0.7]) {
    const {data} = canvas.getContext('2d').getImageData(0, Math.floor(height * canvas.height), canvas.width, rows);
    const pixels = new Uint32Array(data.buffer);
    for (let k = 0; k < pixels.length; k += 3) {
      hash = (hash * 31 + pixels[k]) | 0;
      if (colours.size < 8) colours.add(pixels[k]);
    }
  }
  return {hash, colours: colours.size};
};
// Wait for another picture on a canvas, or the first on a new one.
bench.watch = (place, isNew) => {
  const old = bench.canvas(place), before = isNew ? null : bench.look(old).hash;
  bench.began = null;
  const start = performance.now();
  bench.done = new Promise((resolve, reject) => {
    const check = () => {
      if (performance.now() - start > 60000) return reject(new Error(`no picture: ${place}`));
      const canvas = bench.canvas(place), {hash, colours} = bench.look(canvas);
      if ((isNew ? canvas !== old : hash !== before) && colours >= 8)
        resolve({end: performance.timeOrigin + performance.now(), took: performance.now() - bench.began, sent: bench.sent});
      else requestAnimationFrame(check);
    };
    requestAnimationFrame(check);
  });
};
bench.arm = (type) => window.addEventListener(type, () => {
  bench.began = performance.now(); bench.sent = bench.received = 0;
}, {capture: true, once: true});
