/** A SlickGrid of rows. It draws only what is in view, and after a change only the cells that changed. */

import { SlickGrid, type Column, type FormatterResultWithText } from "slickgrid";
import type { Cell } from "../client.js";
import { flash_ms, replay_flash, start_flash } from "./flash.js";
import { is_numeric, view_of, type Row, type Sort, type View } from "./rows.js";

export interface DataColumn extends Column<Row> {
  /** The place of its values in a row. */
  place: number;
}

const row_height = 26;
const cell_text_max = 2_000;
const samples_max = 100;

/** What a cell shows. Of very long texts only the beginning: copying takes all of it. */
function format(_row: number, _cell: number, value: Cell | undefined): FormatterResultWithText {
  if (value === null || value === undefined) return { text: "NULL", addClasses: "null" };
  const text = value.length > cell_text_max ? value.slice(0, cell_text_max) + "…" : value;
  return { text: text === "" ? " " : text, removeClasses: "null" };
}

/** Some rows from all over. */
function sample_of(rows: Row[]): Row[] {
  const step = Math.max(1, rows.length / samples_max);
  return Array.from({ length: Math.min(rows.length, samples_max) }, (_, i) => rows[Math.floor(i * step)]!);
}

/** How wide a column has to be for its name and the values in these rows, in pixels. */
function width_of(name: string, place: number, rows: Row[]): number {
  let longest = 0;
  for (const row of rows) longest = Math.max(longest, (row.cells[place] ?? "NULL").length);
  return Math.round(Math.min(Math.max(longest * 7.4 + 20, name.length * 6.8 + 30, 48), 380));
}

export interface DataGridOptions {
  label: string;
  /** Called with what is to be copied or opened when a key asks for it. */
  on_key?: (event: KeyboardEvent) => boolean;
  on_sort?: () => void;
}

export class DataGrid {
  readonly view: View = { filter: "", sort: null };
  /** What the grid shows, top to bottom. */
  shown: Row[] = [];
  private columns_: string[] = [];
  private readonly grid: SlickGrid<Row, DataColumn>;
  private readonly resizing: ResizeObserver;
  private sized = false;
  private ready = false;

  constructor(readonly element: HTMLElement, options: DataGridOptions) {
    const grid = this;
    const data = {
      getLength: () => grid.shown.length,
      getItem: (index: number) => grid.shown[index]!,
      getItemMetadata: (index: number) => {
        const row = grid.shown[index];
        return row?.leaving ? { cssClasses: "leaving" } : null;
      },
    };
    this.grid = new SlickGrid<Row, DataColumn>(element, data, [], {
      explicitInitialization: true,
      suppressCssChangesOnHiddenInit: true,
      rowHeight: row_height,
      enableHtmlRendering: false,
      enableCellNavigation: true,
      enableColumnReorder: false,
      enableTextSelectionOnCells: false,
      fullWidthRows: true,
      multiColumnSort: false,
      tristateMultiColumnSort: false,
      minRowBuffer: 4,
      maxRowBuffer: 12,
      scrollRenderThrottling: 0,
      rowTopOffsetRenderType: "transform",
      defaultFormatter: format as never,
      dataItemColumnValueExtractor: (row: Row, column: DataColumn) => row.cells[column.place],
    });
    element.setAttribute("aria-label", options.label);
    this.grid.onSort.subscribe((_event, sort) => {
      if (sort.multiColumnSort) return;
      const column = sort.sortCol as DataColumn | null;
      this.view.sort = column ? { column: column.place, ascending: sort.sortAsc } : null;
      options.on_sort?.();
    });
    this.grid.onKeyDown.subscribe((event) => {
      const key = event.getNativeEvent<KeyboardEvent>();
      if (options.on_key?.(key)) event.stopImmediatePropagation();
    });
    this.resizing = new ResizeObserver(() => this.fit());
    this.resizing.observe(element);
  }

  /** The grid measures itself, so it begins once its element has a size. */
  private fit(): void {
    if (this.element.offsetWidth === 0 || this.element.offsetHeight === 0) return;
    if (this.ready) return this.grid.resizeCanvas();
    this.ready = true;
    this.grid.init();
    this.mark_sort();
    this.grid.invalidate();
  }

  get columns(): string[] {
    return this.columns_;
  }

  /** Shows these columns, as wide as some of the rows need. Those that were there keep their widths and places. */
  set_columns(names: readonly string[], rows: Row[]): void {
    const sample = sample_of(rows);
    this.columns_ = names.slice();
    const present = new Map(this.grid.getColumns().map((column) => [column.place, column]));
    const made = names.map((name, place): DataColumn => {
      const old = present.get(place);
      if (old && old.name === name && this.sized) return old;
      return this.column(name, place, sample);
    });
    this.sized = sample.length > 0;
    this.grid.setColumns(made);
    this.element.setAttribute("aria-colcount", String(names.length));
  }

  private column(name: string, place: number, sample: Row[]): DataColumn {
    const numeric = is_numeric(sample, place);
    return {
      id: `c${place}`,
      field: "cells" as never,
      place,
      name,
      toolTip: name,
      sortable: true,
      minWidth: 40,
      width: width_of(name, place, sample),
      cssClass: numeric ? "numeric" : "",
      headerCssClass: numeric ? "numeric" : "",
    };
  }

  /** Whether the columns' widths have been taken from rows yet. */
  get is_sized(): boolean {
    return this.sized;
  }

  sort_by(sort: Sort | null): void {
    this.view.sort = sort;
    if (this.ready) this.mark_sort();
  }

  private mark_sort(): void {
    const sort = this.view.sort;
    this.grid.setSortColumns(sort ? [{ columnId: `c${sort.column}`, sortAsc: sort.ascending }] : []);
  }

  /** Computes the view of these rows anew and draws the rows that are others than before. */
  show(rows: Iterable<Row>): void {
    this.show_view(view_of(rows, this.view));
  }

  /** Shows rows that are in the view's order already. */
  show_view(next: Row[]): void {
    if (!this.ready) {
      this.shown = next;
      return;
    }
    const range = this.grid.getRenderedRange();
    const before = this.shown;
    this.shown = next;
    const others: number[] = [];
    for (let i = Math.max(0, range.top); i <= range.bottom; ++i) if (before[i] !== next[i]) others.push(i);
    if (others.length > 0) this.grid.invalidateRows(others);
    if (before.length !== next.length) {
      this.grid.updateRowCount();
      this.element.setAttribute("aria-rowcount", String(next.length));
    }
    if (others.length === 0 && before.length === next.length) return;
    this.grid.render();
    this.replay(others);
  }

  /** Draws the cells in view that changed in this frame, and makes them flash. */
  paint(frame: number, now: number): void {
    if (!this.ready) return;
    const range = this.grid.getRenderedRange();
    for (let i = Math.max(0, range.top); i <= range.bottom && i < this.shown.length; ++i) {
      const row = this.shown[i]!;
      if (row.frame !== frame) continue;
      const line = this.grid.getCellNode(i, 0)?.parentElement;
      line?.classList.toggle("leaving", Boolean(row.leaving));
      if (row.entered === now && line) start_flash(line, "enter");
      if (!row.flashed) continue;
      for (const [place, at] of row.flashed) if (at === now) this.paint_cell(i, place);
    }
  }

  private paint_cell(row: number, place: number): void {
    const cell = this.grid.getColumnIndex(`c${place}`);
    if (cell === undefined) return;
    this.grid.updateCell(row, cell);
    const node = this.grid.getCellNode(row, cell);
    if (node) start_flash(node, "change");
  }

  /** Rows that were drawn anew go on flashing where they were. */
  private replay(indexes: number[]): void {
    const now = performance.now();
    for (const i of indexes) {
      const row = this.shown[i];
      if (!row) continue;
      if (row.entered !== undefined && now - row.entered < flash_ms) {
        const line = this.grid.getCellNode(i, 0)?.parentElement;
        if (line) replay_flash(line, "enter", now - row.entered);
      }
      for (const [place, at] of row.flashed ?? []) {
        if (now - at >= flash_ms) continue;
        const node = this.grid.getCellNode(i, this.grid.getColumnIndex(`c${place}`) ?? -1);
        if (node) replay_flash(node, "change", now - at);
      }
    }
  }

  /** The row and the value under the cursor. */
  active(): { row: Row; value: Cell } | null {
    const at = this.grid.getActiveCell();
    if (!at) return null;
    const row = this.shown[at.row];
    const column = this.grid.getColumns()[at.cell];
    return row && column ? { row, value: row.cells[column.place] ?? null } : null;
  }

  /** Sets the cursor to a cell, the first one if there was none. */
  focus(): void {
    if (this.ready && this.shown.length > 0 && !this.grid.getActiveCell()) this.grid.setActiveCell(0, 0);
    if (this.ready) this.grid.focus();
  }

  scroll_to_top(): void {
    if (this.ready) this.grid.scrollRowToTop(0);
  }

  destroy(): void {
    this.resizing.disconnect();
    this.grid.destroy();
  }
}
