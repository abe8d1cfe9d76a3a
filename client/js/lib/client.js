import { Backoff } from "./backoff.js";
import { PubSubSqlError, usage } from "./errors.js";
import { openConnection } from "./opening.js";
import { encodeBody, Request } from "./request.js";
import { RowSet } from "./rows.js";
import { preparedVerbOf, unsubscribeStatement, verbOf } from "./statement.js";
import { Subscription } from "./subscription.js";
import { begins, ends } from "./transaction.js";

const defaults = {
  timeout: 30_000,
  connectTimeout: 5_000,
  heartbeat: 15_000,
  reconnect: true,
  resume: true,
  pendingMax: 100_000,
  replyBytesMax: 2 ** 30,
  outputBytesMax: 160 * 2 ** 20,
};

/** Statements that query() has no answer for, and what to use in their place. */
const elsewhere = {
  subscribe: "use subscribe() for a subscribe statement",
  unsubscribe: "call unsubscribe() of the subscription",
  stream: "leave out `stream`: any number of queries can be under way, and none has to be awaited",
  close: "use close()",
};

/** What cannot be prepared either: the client has to see it when it is executed. */
const unprepared = new Set([...Object.keys(elsewhere), "begin", "start", "commit", "rollback", "stop"]);

function checkPrepared(sql) {
  const verb = preparedVerbOf(sql);
  if (!unprepared.has(verb)) return;
  throw usage(`\`${verb}\` cannot be prepared with this client; ${elsewhere[verb] ?? "send it by itself"}`);
}

function parseUrl(text) {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function checkedUrl(text) {
  const url = parseUrl(text);
  if (url?.protocol === "ws:" || url?.protocol === "wss:") return url.href;
  throw usage(`"${text}" is no address of a WebSocket, such as ws://localhost:7778/ws`);
}

/** Whether trying again may help. */
function isFinal(error) {
  return error.kind === "refused" && !error.message.includes("try again later");
}

/**
 * A server, as a program sees it: one connection after the other, and the subscriptions that outlive them.
 *
 * Invariant: `#connection` is there exactly when the state is "open".
 */
export class Client {
  #url;
  #options;
  #backoff;
  #state = "connecting";
  #connection;
  #opening;
  #waiting = new Set();
  #subscriptions = new Set();
  #byId = new Map();
  #lastError;
  #transactionLost = false;
  #wakeUp = () => this.#backoff.hurry();

  constructor(url, options) {
    this.#url = checkedUrl(String(url));
    const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
    this.#options = { ...defaults, ...Object.fromEntries(given) };
    this.#backoff = new Backoff(() => this.#open(), this.#options.reconnect);
    globalThis.addEventListener?.("online", this.#wakeUp);
    this.#open();
  }

  get state() {
    return this.#state;
  }

  query(sql, values, { signal, timeout = this.#options.timeout } = {}) {
    const result = new Promise((onresult, reject) => {
      const verb = verbOf(sql);
      if (Object.hasOwn(elsewhere, verb)) throw usage(elsewhere[verb]);
      checkPrepared(sql);
      const isStopped = (error) => verb === "stop" && error.kind === "connection_lost";
      const onerror = (error) => (isStopped(error) ? onresult(new RowSet({ action: "stop" })) : reject(error));
      this.#submit(new Request(sql, encodeBody(sql, values), { signal, timeout, onresult, onerror }));
    });
    result.catch(() => {});
    return result;
  }

  subscribe(sql, values, options) {
    const all = { resumesByDefault: this.#options.resume, ...options };
    const subscription = new Subscription(sql, values, all, () => this.#unsubscribe(subscription));
    if (this.#state === "closed") {
      subscription.finish(this.#closedError());
      return subscription;
    }
    this.#subscriptions.add(subscription);
    if (this.#connection) this.#establish(subscription);
    return subscription;
  }

  close() {
    this.#shut(undefined);
  }

  // Statements

  #submit(request) {
    const refused = this.#state === "closed" ? this.#closedError() : this.#lostTransaction(request.sql);
    if (refused !== undefined) return request.fail(refused);
    if (this.#connection) return this.#connection.send(request);
    if (this.#waiting.size >= this.#options.pendingMax) this.#dropSettled();
    if (this.#waiting.size >= this.#options.pendingMax) {
      return request.fail(new PubSubSqlError("limit", "too many statements wait for the connection (pendingMax)"));
    }
    this.#waiting.add(request);
  }

  #dropSettled() {
    for (const request of this.#waiting) if (request.settled) this.#waiting.delete(request);
  }

  /** The transaction of a connection that broke must not go on, without its beginning, on the next one. */
  #lostTransaction(sql) {
    if (!this.#transactionLost) return undefined;
    if (begins(sql) || ends(sql)) this.#transactionLost = false;
    if (begins(sql) || verbOf(sql) === "rollback") return undefined;
    const why = "the server has taken the transaction back, as its connection was lost";
    return new PubSubSqlError("transaction_lost", `${why}; begin it anew, or send rollback to go on without`);
  }

  // Subscriptions

  /** `plain`: as a server knows it that has no positions. */
  #establish(subscription, plain = false) {
    const onresult = (reply) => this.#established(subscription, reply);
    const onerror = (error) => {
      if (error.kind === "connection_lost" || !this.#subscriptions.has(subscription)) return;
      if (!plain && subscription.isUnknown(error)) this.#establish(subscription, true);
      else this.#drop(subscription, error);
    };
    const { sql, body } = subscription.statement(plain);
    this.#connection.send(new Request(sql, body, { onresult, onerror }));
  }

  #established(subscription, reply) {
    subscription.pubsubid = reply.pubsubid;
    if (!this.#subscriptions.has(subscription)) return this.#end(subscription);
    this.#byId.set(reply.pubsubid, subscription);
    subscription.confirm(reply);
  }

  #drop(subscription, error) {
    this.#subscriptions.delete(subscription);
    this.#byId.delete(subscription.pubsubid);
    subscription.finish(error);
  }

  #deliver(event) {
    const subscription = this.#byId.get(event.pubsubid);
    if (subscription === undefined) return;
    if (event.action === "ended") return this.#drop(subscription, new PubSubSqlError("refused", String(event.msg)));
    try {
      subscription.take(event);
    } catch (error) {
      this.#drop(subscription, error);
      this.#end(subscription);
    }
  }

  /** Of a subscription that its user has ended. */
  async #unsubscribe(subscription) {
    if (!this.#subscriptions.has(subscription)) return;
    this.#drop(subscription, undefined);
    await this.#end(subscription);
  }

  /** Tells the server, if it knows the subscription. */
  async #end({ table, pubsubid }) {
    if (pubsubid === undefined || !this.#connection) return;
    const sql = unsubscribeStatement(table, pubsubid);
    await new Promise((onresult, reject) => {
      const onerror = (error) => (error.kind === "connection_lost" ? onresult() : reject(error));
      this.#connection.send(new Request(sql, encodeBody(sql), { timeout: this.#options.timeout, onresult, onerror }));
    });
  }

  // Connections

  #open() {
    this.#opening = new AbortController();
    const handlers = { onevent: (event) => this.#deliver(event), onend: (error) => this.#lost(error) };
    openConnection(this.#url, this.#options, this.#opening.signal, handlers).then(
      (connection) => this.#opened(connection),
      (error) => this.#failed(error),
    );
  }

  #opened(connection) {
    if (this.#state === "closed") return connection.end(this.#closedError());
    this.#connection = connection;
    this.#backoff.succeeded();
    this.#enter("open");
    for (const subscription of this.#subscriptions) this.#establish(subscription);
    for (const request of this.#waiting) connection.send(request);
    this.#waiting.clear();
  }

  #failed(error) {
    if (this.#state === "closed") return;
    if (isFinal(error) || !this.#backoff.allowed) return this.#shut(error);
    this.#lastError = error;
    this.#enter("connecting", error);
    this.#backoff.schedule();
  }

  #lost(error) {
    if (!this.#connection) return;
    this.#transactionLost ||= this.#connection.inTransaction;
    this.#connection = undefined;
    this.#byId.clear();
    for (const subscription of this.#subscriptions) subscription.pubsubid = undefined;
    this.#failed(error);
  }

  #shut(error) {
    if (this.#state === "closed") return;
    this.#lastError = error;
    this.#enter("closed", error);
    globalThis.removeEventListener?.("online", this.#wakeUp);
    this.#backoff.cancel();
    this.#opening.abort(this.#closedError());
    this.#connection?.end(this.#closedError());
    for (const subscription of this.#subscriptions) this.#drop(subscription, error);
    for (const request of this.#waiting) request.fail(this.#closedError());
    this.#waiting.clear();
  }

  #closedError() {
    return this.#lastError ?? new PubSubSqlError("closed", "close() was called");
  }

  #enter(state, error) {
    if (state === this.#state && error === undefined) return;
    this.#state = state;
    queueMicrotask(() => this.#options.onstate?.(state, error));
  }
}
