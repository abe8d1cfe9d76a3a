// A server of which a test says every word, in place of the platform's WebSocket.

import assert from "node:assert/strict";
import { waitFor } from "./server.js";

/** One connection: what was asked on it, and what the test answers. */
export class ScriptedConnection {
  bufferedAmount = 0;
  #asked = [];

  /** The next statement, as {id, sql, values}. */
  async ask(sql, values) {
    await waitFor(() => this.#asked.length > 0);
    const request = this.#asked.shift();
    assert.deepEqual([request.sql, request.values], [sql, values]);
    return request;
  }

  /** Waits for a statement and answers it. */
  async answer(sql, reply, values) {
    const { id } = await this.ask(sql, values);
    this.tell({ requestid: id, ...reply });
  }

  tell(message) {
    this.onmessage?.({ data: JSON.stringify({ status: "ok", ...message }) });
  }

  /** The connection is gone. */
  cut() {
    this.onclose?.({ reason: "cut" });
  }

  // As a WebSocket

  send(text) {
    this.#asked.push(JSON.parse(text));
  }

  close() {}
}

export class ScriptedServer {
  #opened = [];
  WebSocket;

  constructor() {
    const opened = this.#opened;
    this.WebSocket = class extends ScriptedConnection {
      constructor() {
        super();
        setImmediate(() => this.onopen?.());
        opened.push(this);
      }
    };
  }

  /** The next connection that a client makes. */
  async accept() {
    await waitFor(() => this.#opened.length > 0);
    return this.#opened.shift();
  }
}
