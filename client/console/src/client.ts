/** The client library, as the console uses it. */
export { connect, PubSubSqlError } from "./thin_client.js";
export type { Cell, Database, Event, Result, State, Subscription } from "./thin_client.js";
