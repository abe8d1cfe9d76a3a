import { PubSubSqlError, usage } from "./errors.js";
import { LiveRows } from "./live_rows.js";
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
  #live;
  #keepsRows;
  #queue = [];
  #taken = 0;
  #queued = 0;
  #queuedMax;
  #overflowed = false;
  #waiting = [];
  #confirmed = false;
  #ended = false;
  #error;
  #errorTold = false;
  #ready = {};
  #end;

  /** `end` is called when the user has had enough, and returns a promise of the server's agreement. */
  constructor(sql, values, { queue = queuedMax, rows = true, key } = {}, end) {
    if (firstWord(sql) !== "subscribe") throw usage("subscribe() takes a subscribe statement; query() runs all others");
    const { table, groupColumns } = describeSubscription(sql);
    this.sql = sql;
    this.body = encodeBody(sql, values);
    this.table = table;
    this.#live = new LiveRows(key === undefined ? undefined : [key].flat(), groupColumns);
    this.#keepsRows = rows;
    this.#queuedMax = queue;
    this.#end = end;
    this.ready = new Promise((resolve, reject) => (this.#ready = { resolve, reject }));
    this.ready.catch(() => {});
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

  /** The server has agreed, once for each connection; all rows come anew. */
  confirm() {
    this.#ready.resolve(this);
    if (this.#confirmed) {
      this.#live.clear();
      this.#push(new RowSet({ action: "reset", reason: "reconnect" }));
    }
    this.#confirmed = true;
  }

  /** Throws when an event does not fit the subscription, which cannot go on then. */
  take(event) {
    if (this.#ended) return;
    if (event.action === "gap") this.#live.clear();
    else if (this.#keepsRows) this.#live.apply(event);
    this.#push(event);
  }

  /** Ends it, with an error if there is one, which comes behind the events that wait. */
  finish(error) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    if (error === undefined) this.#forgetQueue();
    this.#ready.reject(error ?? new PubSubSqlError("closed", "the subscription was ended"));
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
    if (this.#live.map.size > 0) this.#queue.push({ event: this.#live.snapshot(), cost: 0 });
  }
}
