/** Rows as text: CSV as in RFC 4180, JSON as an array of objects. */

import type { Cell } from "../client.js";

type Rows = readonly (readonly Cell[])[];

/** NULL is nothing between the commas, an empty text is a pair of quotes. */
function csv_cell(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  return cell === "" || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

export function csv_of(columns: readonly string[], rows: Rows): string {
  const lines = [columns.map(csv_cell).join(",")];
  for (const row of rows) lines.push(columns.map((_, i) => csv_cell(row[i])).join(","));
  return lines.join("\r\n") + "\r\n";
}

export function json_of(columns: readonly string[], rows: Rows): string {
  const objects = rows.map((row) => JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null]))));
  return objects.length === 0 ? "[]\n" : `[\n  ${objects.join(",\n  ")}\n]\n`;
}

/** One row with tabs between, as spreadsheets take it. */
export const tabbed = (row: readonly Cell[]): string => row.map((cell) => (cell ?? "").replace(/[\t\r\n]/g, " ")).join("\t");
