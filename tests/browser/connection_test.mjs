// The server goes away and comes back; it wants a user; the page is a phone's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConsolePage } from "./lib/console_page.mjs";
import { Client, Server } from "./lib/server.mjs";

const cli = process.env.PUBSUBSQL_CLI ?? "build/release/pubsubsql";

/// A server and a page that end with the test, however it ends.
async function started(t, flags) {
  const server = await Server.start(flags);
  t.after(() => server.stop());
  return server;
}

async function opened(t, url, options) {
  const console_page = await ConsolePage.open(url, options);
  t.after(() => console_page.abandon());
  return console_page;
}

/// What the browser itself says while nobody answers.
const connection_refused = /WebSocket connection|ERR_CONNECTION_REFUSED|Failed to load resource/;

async function with_directory(run) {
  const directory = await mkdtemp(join(tmpdir(), "pubsubsql-console-"));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test("after a restart of the server the page connects and subscribes again", async (t) => {
  await with_directory(async (directory) => {
    const server = await started(t, ["--data", join(directory, "data")]);
    const console_page = await opened(t, server.url);
    await console_page.connected();
    await console_page.run("insert into t (a) values (1);\nsubscribe * from t");
    const live = console_page.live();
    await live.has_rows([["0", "1"]]);
    await server.stop();
    await console_page.page.locator(".state.connecting").waitFor();
    assert.deepEqual(await live.rows(), [["0", "1"]]);
    await server.start_again();
    await console_page.connected();
    const client = await Client.connect(server.port);
    await client.run("insert into t (a) values (2)");
    await live.has_rows([["0", "1"], ["1", "2"]]);
    client.close();
    await console_page.close(connection_refused);
  });
});

test("a server with users asks for one, and the page goes on as that user", async (t) => {
  await with_directory(async (directory) => {
    const users = join(directory, "users");
    const run_cli = (...args) => execFileSync(cli, args, { input: "secret\nsecret\n", encoding: "utf8" });
    run_cli("user", "add", "--file", users, "--admin", "ada");
    const server = await started(t, ["--users", users]);
    const console_page = await opened(t, server.url);
    const { page } = console_page;
    const sign_in = page.getByRole("dialog", { name: "Sign in" });
    const submit = async (password) => {
      await sign_in.getByLabel("User").fill("ada");
      await sign_in.getByLabel("Password or token").fill(password);
      await page.keyboard.press("Enter");
    };
    await sign_in.waitFor();
    await submit("wrong");
    await sign_in.getByText("Access denied for user").waitFor();
    await submit("secret");
    await page.locator(".user", { hasText: "ada" }).waitFor();
    await console_page.connected();
    await console_page.run("select current_user() as me");
    await console_page.result.has_rows([["ada"]]);
    assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes("secret")), false);
    await page.getByRole("tab", { name: "Activity" }).click();
    await page.locator(".chart canvas").nth(5).waitFor();
    await console_page.close();
  });
});

test("on a phone everything fits the width", async (t) => {
  const server = await started(t, []);
  const client = await Client.connect(server.port);
  await client.run("insert into stocks (symbol, price, trend) values (IBM, 100, up), (MSFT, 40, down)");
  client.close();
  const console_page = await opened(t, server.url, { viewport: { width: 390, height: 844 }, theme: "dark" });
  const { page } = console_page;
  await console_page.connected();
  const fits = async () => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.equal(await page.locator(".sidebar").isVisible(), false);
  await page.getByRole("button", { name: "Tables (b)" }).click();
  await page.getByRole("button", { name: "Subscribe to stocks" }).click();
  await console_page.live().has_status("2 rows");
  assert.equal(await page.locator(".sidebar").isVisible(), false);
  await fits();
  await console_page.run("select * from stocks");
  await console_page.result.has_status("2 rows");
  await fits();
  await page.getByRole("tab", { name: "Activity" }).click();
  await page.locator(".chart canvas").nth(5).waitFor();
  await fits();
  await console_page.close();
});
