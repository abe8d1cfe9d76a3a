/** One chart of the last hour, with the latest value in large. */

import uPlot from "uplot";
import { h } from "../dom.js";

export interface ChartOptions {
  title: string;
  /** A value as text. */
  text: (value: number) => string;
  /** The steps of the scale, where those of powers of ten do not suit. */
  steps?: number[];
  /** Charts with the same key share their cursor. */
  sync: string;
}

const default_steps = Array.from({ length: 40 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** (Math.floor(i / 3) - 2));

const span_seconds_min = 300;
const chart_height = 120;

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  readonly element: HTMLElement;
  private readonly value = h("div", { class: "chart-value" });
  private readonly canvas = h("div", { class: "chart-canvas" });
  private readonly resizing: ResizeObserver;
  private plot: uPlot | null = null;
  private data: uPlot.AlignedData = [[], []];

  constructor(private readonly options: ChartOptions) {
    this.element = h("figure", { class: "chart" }, h("figcaption", {}, options.title), this.value, this.canvas);
    this.resizing = new ResizeObserver(() => this.fit());
    this.resizing.observe(this.canvas);
  }

  private fit(): void {
    const width = this.canvas.clientWidth;
    if (width > 0) this.plot?.setSize({ width, height: chart_height });
  }

  /** Shows these values at these times (seconds since 1970). */
  show(times: number[], values: (number | null)[]): void {
    this.data = [times, values];
    const latest = values[values.length - 1];
    this.value.textContent = latest === null || latest === undefined ? "–" : this.options.text(latest);
    this.element.setAttribute("aria-label", `${this.options.title}: now ${this.value.textContent}`);
    if (this.plot) this.plot.setData(this.data);
    else if (this.canvas.clientWidth > 0) this.draw();
  }

  /** Draws anew, in the colours of the theme. */
  draw(): void {
    this.plot?.destroy();
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--grid-line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const line = colour("--chart");
    this.plot = new uPlot(
      {
        width: Math.max(this.canvas.clientWidth, 120),
        height: chart_height,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: this.options.sync }, y: false, points: { size: 6 } },
        scales: { x: { time: true, range: () => this.span() }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.15 : 1] } },
        axes: [
          { ...axis, size: 22, space: 64, values: [[3600, "{HH}:{mm}", null, null, null, null, null, null, 1], [60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
          { ...axis, size: 54, space: 34, incrs: this.options.steps ?? default_steps, values: (_u, splits) => splits.map((v) => this.options.text(v)) },
        ],
        series: [{}, { stroke: line, width: 1.5, fill: colour("--chart-fill"), points: { show: false } }],
        hooks: { setCursor: [(u) => this.show_cursor(u)] },
      },
      this.data,
      this.canvas,
    );
  }

  /** From the first value to the last, but not less than some minutes. */
  private span(): [number, number] {
    const times = this.data[0];
    const last = times[times.length - 1] ?? Date.now() / 1000;
    return [Math.min(times[0] ?? last, last - span_seconds_min), last];
  }

  /** The value under the cursor takes the place of the latest. */
  private show_cursor(plot: uPlot): void {
    const values = this.data[1] as (number | null)[];
    const at = plot.cursor.idx ?? values.length - 1;
    const value = values[at];
    this.value.textContent = value === null || value === undefined ? "–" : this.options.text(value);
    this.element.classList.toggle("inspected", plot.cursor.idx !== null && plot.cursor.idx !== undefined);
  }
}
