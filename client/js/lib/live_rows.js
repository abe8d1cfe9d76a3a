import { usage } from "./errors.js";
import { RowSet, toObject } from "./rows.js";

function ambiguous(problem) {
  const advice = "name the table's primary key in the option `key` of subscribe(), or keep no rows with `rows: false`";
  return usage(`${problem}; ${advice}`);
}

/**
 * The rows of a subscription as its events leave them, by id; those of groups by the columns of `group by`. Rows are
 * never changed: an update puts a new object in the place of the old one.
 */
export class LiveRows {
  map = new Map();
  /**
   * Whether rows that are there may be told once more, as `on slow conflate` does when a subscription goes on. Until
   * clear().
   */
  mayRepeat = false;
  #keyNames;
  #groupColumns;
  #columns = [];
  #lastColumns = "";

  /** `keyNames`: the columns that tell rows apart, if given by the user. `groupColumns`: see describeSubscription(). */
  constructor(keyNames, groupColumns) {
    this.#keyNames = keyNames;
    this.#groupColumns = groupColumns;
  }

  clear() {
    this.map.clear();
    this.mayRepeat = false;
  }

  /** Throws when the event does not tell which rows it is about, or two rows cannot be told apart. */
  apply(event) {
    if (event.data.length === 0 || event.action === "publish") return;
    const keyOf = this.#keyFunction(event.columns);
    this.#noteColumns(event.columns);
    switch (event.action) {
      case "add":
      case "insert":
        for (const cells of event.data) this.#enter(keyOf(cells), event.columns, cells);
        break;
      case "update":
        for (const cells of event.data) this.#update(keyOf(cells), event.columns, cells);
        break;
      case "remove":
      case "delete":
        for (const cells of event.data) this.map.delete(keyOf(cells));
    }
  }

  /** All rows as an `add` event has them. */
  snapshot() {
    const columns = this.#columns;
    const data = Array.from(this.map.values(), (row) => columns.map((column) => row[column] ?? null));
    return new RowSet({ action: "add", columns, rows: data.length, data });
  }

  /** The server never enters a row that is there, so another one has its key. Groups cannot be mistaken for each other. */
  #enter(key, columns, cells) {
    if (this.#groupColumns === undefined && !this.mayRepeat && this.map.has(key)) {
      throw ambiguous(`two rows have the same ${this.#keyNames.join(", ")}, ${key}`);
    }
    this.map.set(key, toObject(columns, cells));
  }

  #update(key, columns, cells) {
    this.map.set(key, { ...this.map.get(key), ...toObject(columns, cells) });
  }

  #keyFunction(columns) {
    this.#keyNames ??= this.#defaultKey(columns);
    const at = this.#keyNames.map((name) => columns.indexOf(name));
    if (at.includes(-1)) {
      const [columnList, keyList] = [columns.join(", "), this.#keyNames.join(", ")];
      throw ambiguous(`an event with the columns ${columnList} does not tell its rows by ${keyList}`);
    }
    if (at.length === 1) return (cells) => cells[at[0]];
    return (cells) => JSON.stringify(at.map((i) => cells[i]));
  }

  #defaultKey(columns) {
    if (this.#groupColumns !== undefined) return columns.slice(0, this.#groupColumns);
    return [columns.includes("id") ? "id" : columns[0]];
  }

  #noteColumns(columns) {
    const joined = columns.join("\n");
    if (joined === this.#lastColumns) return;
    this.#lastColumns = joined;
    const added = columns.filter((column) => !this.#columns.includes(column));
    if (added.length > 0) this.#columns = [...this.#columns, ...added];
  }
}
