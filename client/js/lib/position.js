import { usage } from "./errors.js";
import { clauseIndex } from "./statement.js";

/** Throws for what is no position. */
export function checkPosition(since) {
  if (since === undefined || (Number.isSafeInteger(since) && since >= 0)) return;
  throw usage(`since: ${String(since)} is no position; give the \`seq\` of an event, or \`position\` of a subscription`);
}

/**
 * How far a subscription has come in the changes of its table, and how it is asked for on the next connection.
 *
 * Invariant: `value` is there exactly when all rows up to it are known, so that the changes behind it are all that is
 * missing. While initial rows come it is not.
 */
export class Position {
  value;
  #sql;
  #clauseIndex;
  #skips;

  /** `skips`: there are no initial rows. `since`: where to begin, if that was said. */
  constructor(sql, skips, since) {
    checkPosition(since);
    this.#sql = sql;
    this.#clauseIndex = clauseIndex(sql);
    this.#skips = skips;
    this.value = since;
  }

  /** The statement with the clause that asks for positions, or to go on behind this one. */
  statement() {
    const clause = this.value === undefined ? " with seq" : ` since ${this.value}`;
    return this.#sql.slice(0, this.#clauseIndex) + clause + this.#sql.slice(this.#clauseIndex);
  }

  /** Whether a server said no because it does not know the clause. Other errors have a code, or are in the statement. */
  isUnknown({ kind, code, index }) {
    return kind === "refused" && code === undefined && (index === undefined || index >= this.#clauseIndex);
  }

  /** The answer to statement(); undefined members for a server that has no positions. Whether it goes on where it was. */
  agreed({ seq, resync }) {
    const goesOn = seq !== undefined && this.value !== undefined && resync !== true;
    if (!goesOn) this.value = this.#skips ? seq : undefined;
    return goesOn;
  }

  passed({ action, seq, snapshot }) {
    if (action === "gap" && !this.#skips) this.value = undefined;
    else if (snapshot === "end" || this.value !== undefined) this.value = seq ?? this.value;
  }
}
