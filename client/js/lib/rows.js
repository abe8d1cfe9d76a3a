/** Sets a member of a row, whatever its column is called. */
function assign(row, column, value) {
  if (column !== "__proto__") row[column] = value;
  else Object.defineProperty(row, column, { value, writable: true, enumerable: true, configurable: true });
}

export function toObject(columns, cells) {
  const row = {};
  for (let i = 0; i < columns.length; ++i) assign(row, columns[i], cells[i]);
  return row;
}

/**
 * Columns and rows, with what else a message of the server says. `rows` is 0 where it says nothing of rows, and not
 * enumerable then, so that the enumerable members beside `columns` and `data` are those of the message.
 */
export class RowSet {
  constructor(members) {
    Object.assign(this, members);
    this.columns ??= [];
    this.data ??= [];
    if (this.rows === undefined) Object.defineProperty(this, "rows", { value: 0 });
  }

  /** The rows as objects, by the names of the columns. */
  objects() {
    return this.data.map((cells) => toObject(this.columns, cells));
  }
}
