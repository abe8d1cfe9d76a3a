// Live grids: what events do to the rows, pausing, filtering, several subscriptions.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ConsolePage } from "./lib/console_page.mjs";
import { Client, Server } from "./lib/server.mjs";

let server;
let client;
let console_page;
let page;

before(async () => {
  server = await Server.start();
  client = await Client.connect(server.port);
  await client.run("insert into jobs (name, state, cost) values (lint, new, 1), (build, new, 20), (test, done, 3)");
  console_page = await ConsolePage.open(server.url);
  page = console_page.page;
  await console_page.connected();
});

after(async () => {
  client?.close();
  try {
    await console_page?.close();
  } finally {
    await server?.stop();
  }
});

test("a subscription follows every change of its rows", async () => {
  await console_page.run("subscribe * from jobs where state = new");
  const live = console_page.live();
  await live.has_rows([["0", "lint", "new", "1"], ["1", "build", "new", "20"]]);
  await client.run("update jobs set cost = 21 where name = build");
  await live.has_rows([["0", "lint", "new", "1"], ["1", "build", "new", "21"]]);
  await client.run("insert into jobs (name, state, cost) values (pack, new, 4)");
  await live.has_rows([["0", "lint", "new", "1"], ["1", "build", "new", "21"], ["3", "pack", "new", "4"]]);
  await client.run("update jobs set state = running where name = lint");
  await client.run("delete from jobs where name = build");
  await live.has_rows([["3", "pack", "new", "4"]]);
  await live.has_status("1 row · +3 ~1 −2");
});

test("a column that appears later is shown", async () => {
  await client.run("update jobs set owner = ada where name = pack");
  await console_page.live().has_rows([["3", "pack", "new", "4", "ada"]]);
});

test("a paused grid stays as it is, and resumes with what there is then", async () => {
  const live = console_page.live();
  await live.button("Pause").click();
  await client.run("update jobs set cost = 5 where name = pack");
  await client.run("insert into jobs (name, state, cost) values (ship, new, 6)");
  await live.has_status("paused, 2 changes since");
  assert.deepEqual(await live.rows(), [["3", "pack", "new", "4", "ada"]]);
  await live.button("Resume").click();
  await live.has_rows([["3", "pack", "new", "5", "ada"], ["4", "ship", "new", "6", "NULL"]]);
});

test("a filter holds for rows that come later", async () => {
  const live = console_page.live();
  await live.filter.fill("ship");
  await live.has_rows([["4", "ship", "new", "6", "NULL"]]);
  await client.run("insert into jobs (name, state, cost) values (shipyard, new, 7), (other, new, 8)");
  await live.has_rows([["4", "ship", "new", "6", "NULL"], ["5", "shipyard", "new", "7", "NULL"]]);
  await live.filter.fill("");
  await live.has_status("4 rows");
});

test("groups and first rows stand beside it", async () => {
  await console_page.run("subscribe state, count(*), sum(cost) from jobs group by state;\nsubscribe name, cost from jobs order by cost desc limit 2");
  const groups = console_page.live(1);
  const first = console_page.live(2);
  const sorted = async (panel) => (await panel.rows()).map((row) => row.join(" ")).sort();
  await groups.has_status("3 rows");
  await first.has_rows([["6", "other", "8"], ["5", "shipyard", "7"]]);
  assert.deepEqual(await sorted(groups), ["done 1 3", "new 4 26", "running 1 1"]);
  await client.run("update jobs set cost = 9, state = done where name = ship");
  await first.has_rows([["4", "ship", "9"], ["6", "other", "8"]]);
  await groups.has_status("~2");
  assert.deepEqual(await sorted(groups), ["done 2 12", "new 3 20", "running 1 1"]);
});

test("the bar between two panels resizes them", async () => {
  const width = async (i) => (await console_page.live(i).locator.boundingBox()).width;
  const before_move = await width(1);
  await page.locator(".divider.vertical").first().focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  assert.ok((await width(1)) > before_move + 20);
});

test("closing a panel unsubscribes", async () => {
  const subscriptions = async () => (await client.run("show subscriptions")).rows;
  assert.equal(await subscriptions(), 3);
  await console_page.live(2).button("Close and unsubscribe").click();
  await console_page.live(1).button("Close and unsubscribe").click();
  while ((await subscriptions()) !== 1) await page.waitForTimeout(20);
  assert.equal(await page.locator(".panel.live").count(), 1);
});

test("a subscription whose rows cannot be told apart says so", async () => {
  await client.run("create table parts (id varchar(5), name varchar(5))");
  await client.run("insert into parts (id, name) values ('a', 'nut'), ('a', 'bolt')");
  await console_page.run("subscribe * from parts");
  const ended = console_page.live(1);
  await ended.note.getByText("do not tell them apart").waitFor();
  await ended.button("Close and unsubscribe").click();
});

test("a subscription that is refused says why", async () => {
  await console_page.run("subscribe nothing from jobs where (");
  const refused = console_page.live(1);
  await refused.note.getByText("expected").waitFor();
  await page.locator(".cm-lintRange-error, .cm-lintPoint-error").first().waitFor({ state: "attached" });
  await refused.button("Close and unsubscribe").click();
});
