import { Client } from "./lib/client.js";

export { PubSubSqlError } from "./lib/errors.js";

/** Begins to connect to a server's WebSocket, such as "ws://localhost:7778/ws". See pubsubsql.d.ts. */
export function connect(url, options = {}) {
  return new Client(url, options);
}
