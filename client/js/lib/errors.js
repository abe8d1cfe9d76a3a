const utf8 = new TextEncoder();

/** The one error of this library; `kind` is for programs, `message` for people. */
export class PubSubSqlError extends Error {
  constructor(kind, message, { code, sqlstate, offset, index, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "PubSubSqlError";
    this.kind = kind;
    this.code = code;
    this.sqlstate = sqlstate;
    this.offset = offset;
    this.index = index;
  }
}

/** What the server said no with, to the statement `sql`. */
export function refusal(message, sql) {
  const { msg, code, sqlstate, offset } = message;
  return new PubSubSqlError("refused", String(msg), { code, sqlstate, offset, index: indexOf(sql, offset) });
}

export function usage(message) {
  return new PubSubSqlError("usage", message);
}

/** The place in a string that is `offset` bytes behind its beginning in UTF-8. */
function indexOf(sql, offset) {
  if (offset === undefined) return undefined;
  let bytes = 0;
  let index = 0;
  for (const character of sql) {
    if (bytes >= offset) break;
    bytes += utf8.encode(character).length;
    index += character.length;
  }
  return index;
}
