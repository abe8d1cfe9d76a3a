/** The rows of a subscription, made of its events. No DOM. */

import type { Cell, ChangeEvent } from "../client.js";
import { flash_ms } from "../grid/flash.js";
import type { Row } from "../grid/rows.js";

export interface Counters {
  inserted: number;
  updated: number;
  removed: number;
  lost: number;
}

/** What changed since the last frame. */
export interface Changes {
  /** Rows came or went. */
  structure: boolean;
  /** The places of cells that changed. */
  places: Set<number>;
  columns: boolean;
}

/** Rows that fade at the same time; beyond, the oldest go at once. */
const leaving_max = 1_000;

/** Published rows that are shown; beyond, the oldest go. They are stored nowhere, so nothing else takes them away. */
const published_max = 1_000;

type Cells = readonly Cell[];

/** What stands for NULL among keys: no text that a table would have. */
const null_key = "\u0000null";

interface Leaving {
  key: string;
  row: Row;
}

export class LiveRows {
  columns: string[] = [];
  /** In the order in which they came. Those that leave are among them until they have faded. */
  readonly rows = new Map<string, Row>();
  readonly counters: Counters = { inserted: 0, updated: 0, removed: 0, lost: 0 };
  changes: Changes = { structure: false, places: new Set(), columns: false };
  /** The number of rows that do not leave. */
  size = 0;
  private frame_ = 1;
  private now_ = 0;
  private settled = false;
  private leaving: Leaving[] = [];
  /** The keys of published rows, the oldest first. */
  private published: string[] = [];
  private published_count = 0;
  private place_of = new Map<string, number>();
  /** Of the columns of the event at hand, their places. */
  private places: number[] = [];

  /** `group_columns`: how many first columns tell groups apart; undefined: the rows have an id, or begin with their key. */
  constructor(private readonly group_columns: number | undefined) {}

  get frame(): number {
    return this.frame_;
  }

  /** How many changes of rows there were. */
  get events(): number {
    return this.counters.inserted + this.counters.updated + this.counters.removed;
  }

  /** When the changes of the current frame count as having been made. */
  get now(): number {
    return this.now_;
  }

  /** Begins a frame: what is applied from here on counts as changed at this time. */
  begin_frame(now: number): void {
    this.now_ = now;
  }

  /** Lets go of the rows that have faded by now. */
  expire(now: number): void {
    let gone = 0;
    while (gone < this.leaving.length && now - (this.leaving[gone]!.row.leaving ?? 0) >= flash_ms) ++gone;
    for (const { key, row } of this.leaving.splice(0, gone)) this.forget(key, row);
  }

  /** Whether rows are fading. */
  get is_fading(): boolean {
    return this.leaving.length > 0;
  }

  /** Ends a frame: what is applied from here on belongs to the next one. */
  end_frame(): void {
    ++this.frame_;
    this.changes = { structure: false, places: new Set(), columns: false };
  }

  apply(event: ChangeEvent): void {
    switch (event.action) {
      case "reset":
        return this.clear();
      case "gap":
        this.counters.lost += event.lost ?? 0;
        return this.clear();
      case "publish":
        return this.publish(event);
      case "add":
      case "insert":
        this.counters.inserted += event.data.length;
        break;
      case "update":
        this.counters.updated += event.data.length;
        break;
      case "remove":
      case "delete":
        this.counters.removed += event.data.length;
        break;
      default:
        return;
    }
    this.find_places(event.columns);
    const key_of = this.keys(event.columns);
    for (const cells of event.data) {
      const key = key_of(cells);
      if (event.action === "remove" || event.action === "delete") this.remove(key, cells);
      else this.put(key, cells, event.action !== "update");
    }
  }

  /** Rows that come from here on are seen to enter. */
  settle(): void {
    this.settled = true;
  }

  private clear(): void {
    this.rows.clear();
    this.leaving = [];
    this.published = [];
    this.size = 0;
    this.settled = false;
    this.changes.structure = true;
  }

  private publish(event: ChangeEvent): void {
    this.counters.inserted += event.data.length;
    this.find_places(event.columns);
    for (const cells of event.data) {
      const key = `\u0000published ${++this.published_count}`;
      this.put(key, cells, true);
      this.published.push(key);
      if (this.published.length <= published_max) continue;
      this.rows.delete(this.published.shift()!);
      --this.size;
    }
  }

  private find_places(columns: readonly string[]): void {
    this.places = columns.map((name) => {
      let place = this.place_of.get(name);
      if (place === undefined) {
        place = this.columns.length;
        this.columns.push(name);
        this.place_of.set(name, place);
        this.changes.columns = true;
      }
      return place;
    });
  }

  private keys(columns: readonly string[]): (cells: Cells) => string {
    const n = this.group_columns;
    if (n !== undefined && n !== 1) return (cells) => JSON.stringify(cells.slice(0, n));
    const at = n === undefined ? Math.max(columns.indexOf("id"), 0) : 0;
    return (cells) => cells[at] ?? null_key;
  }

  private put(key: string, values: Cells, is_new: boolean): void {
    const row = this.rows.get(key);
    if (row && !row.leaving) return this.change(row, values);
    const cells: Cell[] = [];
    values.forEach((value, i) => (cells[this.places[i]!] = value));
    ++this.size;
    this.changes.structure = true;
    const made: Row = { cells, frame: this.frame_ };
    if (this.settled && is_new) made.entered = this.now_;
    this.rows.set(key, made);
  }

  private change(row: Row, values: Cells): void {
    let cells: Cell[] | null = null;
    for (let i = 0; i < values.length; ++i) {
      const place = this.places[i]!;
      if (row.cells[place] === values[i]) continue;
      cells ??= row.cells.slice();
      cells[place] = values[i]!;
      row.flashed ??= new Map();
      row.flashed.set(place, this.now_);
      this.changes.places.add(place);
    }
    if (!cells) return;
    row.cells = cells;
    row.frame = this.frame_;
  }

  private remove(key: string, values: Cells): void {
    const row = this.rows.get(key);
    if (!row || row.leaving) return;
    this.change(row, values);
    row.leaving = this.now_;
    row.frame = this.frame_;
    --this.size;
    this.leaving.push({ key, row });
    if (this.leaving.length <= leaving_max) return;
    const oldest = this.leaving.shift()!;
    this.forget(oldest.key, oldest.row);
  }

  private forget(key: string, row: Row): void {
    if (!row.leaving || this.rows.get(key) !== row) return;
    this.rows.delete(key);
    this.changes.structure = true;
  }
}
