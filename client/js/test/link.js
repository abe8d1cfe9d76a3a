// A network between a client and a server that a test can interrupt.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Link {
  #port;
  #listener = createServer((socket) => this.#pass(socket));
  #sockets = new Set();
  #cut = false;

  /** To a port of this machine; `t` is the test that it ends with. */
  static async to(t, port) {
    const link = new Link(port);
    link.#listener.listen(0, "127.0.0.1");
    await once(link.#listener, "listening");
    t.after(() => {
      link.cut();
      link.#listener.close();
    });
    return link;
  }

  constructor(port) {
    this.#port = port;
  }

  get url() {
    return `ws://127.0.0.1:${this.#listener.address().port}/ws`;
  }

  /** Ends all connections, and lets none through until mend(). */
  cut() {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#cut = false;
  }

  #pass(near) {
    if (this.#cut) return near.destroy();
    const far = connect(this.#port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]]) {
      this.#sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}
