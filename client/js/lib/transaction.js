import { verbOf } from "./statement.js";

const deadlock = 1213;

/** Whether a connection has a transaction, told by what is sent and answered; in doubt it has. */
export class TransactionTracker {
  open = false;

  sent(sql) {
    if (begins(sql)) this.open = true;
  }

  answered(sql, { status, code }) {
    if (begins(sql)) this.open &&= status === "ok";
    else if (code === deadlock || ends(sql)) this.open = false;
  }
}

export function begins(sql) {
  return ["begin", "start"].includes(verbOf(sql));
}

export function ends(sql) {
  return ["commit", "rollback"].includes(verbOf(sql));
}
