/** The table browser: tables with their numbers, and of an open table its columns and indexes. */

import type { Connection } from "../connection.js";
import { append, fill, h, plural, short_count } from "../dom.js";
import type { Schema } from "../editor/completion.js";
import { icon } from "../icons.js";
import { icon_button } from "../panels/panel_frame.js";
import { quoted_name } from "../statements.js";

interface Table {
  name: string;
  rows: number;
  subscriptions: number;
}

interface Column {
  name: string;
  type: string;
  nullable: boolean;
  key: string;
  fallback: string | null;
}

export interface TablesOptions {
  connection: Connection;
  on_select: (statement: string) => void;
  on_subscribe: (statement: string) => void;
}

const refresh_ms = 5_000;
const key_words: Record<string, string> = { PRI: "primary key", UNI: "unique index", MUL: "index" };

export class TableBrowser implements Schema {
  readonly element: HTMLElement;
  private readonly list = h("div", { class: "table-list", role: "list" });
  private readonly filter = h("input", { type: "search", class: "filter", placeholder: "Find a table", "aria-label": "Find a table", spellcheck: "false" });
  private known: Table[] = [];
  /** What is known of tables' columns, and what has been asked for. */
  private readonly described = new Map<string, Column[]>();
  private readonly asked = new Map<string, Promise<void>>();
  private open: string | null = null;
  private drawn = "";

  constructor(private readonly options: TablesOptions) {
    this.element = h(
      "aside",
      { class: "sidebar", id: "tables", "aria-label": "Tables" },
      h("div", { class: "sidebar-head" }, h("h2", {}, "Tables"), icon_button("refresh", "Read the tables anew", () => void this.refresh(true))),
      this.filter,
      this.list,
    );
    this.filter.addEventListener("input", () => this.draw());
    this.list.addEventListener("keydown", (e) => this.on_key(e));
    setInterval(() => {
      if (!document.hidden && this.element.offsetParent !== null && options.connection.state === "open") void this.refresh(false);
    }, refresh_ms);
  }

  tables(): string[] {
    return this.known.map((table) => table.name);
  }

  async columns(table: string): Promise<readonly Column[]> {
    await this.describe(table);
    return this.described.get(table) ?? [];
  }

  /** Reads the tables; with `all`, forgets what is known of their columns. */
  async refresh(all: boolean): Promise<void> {
    if (all) {
      this.described.clear();
      this.asked.clear();
    }
    try {
      const reply = await this.options.connection.query("show tables");
      this.known = reply.data.map((row) => ({ name: row[0] ?? "", rows: Number(row[1]), subscriptions: Number(row[3]) }));
      if (this.open !== null && !this.known.some((table) => table.name === this.open)) this.open = null;
      if (this.open !== null && all) await this.describe(this.open);
      this.draw();
    } catch (error) {
      if (this.known.length === 0) fill(this.list, h("p", { class: "hint" }, (error as Error).message));
    }
  }

  /** Reads a table's columns, unless they are known or asked for already. */
  private describe(table: string): Promise<void> {
    let reading = this.asked.get(table);
    if (!reading) {
      reading = this.read_columns(table);
      this.asked.set(table, reading);
    }
    return reading;
  }

  private async read_columns(table: string): Promise<void> {
    try {
      const reply = await this.options.connection.query(`describe ${quoted_name(table)}`);
      this.described.set(
        table,
        reply.data.map((row) => ({ name: row[0] ?? "", type: row[1] ?? "", nullable: row[2] === "YES", key: row[3] ?? "", fallback: row[4] ?? null })),
      );
      if (table === this.open) this.draw();
    } catch {
      this.asked.delete(table);
    }
  }

  /** Sets the keyboard to the first table, or to the filter if there is none. */
  focus(): void {
    (this.buttons()[0] ?? this.filter).focus();
  }

  private draw(): void {
    const needle = this.filter.value.trim().toLowerCase();
    const shown = this.known.filter((table) => table.name.toLowerCase().includes(needle));
    const state = JSON.stringify([shown, this.open, this.open === null ? null : this.described.get(this.open)]);
    if (state === this.drawn) return;
    this.drawn = state;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["table"];
    fill(this.list, ...shown.map((table) => this.item(table)));
    if (shown.length === 0) {
      append(this.list, [
        h("p", { class: "hint" }, this.known.length === 0 ? "There are no tables yet. They appear when a statement first names them:" : "No table has such a name."),
        this.known.length === 0 && h("code", { class: "hint-code" }, "insert into stocks (symbol, price) values (IBM, 100)"),
      ]);
    }
    if (focused !== undefined) {
      for (const button of this.buttons()) if (button.dataset["table"] === focused) button.focus();
    }
  }

  private buttons(): HTMLButtonElement[] {
    return Array.from(this.list.querySelectorAll<HTMLButtonElement>("button.table-name"));
  }

  private on_key(e: KeyboardEvent): void {
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    const all = this.buttons();
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    if (at < 0) return;
    e.preventDefault();
    all[at + (e.key === "ArrowDown" ? 1 : -1)]?.focus();
  }

  private item(table: Table): HTMLElement {
    const is_open = table.name === this.open;
    const name = quoted_name(table.name);
    return h(
      "div",
      { class: is_open ? "table-item open" : "table-item", role: "listitem" },
      h(
        "div",
        { class: "table-line" },
        h(
          "button",
          {
            type: "button",
            class: "table-name",
            "data-table": table.name,
            "aria-expanded": String(is_open),
            title: `${table.name}: ${plural(table.rows, "row")}, ${plural(table.subscriptions, "subscription")}`,
            onclick: () => this.toggle(table.name),
          },
          icon("table"),
          h("span", { class: "name" }, table.name),
          table.subscriptions > 0 && h("span", { class: "live-count", title: plural(table.subscriptions, "subscription") }, short_count(table.subscriptions)),
          h("span", { class: "row-count" }, short_count(table.rows)),
        ),
        icon_button("play", `Select from ${table.name}`, () => this.options.on_select(`select * from ${name}${table.rows > 1000 ? " limit 1000" : ""}`)),
        icon_button("live", `Subscribe to ${table.name}`, () => this.options.on_subscribe(`subscribe * from ${name}`)),
      ),
      is_open && this.details(table.name),
    );
  }

  private toggle(table: string): void {
    this.open = this.open === table ? null : table;
    this.draw();
    if (this.open === null) return;
    this.asked.delete(table);
    void this.describe(table);
  }

  private details(table: string): HTMLElement {
    const columns = this.described.get(table);
    if (!columns) return h("p", { class: "hint" }, "Reading its columns…");
    return h(
      "ul",
      { class: "columns", "aria-label": `Columns of ${table}` },
      ...columns.map((column) =>
        h(
          "li",
          { title: `${column.name} ${column.type}${column.nullable ? "" : " not null"}${column.fallback === null ? "" : ` default ${column.fallback}`}` },
          h("span", { class: "column-name" }, column.name),
          column.key !== "" && h("span", { class: `key ${column.key.toLowerCase()}`, title: key_words[column.key] ?? column.key }, column.key === "PRI" ? "PK" : column.key === "UNI" ? "UNIQUE" : "INDEX"),
          h("span", { class: "column-type" }, column.type + (column.nullable ? "" : " ·")),
        ),
      ),
    );
  }
}
