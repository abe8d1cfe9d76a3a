/** What a bound value can be. A Date is sent as `YYYY-MM-DD HH:MM:SS.mmm` in UTC, a bigint as a number. */
export type Value = string | number | bigint | boolean | Date | null;

/** A value as the server sends it: its text, or null for NULL. */
export type Cell = string | null;

/** A row by the names of its columns. */
export type Row = Readonly<Record<string, Cell>>;

/**
 * - `connecting`: there is no connection now, and one is being made; statements wait for it.
 * - `open`: statements are sent at once.
 * - `closed`: for good, by close(), by a refused authentication, or, without `reconnect`, by a failure.
 */
export type State = "connecting" | "open" | "closed";

/**
 * - `refused`: the server said no; nothing of the statement happened. `code`, `sqlstate`, `offset` tell more.
 * - `connection_lost`: the connection broke while the statement was under way; it may have been executed or not. It is
 *   never sent again by itself.
 * - `transaction_lost`: the connection broke in a transaction, which the server has taken back. Nothing else is sent
 *   until `begin` or `rollback`, so that no part of the transaction is executed by itself.
 * - `cannot_connect`: nobody answers at the address.
 * - `timeout`: no answer in time; the statement may still be executed.
 * - `limit`: a limit of the options is reached; the message names it.
 * - `protocol`: what answers is no PubSubSQL server.
 * - `usage`: the call is wrong.
 * - `closed`: close() or unsubscribe() was called.
 */
export type ErrorKind =
  | "refused"
  | "connection_lost"
  | "transaction_lost"
  | "cannot_connect"
  | "timeout"
  | "limit"
  | "protocol"
  | "usage"
  | "closed";

/** The one error of this library. */
export class PubSubSqlError extends Error {
  readonly name: "PubSubSqlError";
  readonly kind: ErrorKind;
  /** The server's number for the error, MySQL's where MySQL has one. */
  readonly code?: number;
  readonly sqlstate?: string;
  /** Where in the statement the mistake is: bytes of UTF-8 from its beginning. */
  readonly offset?: number;
  /** The same place in the string: `sql.slice(error.index)` begins with the mistake. */
  readonly index?: number;
}

/** The answer to a statement, of many rows too. Its other members are those of the server's reply. */
export interface Result {
  /** What was done: "select", "insert", ... */
  readonly action: string;
  readonly columns: readonly string[];
  /** How many rows there are in `data`, or were changed. */
  readonly rows: number;
  readonly data: readonly (readonly Cell[])[];
  /** `data` as objects; T is for you to say, and is not checked. */
  objects<T = Row>(): T[];
  readonly [member: string]: unknown;
}

/** What a subscription tells. */
export interface ChangeEvent {
  /**
   * - `add`, `insert`, `update`, `remove`, `delete`: a change, as the server's dialect has it. An update has the columns
   *   that tell the row, and those that were set.
   * - `publish`: rows that were published and are stored nowhere; their `id` is null, and `rows` of the subscription has
   *   nothing of them.
   * - `gap`: the server left out `lost` events, as this client was too slow (`on slow drop`). Forget what you know: the
   *   rows come anew as `add`.
   * - `reset`: what came before is void, and the rows come anew as `add` (not with `subscribe skip`): `reason` is
   *   "reconnect" when the connection was lost and made again, "resync" when it could not go on where it was, as the
   *   server has the changes since then no longer, "overflow" when this iterator was too slow for its queue.
   */
  readonly action: "add" | "insert" | "update" | "remove" | "delete" | "publish" | "gap" | "reset";
  readonly columns: readonly string[];
  /** How many rows there are in `data`. */
  readonly rows: number;
  readonly data: readonly (readonly Cell[])[];
  readonly lost?: number;
  readonly reason?: "reconnect" | "resync" | "overflow";
  /**
   * Of subscriptions with `resume`: the position in the changes of the table behind this event, which `since` takes. There
   * is none where nothing can begin: in a `reset`, a `gap` that rows follow, and initial rows before the last of them.
   */
  readonly seq?: number;
  /** Of subscriptions with `resume`, in the last `add` event of the initial rows, which may have no rows itself. */
  readonly snapshot?: "end";
  objects<T = Row>(): T[];
}

export interface QueryOptions {
  /** Gives the query up; its promise is rejected with the signal's reason. What was sent may still be executed. */
  signal?: AbortSignal;
  /**
   * In milliseconds, waiting for a connection included; 0 for none. Otherwise that of connect(). A `pop ... wait` needs
   * more than it waits.
   */
  timeout?: number;
}

export interface SubscribeOptions {
  /**
   * How many rows of events, and events, wait for the iterator at most; 10,000 if not given. Beyond, they are dropped,
   * and the iterator goes on with `reset` and the rows there are then.
   */
  queue?: number;
  /** Whether `rows` is kept; true if not given. Without, the iterator has nothing but `reset` after an overflow. */
  rows?: boolean;
  /**
   * The columns that tell rows apart, for tables that do not show the id that the server gives: those of the primary
   * key, which must not change. The subscription ends with a `usage` error when two rows have the same.
   */
  key?: string | string[];
  /**
   * Whether the subscription goes on after a reconnect where it was: what happened meanwhile comes as the events it was,
   * without gap or repeat, and without `reset`; with `on slow conflate` what is known may be told again. Only when the
   * server has it no longer there is a `reset` with the reason "resync". Servers that do not know positions are asked as
   * without. If not given that of connect(), but not for a statement that asks for positions itself.
   */
  resume?: boolean;
  /**
   * Begin behind this position, the `seq` of an event that was seen before, without initial rows; implies `resume`. When
   * that cannot be, the first event is a `reset` with the reason "resync".
   */
  since?: number;
}

/**
 * A subscription. It is an iterator over its events, for one consumer: `for await (const event of subscription)`.
 * Leaving the loop unsubscribes. An error that ends the subscription is thrown by the iterator, behind the events that
 * came before it.
 */
export interface Subscription extends AsyncIterable<ChangeEvent> {
  readonly sql: string;
  /** The table subscribed to. */
  readonly table: string | undefined;
  /** The server's name of it on the present connection, undefined while there is none. */
  readonly pubsubid: string | undefined;
  /**
   * The rows as they are now, by id. Groups are found by the value of the `group by` column, or if these are several by
   * `JSON.stringify()` of their values; the one group of aggregates without `group by` by "[]". Updates put new objects
   * in the place of the old. With `subscribe skip` and `since` there are only the rows that changed since.
   */
  readonly rows: ReadonlyMap<Cell, Row>;
  /** Fulfilled once the server has agreed for the first time, rejected when the subscription ends before. */
  readonly ready: Promise<Subscription>;
  /**
   * Of subscriptions with `resume`: fulfilled once `rows` has all initial rows for the first time, at once where there
   * are none to come; rejected when the subscription ends before, or the server does not tell.
   */
  readonly loaded: Promise<Subscription>;
  /**
   * Of subscriptions with `resume`: the position of `rows`, which is ahead of the iterator by the events that wait for
   * it. Undefined before the first answer, while initial rows come, and with servers that do not know positions.
   */
  readonly position: number | undefined;
  readonly ended: boolean;
  /** Why it has ended, when that was not asked for. */
  readonly error: PubSubSqlError | undefined;
  /** Ends it: the iterator has nothing more. Fulfilled when the server knows, too, or the connection is gone. */
  unsubscribe(): Promise<void>;
  next(): Promise<IteratorResult<ChangeEvent, undefined>>;
  return(): Promise<IteratorReturnResult<undefined>>;
  [Symbol.asyncIterator](): Subscription;
}

export interface ConnectOptions {
  /** Who to authenticate as, on every connection; not for servers without users. */
  user?: string;
  password?: string;
  /** An access token of the user, in place of the password. */
  token?: string;
  /** Called after each change of the state, and after each failure to connect, with the error if there was one. */
  onstate?: (state: State, error?: PubSubSqlError) => void;
  /** For how long a query may take, in milliseconds; 30,000 if not given, 0 for ever. */
  timeout?: number;
  /** For how long an attempt to connect may take, authentication included; 5,000 if not given. */
  connectTimeout?: number;
  /**
   * How many milliseconds of silence make the client ask whether the server is there; 15,000 if not given, 0 for never.
   * When there is no answer for as long, the connection is given up.
   */
  heartbeat?: number;
  /** Whether subscriptions go on after a reconnect where they were; true if not given. See SubscribeOptions. */
  resume?: boolean;
  /** Delays between attempts, in milliseconds: 100, doubled up to 5,000, if not given. false: one connection only. */
  reconnect?: boolean | { firstDelay?: number; maxDelay?: number };
  /** How many statements can be under way, or wait for a connection; 100,000 if not given. */
  pendingMax?: number;
  /** How many characters of JSON a reply can have; 1 Gi if not given. */
  replyBytesMax?: number;
  /** How many bytes can wait to be sent; 160 Mi if not given. */
  outputBytesMax?: number;
  /** A WebSocket in place of the platform's. */
  WebSocket?: new (url: string) => WebSocket;
  /** On Node: options of node:tls for this library's own WebSocket, such as `{ ca }`. */
  tls?: object;
}

export interface Client {
  readonly state: State;
  /**
   * Executes a statement; each `?` in it stands for the value at its place. Any number can be under way: they are
   * executed in their order. While there is no connection they wait for it. A rejection that nobody looks at is no
   * unhandled rejection.
   *
   * `subscribe`, `unsubscribe`, `stream` and `close` are refused: subscriptions and connections are this client's. They
   * cannot be prepared either, nor can `stop` and what begins or ends a transaction.
   */
  query(sql: string, values?: readonly Value[] | null, options?: QueryOptions): Promise<Result>;
  /** Subscribes, now and after each reconnect. */
  subscribe(sql: string, values?: readonly Value[] | null, options?: SubscribeOptions): Subscription;
  /** Hangs up. What is under way is rejected with the kind `closed`; subscriptions end. */
  close(): void;
}

/** Begins to connect to a server's WebSocket, such as "ws://localhost:7778/ws", and keeps connected until close(). */
export function connect(url: string | URL, options?: ConnectOptions): Client;
