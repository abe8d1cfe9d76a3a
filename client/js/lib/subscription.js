import { PubSubSqlError, usage } from "./errors.js";
import { LiveRows } from "./live_rows.js";
import { Position } from "./position.js";
import { encodeBody } from "./request.js";
import { RowSet } from "./rows.js";
import { describeSubscription, firstWord } from "./statement.js";

const queuedMax = 10_000;

/**
 * A subscription that outlives connections. The client tells it what comes from the server; its user reads `rows`, and
 * iterates over the events.
 *
 * Invariant: while `#overflowed`, the queue is empty; what was lost is made up for by the rows at the time of the next
 * next().
 */
export class Subscription {
  /** The server's name of it on the present connection, which the client sets. */
  pubsubid;
  #sql;
  #values;
  #position;
  #live;
  #keepsRows;
  #queue = [];
  #taken = 0;
  #queued = 0;
  #queuedMax;
  #overflowed = false;
  #waiting = [];
  #confirmed = false;
  #refusal;
  #ended = false;
  #error;
  #errorTold = false;
  #ready = {};
  #loaded = {};
  #end;

  /** `end` is called when the user has had enough, and returns a promise of the server's agreement. */
  constructor(sql, values, options = {}, end) {
    const { queue = queuedMax, rows = true, key, resume, since, resumesByDefault = false } = options;
    if (firstWord(sql) !== "subscribe") throw usage("subscribe() takes a subscribe statement; query() runs all others");
    const { table, groupColumns, skips, positioned } = describeSubscription(sql);
    encodeBody(sql, values);
    this.sql = sql;
    this.table = table;
    this.#values = Array.isArray(values) ? [...values] : values;
    if (since !== undefined || (resume ?? (resumesByDefault && !positioned))) {
      if (positioned) throw usage("leave `with seq`, `since` and `as` out of the statement: `resume` and `since` are options");
      this.#position = new Position(sql, skips, since);
    }
    this.#live = new LiveRows(key === undefined ? undefined : [key].flat(), groupColumns);
    this.#keepsRows = rows;
    this.#queuedMax = queue;
    this.#end = end;
    this.ready = new Promise((resolve, reject) => (this.#ready = { resolve, reject }));
    this.ready.catch(() => {});
    this.loaded = new Promise((resolve, reject) => (this.#loaded = { resolve, reject }));
    this.loaded.catch(() => {});
    if (!this.#position) this.#loaded.reject(usage("the end of the initial rows is told to subscriptions with `resume`"));
  }

  get rows() {
    return this.#live.map;
  }

  get ended() {
    return this.#ended;
  }

  get error() {
    return this.#error;
  }

  get position() {
    return this.#position?.value;
  }

  /** Ends it: no event comes after this. */
  unsubscribe() {
    this.finish();
    return this.#end();
  }

  // Iterating

  [Symbol.asyncIterator]() {
    return this;
  }

  next() {
    if (this.#overflowed) this.#recover();
    if (this.#queue.length > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#error !== undefined && !this.#errorTold) {
      this.#errorTold = true;
      return Promise.reject(this.#error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async return() {
    await this.unsubscribe().catch(() => {});
    return { done: true, value: undefined };
  }

  // For the client

  /** What asks the server for it as {sql, body}; `plain` as old servers know it. */
  statement(plain) {
    const sql = this.#position && !plain ? this.#position.statement() : this.sql;
    return { sql, body: encodeBody(sql, this.#values) };
  }

  /** Whether a server that refused statement(false) is to be asked for statement(true). */
  isUnknown(error) {
    this.#refusal = error;
    return this.#position?.isUnknown(error) === true;
  }

  /** The server has agreed, once for each connection: it goes on behind the last event, or all rows come anew. */
  confirm(reply) {
    this.#ready.resolve(this);
    const goesOn = reply.resumed === true || this.#position?.agreed(reply) === true;
    if (goesOn) this.#live.mayRepeat = true;
    if (!goesOn && (this.#confirmed || reply.resync)) {
      this.#live.clear();
      this.#push(new RowSet({ action: "reset", reason: reply.resync ? "resync" : "reconnect" }));
    }
    this.#confirmed = true;
    if (this.position !== undefined) this.#loaded.resolve(this);
    else if (reply.seq === undefined) this.#loaded.reject(this.#refusal);
  }

  /** Throws when an event does not fit the subscription, which cannot go on then. */
  take(event) {
    if (this.#ended) return;
    if (event.action === "gap") this.#live.clear();
    else if (this.#keepsRows) this.#live.apply(event);
    this.#position?.passed(event);
    if (this.#position && this.position === undefined) delete event.seq; // nothing to begin behind
    this.#push(event);
    if (event.snapshot === "end") this.#loaded.resolve(this);
  }

  /** Ends it, with an error if there is one, which comes behind the events that wait. */
  finish(error) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    if (error === undefined) this.#forgetQueue();
    const reason = error ?? new PubSubSqlError("closed", "the subscription was ended");
    this.#ready.reject(reason);
    this.#loaded.reject(reason);
    for (const waiting of this.#waiting.splice(0)) this.next().then(waiting.resolve, waiting.reject);
  }

  #push(event) {
    if (this.#overflowed) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting.resolve({ done: false, value: event });
    const cost = event.data.length + 1;
    if (this.#queued + cost > this.#queuedMax) {
      this.#forgetQueue();
      this.#overflowed = true;
      return;
    }
    this.#queue.push({ event, cost });
    this.#queued += cost;
  }

  #take() {
    const { event, cost } = this.#queue[this.#taken++];
    this.#queued -= cost;
    if (this.#taken * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#taken);
      this.#taken = 0;
    }
    return event;
  }

  #forgetQueue() {
    this.#queue = [];
    this.#taken = 0;
    this.#queued = 0;
    this.#overflowed = false;
  }

  /** The rows do not count: a queue that is smaller than they are would never get beyond them. */
  #recover() {
    this.#forgetQueue();
    this.#queue.push({ event: new RowSet({ action: "reset", reason: "overflow" }), cost: 0 });
    const isWhole = this.#keepsRows && this.position !== undefined;
    if (this.#live.map.size === 0 && !isWhole) return;
    const snapshot = this.#live.snapshot();
    if (isWhole) Object.assign(snapshot, { seq: this.position, snapshot: "end" });
    this.#queue.push({ event: snapshot, cost: 0 });
  }
}
