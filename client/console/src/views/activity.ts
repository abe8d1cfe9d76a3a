/** The last hour in charts, and who is subscribed to what. */

import type { Connection } from "../connection.js";
import { byte_count, h, plural, short_count } from "../dom.js";
import { DataGrid } from "../grid/data_grid.js";
import type { Row } from "../grid/rows.js";
import { Chart } from "./chart.js";

interface History {
  interval: number;
  columns: string[];
  data: (number | null)[][];
}

const refresh_ms = 5_000;

const per_second = (value: number): string => (value > 0 && value < 10 ? value.toFixed(1) : short_count(Math.round(value)));
const seconds = (value: number): string => `${value < 10 && value > 0 ? value.toFixed(1) : Math.round(value)} s`;

const byte_steps = Array.from({ length: 40 }, (_, i) => 2 ** i);

const charts_of_history: { column: string; title: string; text: (value: number) => string; steps?: number[] }[] = [
  { column: "statements", title: "Statements per second", text: per_second },
  { column: "events", title: "Events per second", text: per_second },
  { column: "connections", title: "Connections", text: (v) => short_count(Math.round(v)) },
  { column: "backlogbytes", title: "Backlog", text: byte_count, steps: byte_steps },
  { column: "storelagrows", title: "Store lag, rows", text: (v) => short_count(Math.round(v)) },
  { column: "storelagseconds", title: "Store lag, time", text: seconds },
];

function is_history(value: unknown): value is History {
  const history = value as History | null;
  return typeof history === "object" && history !== null && Array.isArray(history.columns) && Array.isArray(history.data);
}

export class Activity {
  readonly element: HTMLElement;
  private readonly charts = new Map<string, Chart>();
  private readonly note = h("p", { class: "panel-note warning", role: "status", hidden: true });
  private readonly subtitle = h("span", { class: "subtitle" });
  private readonly grid: DataGrid;
  private rows: Row[] = [];
  private visible = false;

  constructor(private readonly connection: Connection) {
    const charts = charts_of_history.map(({ column, ...options }) => {
      const chart = new Chart({ ...options, sync: "hour" });
      this.charts.set(column, chart);
      return chart.element;
    });
    const grid = h("div", { class: "grid" });
    this.element = h(
      "div",
      { class: "activity", id: "activity", role: "tabpanel", "aria-label": "Activity" },
      h("h2", { class: "section-title" }, "The last hour"),
      this.note,
      h("div", { class: "charts" }, ...charts),
      h("h2", { class: "section-title" }, "Who is subscribed to what", this.subtitle),
      h("div", { class: "subscriptions" }, grid),
    );
    this.grid = new DataGrid(grid, { label: "Subscriptions", on_sort: () => this.grid.show(this.rows) });
    setInterval(() => {
      if (this.visible && !document.hidden) void this.refresh();
    }, refresh_ms);
  }

  set_visible(visible: boolean): void {
    this.visible = visible;
    if (visible) void this.refresh();
  }

  /** In the colours of another theme. */
  redraw(): void {
    for (const chart of this.charts.values()) chart.draw();
  }

  focus(): void {
    this.grid.focus();
  }

  private async refresh(): Promise<void> {
    await Promise.all([this.refresh_charts(), this.refresh_subscriptions()]);
  }

  private async refresh_charts(): Promise<void> {
    try {
      const history = await this.connection.fetch_json("/history");
      if (!is_history(history)) throw new Error("The server's answer to /history is not understood.");
      const column = (name: string) => history.columns.indexOf(name);
      const times = history.data.map((row) => row[column("time")] ?? 0);
      for (const [name, chart] of this.charts) chart.show(times, history.data.map((row) => row[column(name)] ?? null));
      this.note.hidden = true;
    } catch (error) {
      this.note.textContent = (error as Error).message;
      this.note.hidden = false;
    }
  }

  private async refresh_subscriptions(): Promise<void> {
    if (this.connection.state !== "open") return;
    try {
      const reply = await this.connection.query("show subscriptions");
      this.rows = reply.data.map((cells) => ({ cells }));
      const connections = new Set(reply.data.map((cells) => cells[0])).size;
      this.subtitle.textContent = `${plural(this.rows.length, "subscription")} of ${plural(connections, "connection")}`;
      if (this.grid.columns.length !== reply.columns.length || !this.grid.is_sized) this.grid.set_columns(reply.columns, this.rows);
      this.grid.show(this.rows);
    } catch (error) {
      this.subtitle.textContent = (error as Error).message;
    }
  }
}

