// The real server on free ports, and a connection to it in text mode.
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import readline from "node:readline";
import { freePort } from "../../../client/js/test/server.js";

const program = process.env.PUBSUBSQLD ?? "build/release/pubsubsqld";

export class Server {
  #process = null;
  #flags;
  #environment;
  port = 0;
  http_port = 0;

  constructor(flags, environment) {
    this.#flags = flags;
    this.#environment = environment;
  }

  /// Starts the server; `flags` are added to those for the ports. Tried again when a port was taken meanwhile.
  static async start(flags = [], environment = {}) {
    for (let attempt = 1; ; ++attempt) {
      const server = new Server(flags, environment);
      server.port = await freePort();
      server.http_port = await freePort();
      try {
        await server.start_again();
        return server;
      } catch (error) {
        if (attempt === 5) throw error;
      }
    }
  }

  get url() {
    return `http://127.0.0.1:${this.http_port}/`;
  }

  /// Starts on the same ports as before.
  async start_again() {
    const ports = ["--port", String(this.port), "--http-port", String(this.http_port)];
    const child = spawn(program, [...ports, ...this.#flags], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...this.#environment },
    });
    this.#process = child;
    const log = [];
    await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`the server ended:\n${log.join("\n")}`)));
      readline.createInterface(child.stderr).on("line", (line) => {
        if (log.length < 1_000) log.push(line);
        if (line.includes("http listening on")) resolve();
      });
    });
  }

  async stop(signal = "SIGTERM") {
    const child = this.#process;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}

/// A connection in text mode, for what the tests do behind the console's back.
export class Client {
  #socket;
  #waiting = [];

  static async connect(port) {
    const client = new Client();
    client.#socket = net.connect(port, "127.0.0.1");
    await once(client.#socket, "connect");
    readline.createInterface(client.#socket).on("line", (line) => {
      const reply = JSON.parse(line);
      client.#waiting.shift()?.(reply);
    });
    return client;
  }

  /// Runs a statement of one line, whose answer is one line.
  async run(sql) {
    const reply = new Promise((resolve) => this.#waiting.push(resolve));
    this.#socket.write(`${sql}\n`);
    const answer = await reply;
    if (answer.status !== "ok") throw new Error(`${sql}: ${answer.msg}`);
    return answer;
  }

  close() {
    this.#socket.destroy();
  }
}

/// Changes rows of `quotes` at a rate until it is stopped.
export class Feed {
  #client;
  #timer;
  #rows;
  sent = 0;

  static async start(port, { rows, rate }) {
    const feed = new Feed();
    feed.#client = await Client.connect(port);
    feed.#rows = rows;
    await feed.#client.run("key quotes symbol");
    for (let i = 0; i < rows; ++i) {
      await feed.#client.run(`insert into quotes (symbol, bid, volume) values (S${i}, ${i}, 0)`);
    }
    const begun = performance.now();
    feed.#timer = setInterval(() => feed.#send(Math.floor(((performance.now() - begun) * rate) / 1_000)), 5);
    return feed;
  }

  #send(wanted) {
    for (; this.sent < wanted; ++this.sent) {
      const row = (this.sent * 7) % this.#rows;
      void this.#client.run(`update quotes set bid = ${(this.sent % 9973) / 10}, volume = ${this.sent} where symbol = S${row}`).catch(() => {});
    }
  }

  stop() {
    clearInterval(this.#timer);
    this.#client.close();
  }
}
