/** The rows that a grid shows, and the view of them: filtered and sorted. No DOM. */

import type { Cell } from "../client.js";

export interface Row {
  /** Replaced as a whole when a cell changes, so that who holds it holds a state. */
  cells: readonly Cell[];
  /** When each cell changed last, as of performance.now(); absent until one does. */
  flashed?: Map<number, number>;
  /** The frame in which it changed last. */
  frame?: number;
  /** When it entered, if that is to be seen. */
  entered?: number;
  /** When it began to leave; 0 or absent: it stays. */
  leaving?: number;
}

export interface Sort {
  column: number;
  ascending: boolean;
}

const number_form = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;

/** What a cell sorts by: NULL before numbers before texts, as in the server. */
function sort_key(cell: Cell): number | string | null {
  if (cell === null || cell === undefined) return null;
  return number_form.test(cell) ? Number(cell) : cell;
}

const rank = (key: number | string | null): number => (key === null ? 0 : typeof key === "number" ? 1 : 2);

function compare(a: number | string | null, b: number | string | null): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const ranks = rank(a) - rank(b);
  if (ranks !== 0 || a === null || b === null) return ranks;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The rows in another order; those that are equal keep theirs. */
export function sorted(rows: Row[], sort: Sort): Row[] {
  const sign = sort.ascending ? 1 : -1;
  const keyed = rows.map((row) => ({ row, key: sort_key(row.cells[sort.column] ?? null) }));
  keyed.sort((a, b) => sign * compare(a.key, b.key));
  return keyed.map((k) => k.row);
}

/** Whether any cell contains the text, in any case. REQUIRES: `needle` is in lower case. */
export function contains(row: Row, needle: string): boolean {
  for (const cell of row.cells) {
    if (cell !== null && cell !== undefined && cell.toLowerCase().includes(needle)) return true;
  }
  return false;
}

export interface View {
  filter: string;
  sort: Sort | null;
}

/** The rows of a view. The array is always a new one. */
export function view_of(rows: Iterable<Row>, view: View): Row[] {
  const needle = view.filter.trim().toLowerCase();
  let shown = Array.from(rows);
  if (needle !== "") shown = shown.filter((row) => contains(row, needle));
  return view.sort ? sorted(shown, view.sort) : shown;
}

/** Whether all values that a column has in these rows are numbers, so that it is set to the right. */
export function is_numeric(rows: Row[], column: number): boolean {
  let seen = false;
  for (const row of rows) {
    const cell = row.cells[column];
    if (cell === null || cell === undefined) continue;
    if (!number_form.test(cell)) return false;
    seen = true;
  }
  return seen;
}
