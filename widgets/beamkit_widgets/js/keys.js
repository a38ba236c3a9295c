// Keys, as in ImageJ and DAWN, while the viewer has the focus.

function pressKey(app, event) {
  if (event.key === "Enter" && event.target.type === "number") { event.target.blur(); event.target.focus(); } // take the number over
  if (["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) && event.key !== "Escape") return;
  if (app.panel?.onKey?.(event)) { event.preventDefault(); event.stopPropagation(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const by = event.shiftKey ? 10 : 1;
  const keys = {
    "+": () => app.pane.zoomBy(1.5), "=": () => app.pane.zoomBy(1.5), "-": () => app.pane.zoomBy(1 / 1.5),
    1: () => app.pane.actualSize(), f: () => app.pane.fit(), 0: () => app.pane.fit(),
    ",": () => app.frames.step(-1), "<": () => app.frames.step(-1), ".": () => app.frames.step(1), ">": () => app.frames.step(1),
    PageUp: () => app.frames.step(-10), PageDown: () => app.frames.step(10), Home: () => app.frames.choose(0), End: () => app.frames.choose(app.info.frames - 1),
    p: () => app.frames.toggle(), a: () => app.auto(), i: () => app.setLook({ invert: !app.look.invert }), c: () => app.toggleCross(),
    l: () => app.setLook({ scale: app.look.scale === "log" ? "linear" : "log" }),
    k: () => app.setTool("line"), b: () => app.setTool("rectangle"), o: () => app.setTool("circle"), g: () => app.setTool("polygon"), s: () => app.setTool("sector"), n: () => app.setTool("point"), u: () => app.setTool("ruler"),
    h: () => app.open("color"), m: () => app.open("inspect"), r: () => app.open("rings"),
    Escape: () => { if (app.ruler.cancel()) return; if (app.regionTool.open || app.roi) app.regionTool.cancel(); app.setTool("pan"); },
    Enter: () => app.regionTool.finish(),
    " ": () => { app.isSpaceDown = true; },
    ArrowLeft: () => arrow(app, -by, 0), ArrowRight: () => arrow(app, by, 0), ArrowUp: () => arrow(app, 0, -by), ArrowDown: () => arrow(app, 0, by),
  };
  const action = keys[event.key] ?? keys[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  action();
}

// The arrows move the region, or the view where none is drawn.
function arrow(app, dx, dy) {
  if (app.regionTool.nudge(dx, dy)) return;
  app.pane.view.x0 += dx * 40 / app.pane.view.scaleX;
  app.pane.view.y0 += dy * 40 / app.pane.view.scaleY;
  app.pane.isFitted = false;
  app.pane.changed();
}
