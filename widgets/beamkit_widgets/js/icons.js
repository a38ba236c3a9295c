// Icons of 16 x 16, drawn as lines, so that no font is needed.
const ICONS = {
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  pan: "M8 1v14M1 8h14M8 1L6 3M8 1l2 2M8 15l-2-2M8 15l2-2M1 8l2-2M1 8l2 2M15 8l-2-2M15 8l-2 2",
  line: "M3 13L13 3M1.5 13a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0M11.5 3a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0",
  rectangle: "M2 4h12v8H2z",
  circle: "M8 2.5a5.5 5.5 0 1 0 .01 0z",
  polygon: "M8 2l6 4.5-2.3 7H4.300L2 6.500z",
  sector: "M3 14A12 12 0 0 1 13 4L10.500 7.200A8 8 0 0 0 6.200 11.500z",
  point: "M8 6.500a1.500 1.500 0 1 0 .01 0zM8 1v3M8 12v3M1 8h3M12 8h3",
  invert: "M8 2a6 6 0 1 0 .01 0zM8 2v12M8 4h3.500M8 7h5.500M8 10h5M8 13h2",
  cross: "M8 1v14M1 8h14M8 5a3 3 0 1 0 .01 0z",
  side: "M2 3h12v10H2zM10 3v10",
  previous: "M10 3L5 8l5 5",
  next: "M6 3l5 5-5 5",
  play: "M5 3l8 5-8 5z",
  pause: "M5 3v10M11 3v10",
  copy: "M5 5h8v9H5zM3 11V2h8",
  undo: "M3 7h7a3 3 0 0 1 0 6H6M3 7l3-3M3 7l3 3",
  redo: "M13 7H6a3 3 0 0 0 0 6h4M13 7l-3-3M13 7l-3 3",
  save: "M8 2v8M4.500 7L8 10.500 11.500 7M3 13.500h10",
  swap: "M2 5h11M10 2l3 3-3 3M14 11H3M6 8l-3 3 3 3",
  clear: "M4 4l8 8M12 4l-8 8",
  ruler: "M2 11L11 2l3 3-9 9zM5 8l1.500 1.500M7 6l1.500 1.500M9 4l1.500 1.500",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: 15, height: 15, fill: "none", stroke: "currentColor", "stroke-width": 1.4, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// A small button with an icon, or with a word.
function toolButton(what, title, onclick) {
  return h("button", { class: "bk-tool", type: "button", title, "aria-label": title, onclick }, what in ICONS ? icon(what) : what);
}
