// A program as TypeScript sees the library; it is only checked.

import { connect, PubSubSqlError } from "pubsubsql";
import type { Cell, Client, ErrorKind, Result, Row, State, Subscription } from "pubsubsql";

interface Stock {
  id: string;
  ticker: string;
  bid: string | null;
}

export async function use(): Promise<void> {
  const db: Client = connect("wss://localhost:7778/ws", {
    user: "web",
    token: "pst_...",
    reconnect: { firstDelay: 50 },
    onstate: (state: State, error?: PubSubSqlError) => console.log(state, error?.code),
  });
  const result: Result = await db.query("select * from stocks where a = ?", ["x", 5, 7n, null, true, new Date()], {
    signal: new AbortController().signal,
    timeout: 100,
  });
  const cell: Cell | undefined = result.data[0]?.[0];
  const stocks: Stock[] = result.objects<Stock>();
  const subscription: Subscription = db.subscribe("subscribe * from stocks", null, { queue: 100, key: ["id"], resume: true });
  const since: number | undefined = (await subscription.loaded).position;
  db.subscribe("subscribe * from stocks", null, { since });
  for await (const event of subscription) {
    if (event.action === "reset" && event.reason === "resync") continue;
    if (event.snapshot === "end" || event.action === "publish") console.log(event.seq);
    const row: Row | undefined = subscription.rows.get(cell ?? stocks[0]?.id ?? null);
    console.log(event.objects(), row?.["bid"]);
  }
  await (await subscription.ready).unsubscribe();
  // @ts-expect-error: an object is no value
  await db.query("select ?", [{}]);
  // @ts-expect-error: rows are the library's
  subscription.rows.clear();
  db.close();
}

export function kindOf(error: unknown): ErrorKind | undefined {
  return error instanceof PubSubSqlError ? error.kind : undefined;
}
