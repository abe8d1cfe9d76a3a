// Statements with values, and a subscription to what they change.
// Usage: node quick_start.js [ws://localhost:7778/ws]

import { connect } from "pubsubsql";

const db = connect(process.argv[2] ?? "ws://localhost:7778/ws");

await db.query("insert into example_stocks (ticker, bid) values (?, ?), (?, ?)", ["IBM", 120.5, "SAP", 98]);
const dear = db.subscribe("subscribe * from example_stocks where bid > ?", [100]);
await dear.ready;
await db.query("update example_stocks set bid = ? where ticker = ?", [101, "SAP"]);

for await (const event of dear) {
  const rows = event.objects();
  for (const row of rows) console.log(event.action, row.ticker, row.bid);
  if (rows.some((row) => row.ticker === "SAP")) break;
}

const result = await db.query("select ticker, bid from example_stocks order by ticker");
console.log(result.objects());
await db.query("drop table example_stocks");
db.close();
