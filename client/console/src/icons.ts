/** Icons as strokes in a square of 16. */

const paths = {
  bolt: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
  chart: "M2 13.5h12M4.5 11V7.5M8 11V3.5M11.5 11V6",
  close: "m4 4 8 8m0-8-8 8",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  help: "M6 6a2 2 0 1 1 2.8 1.8c-.5.3-.8.7-.8 1.4M8 11.8v.1M8 1.7a6.3 6.3 0 1 1 0 12.6A6.3 6.3 0 0 1 8 1.7",
  history: "M2.2 8a5.8 5.8 0 1 0 1.9-4.3L2.2 5.4M2.2 2.2v3.2h3.2M8 5v3.2l2.2 1.4",
  key: "M6.5 9.5 13.5 2.5M11 5l1.8 1.8M7.2 11.2a2.4 2.4 0 1 1-4.8 0 2.4 2.4 0 0 1 4.8 0",
  live: "M1.5 8.5h3l2-5.5 3 10 2-4.5h3",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  moon: "M13.5 9.4A5.8 5.8 0 0 1 6.6 2.5a5.8 5.8 0 1 0 6.9 6.9z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M4.5 2.8v10.4L13 8z",
  play_all: "M2.5 3v10L8.5 8zM8.5 3v10l6-5z",
  refresh: "M13.6 6.5A5.8 5.8 0 0 0 3 5.2M2.4 9.5A5.8 5.8 0 0 0 13 10.8M3 2.2v3h3M13 13.8v-3h-3",
  stop: "M4 4h8v8H4z",
  sun: "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M12.8 3.2l-1.1 1.1M4.3 11.7l-1.1 1.1",
  table: "M2 3h12v10H2zM2 6.4h12M6 6.4V13",
  terminal: "m3 4.5 3.5 3.5L3 11.5M8.5 12H13",
  user: "M8 8.2a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8M2.8 14c.5-2.6 2.5-3.9 5.2-3.9s4.7 1.300 5.2 3.9",
};

export type IconName = keyof typeof paths;

export function icon(name: IconName): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}
