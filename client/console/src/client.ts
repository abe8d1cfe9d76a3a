/** The client library, as the console uses it. */
export { connect, PubSubSqlError } from "../../js/pubsubsql.js";
export type { Cell, ChangeEvent, Client, Result, State, Subscription } from "../../js/pubsubsql.js";
