/** What the console does not run, and its own words for what the client library refuses, which speaks to programs. */

import { preparedVerbOf, verbOf } from "../../js/lib/statement.js";
import { PubSubSqlError } from "./client.js";

/** Statements that have another place here, and which. */
const elsewhere: Record<string, string> = {
  close: "The console keeps its connection: close the page to end it.",
  stream: "Leave out `stream`: here each statement has an answer.",
  subscribe: "Write the `subscribe` statement by itself: run so, it opens a panel.",
  unsubscribe: "Press “Close and unsubscribe” at the head of the subscription's panel.",
};

/** What cannot be prepared, since the page has to see it when it runs. */
const as_written = new Set([...Object.keys(elsewhere), "begin", "start", "commit", "rollback", "stop"]);

/** Why the console does not run a statement, and what to do instead; undefined if it does. */
export function refusal_of(statement: string): string | undefined {
  const verb = verbOf(statement);
  if (Object.hasOwn(elsewhere, verb)) return elsewhere[verb];
  const prepared = preparedVerbOf(statement);
  if (!as_written.has(prepared)) return undefined;
  return `\`${prepared}\` cannot be prepared in the console. ${elsewhere[prepared] ?? "Run it by itself."}`;
}

/** By the kind of an error: what it means here. `usage`, as statements are looked at before, is left to subscriptions. */
const meanings: Record<string, string> = {
  closed: "Another user has signed in meanwhile; the statement may have been executed.",
  usage:
    "The rows cannot be kept live, as the events do not tell them apart: the table's column `id` is not its own id. "
    + "Run `select` in place of `subscribe`, or subscribe to groups with `group by`.",
};

/** What to tell the user of an error. */
export function words_of(error: unknown): string {
  const { message } = error as Error;
  return error instanceof PubSubSqlError ? (meanings[error.kind] ?? message) : message;
}
