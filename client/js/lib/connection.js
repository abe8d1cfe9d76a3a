import { PubSubSqlError, refusal } from "./errors.js";
import { encodeBody, Request } from "./request.js";
import { RowSet } from "./rows.js";
import { TransactionTracker } from "./transaction.js";

const idMax = 0xffff_ffff;

/**
 * The protocol on one WebSocket that is open: sends requests, gives each its answer, passes events on, and notices when
 * the other side is dead. Ends once, and then fails what was under way.
 */
export class Connection {
  #socket;
  #limits;
  #onevent;
  #onend;
  #pending = new Map();
  #lastId = 0;
  #ended = false;
  #heard = true;
  #silentTicks = 0;
  #heart;
  #probing = false;
  #transaction = new TransactionTracker();

  /**
   * `limits`: {heartbeat, timeout} in milliseconds, {pendingMax, replyBytesMax, outputBytesMax}. `onevent(event)` gets
   * each event, `onend(error)` is called once, after the requests have failed.
   */
  constructor(socket, limits, { onevent, onend }) {
    this.#socket = socket;
    this.#limits = limits;
    this.#onevent = onevent;
    this.#onend = onend;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onerror = (event) => this.end(lost(event?.message || "it failed"));
    socket.onclose = (event) => this.end(lost(event?.reason || "the server has closed it, or cannot be reached"));
    if (limits.heartbeat > 0) this.#heart = setInterval(() => this.#beat(), limits.heartbeat);
  }

  send(request) {
    if (request.settled) return;
    const { pendingMax, outputBytesMax } = this.#limits;
    if (this.#ended) return request.fail(lost("it is closed"));
    if (this.#pending.size >= pendingMax) {
      return request.fail(limit("pendingMax", "wait for answers before asking more"));
    }
    if (this.#socket.bufferedAmount > outputBytesMax) {
      return request.fail(limit("outputBytesMax", "the server does not keep up; send less at a time"));
    }
    this.#transaction.sent(request.sql);
    const id = this.#nextId();
    this.#pending.set(id, { request, result: undefined, bytes: 0 });
    this.#socket.send(request.encode(id));
  }

  get ended() {
    return this.#ended;
  }

  get inTransaction() {
    return this.#transaction.open;
  }

  /** Closes, and fails what is under way. */
  end(error) {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#heart);
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.onerror = () => {};
    this.#socket.close();
    for (const { request } of this.#pending.values()) request.fail(error);
    this.#pending.clear();
    this.#onend(error);
  }

  #nextId() {
    do this.#lastId = this.#lastId === idMax ? 1 : this.#lastId + 1;
    while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #receive(text) {
    this.#heard = true;
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return this.end(new PubSubSqlError("protocol", "the server sent something that is no JSON; is this its /ws?"));
    }
    const { requestid, status, fromrow, torow, ...members } = message;
    if (requestid === undefined) return this.#unasked(message, members);
    const entry = this.#pending.get(requestid);
    if (entry === undefined) return;
    if (status === "ok") return this.#answer(requestid, entry, members, torow, text.length);
    this.#pending.delete(requestid);
    this.#transaction.answered(entry.request.sql, message);
    entry.request.fail(refusal(message, entry.request.sql));
  }

  #unasked(message, members) {
    if (message.pubsubid !== undefined) return this.#onevent(new RowSet(members));
    if (message.status === "err") this.end(refusal(message, ""));
  }

  /** Puts the batches of a reply together. */
  #answer(id, entry, members, torow, bytes) {
    entry.bytes += bytes;
    const isLast = torow === undefined || torow >= members.rows;
    if (entry.request.settled || entry.bytes > this.#limits.replyBytesMax) {
      entry.result = undefined;
      entry.request.fail(limit("replyBytesMax", "ask for fewer rows at a time"));
    } else if (entry.result === undefined) {
      entry.result = new RowSet(members);
    } else {
      for (const cells of members.data) entry.result.data.push(cells);
    }
    if (!isLast) return;
    this.#pending.delete(id);
    this.#transaction.answered(entry.request.sql, { status: "ok" });
    if (entry.result !== undefined) entry.request.succeed(entry.result);
  }

  /**
   * Asks when nothing was heard for the time between two beats; gives up when nothing was heard until the next one.
   * A question would wait behind the statements under way, so while there are any they are given their time instead.
   * In a transaction it could be answered with why the server took that back, which is not its to know.
   */
  #beat() {
    if (this.#heard || (this.#transaction.open && this.#pending.size === 0)) {
      this.#heard = false;
      this.#silentTicks = 0;
      return;
    }
    if (++this.#silentTicks > this.#patience()) return this.end(lost(`nothing was heard of the server for too long`));
    if (this.#pending.size === 0) this.#probe();
  }

  /** How many beats of silence are not too long: what is under way may take its time, such as a `pop` that waits. */
  #patience() {
    if (this.#pending.size === 0 || this.#probing) return 1;
    const { heartbeat, timeout } = this.#limits;
    let longest = timeout || Infinity;
    for (const { request } of this.#pending.values()) longest = Math.max(longest, request.timeout);
    return 1 + Math.ceil(longest / heartbeat);
  }

  #probe() {
    this.#probing = true;
    const done = () => (this.#probing = false);
    this.send(new Request("select 1", encodeBody("select 1"), { onresult: done, onerror: done }));
  }
}

function lost(why) {
  const fate = "what was under way may have been executed or not";
  return new PubSubSqlError("connection_lost", `the connection was lost: ${why}; ${fate}`);
}

function limit(name, advice) {
  return new PubSubSqlError("limit", `the limit ${name} of this client is reached; ${advice}`);
}
