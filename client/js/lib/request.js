import { PubSubSqlError, usage } from "./errors.js";

/** The text of one value in a request, as JSON. */
function encodeValue(value, position) {
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "bigint":
      return String(value);
    case "number":
      if (Number.isFinite(value)) return JSON.stringify(value);
      throw usage(`value ${position} is ${value}, which SQL has not; use null or a text`);
    case "object":
      if (value === null) return "null";
      if (value instanceof Date) return encodeDate(value, position);
  }
  const what = value === undefined ? "undefined" : Array.isArray(value) ? "an array" : `of type ${typeof value}`;
  throw usage(`value ${position} is ${what}; values are strings, numbers, bigints, booleans, dates and null`);
}

/** A date as `datetime` has it, in UTC. */
function encodeDate(value, position) {
  if (Number.isNaN(value.getTime())) throw usage(`value ${position} is no valid date`);
  return JSON.stringify(value.toISOString().replace("T", " ").replace("Z", ""));
}

/** What is sent of a statement, but for its id. Throws a usage error for values that cannot be sent. */
export function encodeBody(sql, values) {
  if (typeof sql !== "string") throw usage("a statement is a string");
  if (values === undefined || values === null) return `"sql":${JSON.stringify(sql)}}`;
  if (!Array.isArray(values)) throw usage("the values of a statement are an array, one for each `?` in it");
  const encoded = values.map((value, at) => encodeValue(value, at + 1));
  return `"sql":${JSON.stringify(sql)},"values":[${encoded.join(",")}]}`;
}

/**
 * A statement on its way. It comes to an end once: with a result, with an error of the server's, when the connection
 * breaks, when its time is over, or when its caller gives it up. Later answers go nowhere.
 */
export class Request {
  #body;
  #onresult;
  #onerror;
  #timer;
  #signal;
  #abort;
  #sent = false;
  settled = false;

  /** `body` is that of encodeBody(); `timeout` is in milliseconds, 0 for none: then nobody waits for a time. */
  constructor(sql, body, { timeout = 0, signal, onresult, onerror }) {
    this.sql = sql;
    this.timeout = timeout;
    this.#body = body;
    this.#onresult = onresult;
    this.#onerror = onerror;
    if (timeout > 0) this.#timer = setTimeout(() => this.#timedOut(timeout), timeout);
    if (signal) this.#watch(signal);
  }

  encode(id) {
    this.#sent = true;
    return `{"id":${id},${this.#body}`;
  }

  succeed(result) {
    if (this.#settle()) this.#onresult(result);
  }

  fail(error) {
    if (this.#settle()) this.#onerror(error);
  }

  #settle() {
    if (this.settled) return false;
    this.settled = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
    return true;
  }

  #watch(signal) {
    this.#signal = signal;
    this.#abort = () => this.fail(signal.reason);
    if (signal.aborted) this.#abort();
    else signal.addEventListener("abort", this.#abort);
  }

  #timedOut(timeout) {
    const sentFate = "the statement may have been executed, or still be";
    const fate = this.#sent ? sentFate : "there was no connection to send it on";
    this.fail(new PubSubSqlError("timeout", `no answer within ${timeout} ms; ${fate}`));
  }
}
