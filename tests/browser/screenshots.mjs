// Makes the pictures of the console in docs/images, from the data and the feed of the demo.
// Usage, with the release built: tests/browser/run tests/browser node screenshots.mjs
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConsolePage } from "./lib/console_page.mjs";
import { Client, Server } from "./lib/server.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const images = join(root, "docs", "images");
const demo = process.env.PUBSUBSQL_DEMO ?? join(root, "build/release/pubsubsql-demo");
process.env.PUBSUBSQLD ??= join(root, "build/release/pubsubsqld");

/// The prices of the demo as a table, beside the `stocks` that its feed changes.
async function load_prices(client) {
  const lines = (await readFile(join(root, "tools/demo/data/stocks.csv"), "utf8")).trim().split("\n").slice(1);
  await client.run("create table prices (id bigint auto_increment primary key, symbol varchar(10) not null, date date not null, price decimal(8,2) not null, index by_symbol (symbol, date))");
  const row = (line) => {
    const [symbol, date, price] = line.split(",");
    return `('${symbol}', '${new Date(`${date} UTC`).toISOString().slice(0, 10)}', ${price})`;
  };
  await client.run(`insert into prices (symbol, date, price) values ${lines.map(row).join(", ")}`);
}

const script = `-- the best months of a stock, and the feed as it comes
select date, price from prices where symbol = 'AAPL' order by price desc limit 40;
subscribe symbol, price, trend, date from stocks;
subscribe trend, count(*) as stocks, avg(price) as average from stocks group by trend`;

async function take(server, name, options, prepare) {
  const console_page = await ConsolePage.open(server.url, options);
  await console_page.connected();
  await prepare(console_page);
  await console_page.page.screenshot({ path: join(images, name) });
  await console_page.close();
}

async function show_queries(console_page) {
  await console_page.run(script);
  await console_page.result.has_status("40 rows");
  await console_page.live().has_status(" rows");
  await console_page.page.locator('.table-name[data-table="prices"]').click({ timeout: 1_000 }).catch(() => {});
  const changed = console_page.live(1).locator.locator(".badge.rate.busy");
  await changed.waitFor();
  await console_page.page.waitForTimeout(2_500);
}

await mkdir(images, { recursive: true });
const server = await Server.start();
const client = await Client.connect(server.port);
await load_prices(client);
await client.run("key stocks symbol");
const feed = spawn(demo, ["--port", String(server.port), "--rate", "6"], { stdio: "ignore", cwd: root });
while ((await client.run("select symbol from stocks")).rows < 4) await new Promise((resolve) => setTimeout(resolve, 50));
client.close();

const wide = { width: 1280, height: 720 };
await take(server, "console-light.png", { viewport: wide }, show_queries);
await take(server, "console-dark.png", { viewport: wide, theme: "dark" }, show_queries);
await take(server, "console-phone.png", { viewport: { width: 390, height: 780 }, theme: "dark" }, show_queries);

feed.kill();
await once(feed, "exit");
await server.stop();
