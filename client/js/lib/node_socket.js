import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { encodeFrame, FrameReader, opcodes } from "./frames.js";

const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const closingMs = 2_000;

/**
 * A WebSocket (RFC 6455) for a Node that has none, with the part of the browsers' interface that this library uses:
 * text messages, on... handlers, send(), close() and bufferedAmount.
 */
export class NodeSocket {
  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;
  #request;
  #stream;
  #reader = new FrameReader((opcode, payload) => this.#handle(opcode, payload));
  #closing;
  #closed = false;

  /** `tls`: options of node:tls, such as `ca`. */
  constructor(url, tls = {}) {
    const address = new URL(url);
    const isSecure = address.protocol === "wss:";
    address.protocol = isSecure ? "https:" : "http:";
    const key = randomBytes(16).toString("base64");
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": key,
    };
    this.#request = (isSecure ? httpsRequest : httpRequest)(address, { ...tls, headers, agent: false });
    this.#request.on("upgrade", (response, stream, head) => this.#upgraded(response, stream, head, key));
    this.#request.on("response", (response) => this.#refused(response));
    this.#request.on("error", (error) => this.#fail(describe(error)));
    this.#request.end();
  }

  /** Bytes that wait to be sent. */
  get bufferedAmount() {
    return this.#stream?.writableLength ?? 0;
  }

  /** Sends a text; ignored when it is not open. */
  send(text) {
    if (this.#stream && !this.#closing) this.#write(opcodes.text, Buffer.from(text));
  }

  close() {
    if (this.#closed || this.#closing) return;
    if (!this.#stream) {
      this.#request.destroy();
      return this.#end("closed before it was open");
    }
    this.#startClosing(1000);
  }

  #upgraded(response, stream, head, key) {
    const expected = createHash("sha1").update(key + acceptSuffix).digest("base64");
    if (response.headers["sec-websocket-accept"] !== expected) {
      stream.destroy();
      return this.#fail("what answers there is no WebSocket");
    }
    this.#stream = stream;
    stream.setNoDelay(true);
    stream.setTimeout(0);
    stream.on("data", (bytes) => this.#read(bytes));
    stream.on("error", (error) => this.#fail(describe(error)));
    stream.on("close", () => this.#end("the connection broke"));
    stream.on("end", () => stream.destroy());
    this.onopen?.({ type: "open" });
    if (head.length > 0) this.#read(head);
  }

  #refused(response) {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (text) => (body = (body + text).slice(0, 1_000)));
    response.on("end", () => this.#fail(`HTTP status ${response.statusCode}${body && ": "}${body.trim()}`));
    response.on("error", () => this.#fail(`HTTP status ${response.statusCode}`));
  }

  #read(bytes) {
    if (this.#closed) return;
    const problem = this.#reader.read(bytes);
    if (problem === undefined) return;
    this.#startClosing(1002);
    this.#fail(problem);
  }

  #handle(opcode, payload) {
    if (this.#closed) return;
    if (opcode === opcodes.text) return this.onmessage?.({ type: "message", data: payload });
    if (opcode === opcodes.ping) return this.#write(opcodes.pong, payload);
    if (opcode !== opcodes.close) return;
    const reason = payload.length > 2 ? payload.subarray(2).toString() : "";
    if (!this.#closing) this.#startClosing(1000);
    this.#stream.end();
    this.#end(reason);
  }

  #startClosing(code) {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.#write(opcodes.close, payload);
    this.#closing = setTimeout(() => this.#stream.destroy(), closingMs);
  }

  #write(opcode, payload) {
    if (this.#stream.writable) this.#stream.write(encodeFrame(opcode, payload));
  }

  #fail(message) {
    if (this.#closed) return;
    this.onerror?.({ type: "error", message });
    this.#stream?.destroy();
    this.#end(message);
  }

  #end(reason) {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#closing);
    if (this.#stream) setTimeout(() => this.#stream.destroy(), closingMs).unref();
    this.onclose?.({ type: "close", reason });
  }
}

/** An error of several attempts, of which Node tells only a code, in words. */
function describe(error) {
  return error.message || error.errors?.map((each) => each.message).join("; ") || error.code || "it failed";
}
