/** What all panels have: a header with a title, a filter and buttons, a grid, and a line of status below. */

import { append, copy_text, download, h, type Child } from "../dom.js";
import { icon, type IconName } from "../icons.js";
import { DataGrid } from "../grid/data_grid.js";
import { csv_of, json_of, tabbed } from "../grid/export.js";
import { notify } from "../notices.js";

export interface FrameOptions {
  kind: "result" | "live";
  label: string;
  on_close: () => void;
  on_filter: () => void;
  on_sort: () => void;
}

const filter_pause_ms = 120;

export function icon_button(name: IconName, label: string, onclick: () => void, extra: Record<string, string> = {}): HTMLButtonElement {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...extra }, icon(name));
}

export class PanelFrame {
  readonly element: HTMLElement;
  readonly title = h("h2", { class: "panel-title" });
  readonly badges = h("div", { class: "badges" });
  readonly note = h("div", { class: "panel-note", role: "status", hidden: true });
  readonly status = h("div", { class: "panel-status" });
  readonly filter: HTMLInputElement;
  readonly tools = h("div", { class: "panel-tools" });
  readonly body = h("div", { class: "panel-body" });
  readonly grid: DataGrid;

  constructor(options: FrameOptions) {
    this.filter = this.filter_box(options);
    const grid = h("div", { class: "grid" });
    this.body.append(grid);
    this.grid = new DataGrid(grid, { label: options.label, on_key: (e) => this.on_key(e), on_sort: options.on_sort });
    append(this.tools, [
      this.filter,
      this.copy_menu(),
      icon_button("close", options.kind === "live" ? "Close and unsubscribe" : "Close", options.on_close, { class: "icon-button close" }),
    ]);
    this.element = h(
      "section",
      { class: `panel ${options.kind}`, "aria-label": options.label },
      h("header", { class: "panel-header" }, h("div", { class: "panel-heading" }, this.title, this.badges), this.tools),
      this.note,
      this.body,
      h("footer", { class: "panel-footer" }, this.status),
    );
  }

  private filter_box(options: FrameOptions): HTMLInputElement {
    const box = h("input", {
      type: "search",
      class: "filter",
      placeholder: "Filter",
      "aria-label": "Show only rows that contain",
      spellcheck: "false",
      autocomplete: "off",
    });
    let timer = 0;
    box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => {
        this.grid.view.filter = box.value;
        options.on_filter();
      }, filter_pause_ms);
    });
    box.addEventListener("keydown", (e) => {
      if (e.key === "Escape" && box.value !== "") {
        e.stopPropagation();
        box.value = "";
        this.grid.view.filter = "";
        options.on_filter();
      } else if (e.key === "Enter" || e.key === "ArrowDown") this.grid.focus();
    });
    return box;
  }

  private copy_menu(): HTMLElement {
    const menu = h("details", { class: "menu" });
    const item = (label: string, keys: string, action: () => void) =>
      h("button", { type: "button", role: "menuitem", onclick: () => { menu.open = false; action(); } }, label, h("kbd", {}, keys));
    append(menu, [
      h("summary", { class: "icon-button", "aria-label": "Copy or save", title: "Copy or save" }, icon("copy")),
      h(
        "div",
        { class: "menu-items", role: "menu" },
        item("Copy cell", "Ctrl C", () => this.copy_cell()),
        item("Copy row", "Ctrl Shift C", () => this.copy_row()),
        item("Copy all as CSV", "", () => this.copy(csv_of(this.grid.columns, this.all()), "All rows copied as CSV")),
        item("Copy all as JSON", "", () => this.copy(json_of(this.grid.columns, this.all()), "All rows copied as JSON")),
        item("Save as CSV", "", () => download("rows.csv", "text/csv", csv_of(this.grid.columns, this.all()))),
      ),
    ]);
    menu.addEventListener("keydown", (e) => {
      if (e.key !== "Escape" || !menu.open) return;
      e.stopPropagation();
      menu.open = false;
      menu.querySelector("summary")?.focus();
    });
    menu.addEventListener("focusout", (e) => {
      if (!menu.contains(e.relatedTarget as Node | null)) menu.open = false;
    });
    return menu;
  }

  private all() {
    return this.grid.shown.filter((row) => !row.leaving).map((row) => row.cells);
  }

  private on_key(e: KeyboardEvent): boolean {
    if (!(e.ctrlKey || e.metaKey) || e.key.toLowerCase() !== "c") return false;
    e.preventDefault();
    if (e.shiftKey) this.copy_row();
    else this.copy_cell();
    return true;
  }

  private copy_cell(): void {
    const at = this.grid.active();
    if (!at) return notify("Choose a cell first: click it, or move to it with the arrow keys.");
    this.copy(at.value ?? "", at.value === null ? "NULL copied as an empty text" : "Cell copied");
  }

  private copy_row(): void {
    const at = this.grid.active();
    if (!at) return notify("Choose a row first: click it, or move to it with the arrow keys.");
    this.copy(tabbed(at.row.cells), "Row copied");
  }

  private copy(text: string, done: string): void {
    copy_text(text).then(() => notify(done), (error) => notify(`Nothing was copied: ${(error as Error).message}`));
  }

  set_title(text: string): void {
    this.title.textContent = text;
    this.title.title = text;
  }

  /** A line between the header and the rows; none for an empty text. */
  set_note(text: string, kind: "error" | "warning" | "info" = "info", ...more: Child[]): void {
    this.note.hidden = text === "";
    this.note.className = `panel-note ${kind}`;
    this.note.replaceChildren(text);
    append(this.note, more);
  }
}
