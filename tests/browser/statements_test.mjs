// The editor, results, the table browser, the last hour.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ConsolePage } from "./lib/console_page.mjs";
import { Client, Server } from "./lib/server.mjs";

let server;
let console_page;
let page;

before(async () => {
  server = await Server.start();
  const client = await Client.connect(server.port);
  await client.run("create table orders (id bigint auto_increment primary key, item varchar(40) not null, amount decimal(8,2), index by_amount (amount))");
  await client.run("insert into orders (item, amount) values ('pen', 2.5), ('ink', null), ('<img src=x onerror=alert(1)>', 10)");
  client.close();
  console_page = await ConsolePage.open(server.url);
  page = console_page.page;
  await console_page.connected();
});

after(async () => {
  try {
    await console_page?.close();
  } finally {
    await server?.stop();
  }
});

test("a select shows its rows, NULL apart from texts, HTML as text", async () => {
  await console_page.run("select * from orders");
  await console_page.result.has_rows([["1", "pen", "2.50"], ["2", "ink", "NULL"], ["3", "<img src=x onerror=alert(1)>", "10.00"]]);
  assert.equal(await page.locator(".slick-cell.null").count(), 1);
  assert.equal(await page.locator(".slick-cell img").count(), 0);
});

test("a column's head sorts, numbers as numbers, and NULL first", async () => {
  await console_page.result.locator.getByText("amount", { exact: true }).click();
  await console_page.result.has_rows([["2", "ink", "NULL"], ["1", "pen", "2.50"], ["3", "<img src=x onerror=alert(1)>", "10.00"]]);
});

test("the filter leaves the rows that contain it", async () => {
  await console_page.result.filter.fill("PEN");
  await console_page.result.has_rows([["1", "pen", "2.50"]]);
  await console_page.result.has_status("1 of 3 rows");
});

test("an error is marked at its offset, behind characters of several bytes too", async () => {
  await console_page.run("select 'grün' as g;\nselect '€' form orders");
  await console_page.result.note.getByText("expected").waitFor();
  const marked = page.locator(".cm-lintRange-error");
  await marked.waitFor();
  const line = await marked.evaluate((mark) => {
    const range = document.createRange();
    range.setStart(mark.closest(".cm-line"), 0);
    range.setEndBefore(mark);
    return { before: range.toString(), marked: mark.textContent };
  });
  assert.equal(line.before, "select '€' form ");
  assert.equal(line.marked, "orders");
});

test("a script shows what each statement came to", async () => {
  await console_page.run("insert into t (a) values (1), (2);\nselect a from t;\nstatus");
  const tabs = page.locator(".outcome");
  await tabs.nth(2).waitFor();
  assert.deepEqual(await tabs.allTextContents(), ["1insert · 2 rows inserted", "2select · 2 rows", "3status · ok"]);
  await tabs.nth(1).click();
  await console_page.result.has_rows([["1"], ["2"]]);
});

test("what a change came to is seen above the footer", async () => {
  await console_page.run("insert into t (a) values (3)");
  const { locator } = console_page.result;
  const message = locator.locator(".message", { hasText: "1 row inserted" });
  await message.waitFor();
  const inside = await message.boundingBox();
  const body = await locator.locator(".panel-body").boundingBox();
  assert.ok(inside.height > 0 && inside.y >= body.y && inside.y + inside.height <= body.y + body.height, JSON.stringify({ inside, body }));
});

test("what the server says nothing of is not shown", async () => {
  const { locator } = console_page.result;
  for (const sql of ["create table empty_one (a int)", "key empty_one a", "begin", "rollback", "drop table empty_one"]) {
    await console_page.run(sql);
    await locator.locator(".panel-title", { hasText: sql }).waitFor();
    await locator.locator(".message", { hasText: "✓ ok" }).waitFor();
    await console_page.result.has_rows([]);
  }
  await console_page.run("mysql status");
  await console_page.result.has_rows([["online", "0"]]);
});

test("what the console does not run says what to do instead", async () => {
  const { note } = console_page.result;
  for (const [sql, words] of [
    ["close", "close the page"],
    ["unsubscribe from t", "Press “Close and unsubscribe”"],
    ["execute immediate 'subscribe * from t'", "by itself"],
  ]) {
    await console_page.run(sql);
    await note.getByText(words).waitFor();
    await page.locator(".cm-lintRange-error").first().waitFor();
  }
});

test("only the statement at the cursor, or the selection, runs", async () => {
  await console_page.write("select 1;\nselect 2");
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Control+Enter");
  await console_page.result.has_rows([["1"]]);
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Shift+Control+ArrowLeft");
  await page.keyboard.press("Shift+Control+ArrowLeft");
  await page.keyboard.press("Control+Enter");
  await console_page.result.has_rows([["2"]]);
});

test("tables and the columns of a table that is named are completed", async () => {
  await console_page.write("select  from orders");
  await page.keyboard.press("Control+Home");
  for (let i = 0; i < 7; ++i) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Control+Space");
  await page.locator(".cm-completionLabel", { hasText: /^amount$/ }).waitFor();
  await page.keyboard.press("Escape");
  await console_page.write("select * from ");
  await page.keyboard.type("ord");
  await page.locator(".cm-completionLabel", { hasText: /^orders$/ }).waitFor();
  await page.keyboard.press("Escape");
});

test("the history finds what was run", async () => {
  await page.getByRole("button", { name: "History" }).click();
  await page.getByLabel("Search the history").fill("grün form");
  await page.locator(".history-entry").first().click();
  assert.match(await page.locator(".cm-content").textContent(), /select 'grün' as g;select '€' form orders/);
});

test("cells, rows and all rows are copied", async () => {
  await console_page.run("select id, item from orders where id < 3");
  await console_page.result.has_rows([["1", "pen"], ["2", "ink"]]);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await page.locator(".slick-cell", { hasText: /^ink$/ }).click();
  await page.keyboard.press("Control+c");
  assert.equal(await copied(), "ink");
  await page.keyboard.press("Control+Shift+c");
  assert.equal(await copied(), "2\tink");
  await console_page.result.locator.locator("summary").click();
  await page.getByRole("menuitem", { name: "Copy all as CSV" }).click();
  assert.equal(await copied(), "id,item\r\n1,pen\r\n2,ink\r\n");
  await console_page.result.locator.locator("summary").click();
  await page.getByRole("menuitem", { name: "Copy all as JSON" }).click();
  assert.deepEqual(JSON.parse(await copied()), [{ id: "1", item: "pen" }, { id: "2", item: "ink" }]);
});

test("the table browser shows columns and indexes, and selects", async () => {
  await page.getByRole("button", { name: "Read the tables anew" }).click();
  await page.locator('.table-name[data-table="orders"]').click();
  await page.locator(".columns li").nth(2).waitFor();
  assert.deepEqual(await page.locator(".columns li").allTextContents(), ["idPKbigint ·", "itemvarchar(40) ·", "amountINDEXdecimal(8,2)"]);
  await page.getByRole("button", { name: "Select from orders" }).click();
  await console_page.result.has_status("3 rows");
});

test("the last hour has its charts, and who is subscribed is listed", async () => {
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "Activity" }).click();
  await page.locator(".chart canvas").nth(5).waitFor();
  assert.equal(await page.locator(".chart").count(), 6);
  await page.locator(".subscriptions .slick-header-column", { hasText: "Statement" }).waitFor();
  assert.equal(await page.locator(".activity > .panel-note").isVisible(), false);
  await page.getByRole("tab", { name: "Query" }).click();
});

test("keys lead everywhere", async () => {
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("2");
  await page.locator(".activity").waitFor();
  await page.keyboard.press("1");
  await page.keyboard.press("d");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.keyboard.press("d");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.className), "filter");
});
