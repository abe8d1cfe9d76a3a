// The real server, on ports that it keeps when it is started again.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const program = process.env.PUBSUBSQLD ?? `${root}build/release/pubsubsqld`;
export const cli = process.env.PUBSUBSQL_CLI ?? join(dirname(program), "pubsubsql");

/** A port that nobody uses now. */
export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

export class Server {
  #flags;
  #process;
  #port;

  /** Starts one; again when somebody else has taken the port meanwhile. `t` is the test that stops it. */
  static async start(t, ...flags) {
    for (;;) {
      const server = new Server(flags, await freePort());
      if (await server.start()) {
        t.after(() => server.stop());
        return server;
      }
    }
  }

  constructor(flags, port) {
    this.#flags = flags;
    this.#port = port;
  }

  get url() {
    return `ws://127.0.0.1:${this.#port}/ws`;
  }

  get port() {
    return this.#port;
  }

  /** Whether it listens. */
  async start() {
    const flags = ["--port", "0", "--http-port", String(this.#port), ...this.#flags];
    this.#process = spawn(program, flags, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process.ended = once(this.#process, "exit");
    let log = "";
    for await (const line of createInterface(this.#process.stderr)) {
      log += `${line}\n`;
      if (!line.includes("http listening on")) continue;
      this.#process.stderr.resume();
      return true;
    }
    if (log.includes("Address already in use")) return false;
    throw new Error(`the server did not start:\n${log}`);
  }

  /** Ends it at once, as a crash does. */
  async kill() {
    this.#process.kill("SIGKILL");
    await this.#process.ended;
  }

  signal(name) {
    this.#process.kill(name);
  }

  async stop() {
    this.#process.kill("SIGTERM");
    this.#process.kill("SIGCONT");
    await this.#process.ended;
  }

  /** Its exit status, once it has ended by itself. */
  async wait() {
    const [status] = await this.#process.ended;
    return status;
  }
}

/** Until it holds. */
export async function waitFor(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
