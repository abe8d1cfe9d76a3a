/** A client with the interface of client/js. */
export type Cell = string | null;
export class PubSubSqlError extends Error {
  constructor(message: string, readonly code?: number, readonly offset?: number) { super(message); }
}
export interface Result { action: string; columns: string[]; rows: number; data: Cell[][]; [member: string]: unknown }
export interface Event { action: string; columns: string[]; data: Cell[][]; rows: number; lost?: number }
export interface Options { user?: string; password?: string; token?: string; onstate?: (state: State) => void }
export type State = "connecting" | "open" | "closed";
export class Subscription {
  id: string | null = null; queue: Event[] = []; wake: (() => void) | null = null; ended = false; error: Error | null = null;
  constructor(private db: Database, readonly sql: string, readonly values: unknown[]) {}
  push(e: Event) { this.queue.push(e); this.wake?.(); }
  fail(error: Error) { this.error = error; this.ended = true; this.wake?.(); }
  async *[Symbol.asyncIterator](): AsyncGenerator<Event> {
    for (;;) {
      while (this.queue.length) yield this.queue.shift()!;
      if (this.ended) { if (this.error) throw this.error; return; }
      await new Promise<void>((r) => (this.wake = r));
    }
  }
  async unsubscribe() { this.ended = true; this.wake?.(); await this.db.drop(this); }
}
interface Waiting { resolve: (r: Result) => void; reject: (e: Error) => void; result: Result | null; sub?: Subscription }
export class Database {
  state: State = "connecting"; socket!: WebSocket; next = 1; waiting = new Map<number, Waiting>(); subs = new Set<Subscription>(); byId = new Map<string, Subscription>(); delay = 200; backlog: string[] = [];
  constructor(private url: string, private options: Options) { this.open(); }
  private set(s: State) { this.state = s; this.options.onstate?.(s); }
  private open() {
    const s = (this.socket = new WebSocket(this.url));
    s.onopen = () => {
      this.delay = 200;
      const o = this.options;
      if (o.user) this.ask(`auth ${o.user} '${o.password ?? o.token}'`, [], true).catch(() => {});
      for (const m of this.backlog.splice(0)) s.send(m);
      for (const sub of this.subs) { if (sub.id !== null) sub.push({ action: "reset", columns: [], data: [], rows: 0 }); this.begin(sub); }
      this.set("open");
    };
    s.onmessage = (m) => this.take(JSON.parse(m.data));
    s.onclose = () => {
      this.byId.clear();
      for (const w of this.waiting.values()) if (!w.sub) w.reject(new PubSubSqlError("The connection was lost."));
      this.waiting.clear();
      if (this.state === "closed") return;
      this.set("connecting"); setTimeout(() => this.open(), this.delay); this.delay = Math.min(this.delay * 2, 5000);
    };
  }
  private take(m: any) {
    if (m.requestid === undefined) { this.byId.get(m.pubsubid)?.push(m); return; }
    const w = this.waiting.get(m.requestid);
    if (!w) return;
    if (m.status === "err") { this.waiting.delete(m.requestid); const e = new PubSubSqlError(m.msg, m.code, m.offset); if (w.sub) { this.subs.delete(w.sub); w.sub.fail(e); } w.reject(e); return; }
    if (w.sub) { w.sub.id = m.pubsubid; this.byId.set(m.pubsubid, w.sub); }
    if (w.result) for (const row of m.data) w.result.data.push(row); else w.result = m;
    if (m.torow === undefined || m.torow === m.rows) { this.waiting.delete(m.requestid); w.resolve(w.result!); }
  }
  private ask(sql: string, values: unknown[], now = false, sub?: Subscription): Promise<Result> {
    return new Promise((resolve, reject) => {
      const id = this.next++;
      this.waiting.set(id, { resolve, reject, result: null, sub });
      const text = JSON.stringify({ id, sql, values: values.length ? values : undefined });
      if (now || this.state === "open") this.socket.send(text); else this.backlog.push(text);
    });
  }
  query(sql: string, values: unknown[] = []) { return this.ask(sql, values); }
  private begin(sub: Subscription) { this.ask(sub.sql, sub.values, true, sub).catch(() => {}); }
  subscribe(sql: string, values: unknown[] = []) { const sub = new Subscription(this, sql, values); this.subs.add(sub); if (this.state === "open") this.begin(sub); return sub; }
  async drop(sub: Subscription) {
    this.subs.delete(sub);
    if (sub.id !== null && this.state === "open") { this.byId.delete(sub.id); const table = /\bfrom\s+(\S+)/i.exec(sub.sql)?.[1]; await this.query(`unsubscribe from ${table} where pubsubid = ${sub.id}`); }
  }
  close() { this.set("closed"); this.socket.close(); }
}
export const connect = (url: string, options: Options = {}) => new Database(url, options);
