// Many changes and many rows: the page goes on drawing, and says how well in the test's output.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ConsolePage } from "./lib/console_page.mjs";
import { Client, Feed, Server } from "./lib/server.mjs";

/// Bounds that only a page that stands still would miss, also on a busy machine without a graphics card.
const frames_per_second_min = 0.5;
const longest_frame_ms_max = 10_000;
const heap_bytes_max = 600e6;

let server;
let console_page;
let page;

before(async () => {
  server = await Server.start();
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

/// Draws frames for so long, calling `step` in each, and measures them.
async function measure_frames(milliseconds, step = "") {
  return page.evaluate(
    ([duration, source]) =>
      new Promise((resolve) => {
        const act = { "": () => {}, scroll: () => (document.querySelector(".panel.result .slick-viewport-top.slick-viewport-left").scrollTop += 2_600) }[source];
        const begun = performance.now();
        let last = begun;
        let frames = 0;
        let longest = 0;
        const draw = (now) => {
          ++frames;
          longest = Math.max(longest, now - last);
          last = now;
          act();
          if (now - begun < duration) return requestAnimationFrame(draw);
          resolve({ per_second: (frames * 1_000) / (now - begun), longest_ms: longest, heap_bytes: performance.memory.usedJSHeapSize });
        };
        requestAnimationFrame(draw);
      }),
    [milliseconds, step],
  );
}

function report(t, measured) {
  t.diagnostic(
    `${measured.per_second.toFixed(1)} frames/s, the longest ${Math.round(measured.longest_ms)} ms, heap ${(measured.heap_bytes / 1e6).toFixed(1)} MB`,
  );
  assert.ok(measured.per_second > frames_per_second_min, `${measured.per_second} frames per second`);
  assert.ok(measured.longest_ms < longest_frame_ms_max, `a frame took ${measured.longest_ms} ms`);
  assert.ok(measured.heap_bytes < heap_bytes_max, `the heap has ${measured.heap_bytes} bytes`);
}

test("a live grid follows 5,000 changes a second without freezing", async (t) => {
  await console_page.run("subscribe * from quotes");
  const feed = await Feed.start(server.port, { rows: 1_000, rate: 5_000 });
  const live = console_page.live();
  await live.has_status("1,000 rows");
  report(t, await measure_frames(5_000));
  t.diagnostic(`the panel shows ${await live.locator.locator(".badge.rate").textContent()}`);
  feed.stop();
  const reader = await Client.connect(server.port);
  const last = (await reader.run("select symbol, volume from quotes where symbol = S999")).data[0];
  reader.close();
  await live.filter.fill("S999");
  await live.locator.locator(".slick-cell", { hasText: new RegExp(`^${last[1]}$`) }).waitFor();
  await live.button("Close and unsubscribe").click();
});

test("100,000 rows arrive, scroll, sort and filter", async (t) => {
  const client = await Client.connect(server.port);
  for (let batch = 0; batch < 100; ++batch) {
    const rows = Array.from({ length: 1_000 }, (_, i) => batch * 1_000 + i);
    await client.run(`insert into big (name, amount) values ${rows.map((n) => `(name${n}, ${(n * 7919) % 100_003})`).join(", ")}`);
  }
  client.close();
  await console_page.run("select name, amount from big");
  const result = console_page.result;
  await result.has_status("100,000 rows");
  report(t, await measure_frames(2_000, "scroll"));
  await result.locator.locator(".slick-header-column", { hasText: "amount" }).click();
  await result.locator.locator(".slick-viewport-top.slick-viewport-left").evaluate((view) => (view.scrollTop = 0));
  await result.locator.locator(".slick-row", { hasText: /^name00$/ }).waitFor();
  await result.filter.fill("name99999");
  await result.has_rows([["name99999", String((99_999 * 7919) % 100_003)]]);
});

test("a subscription to 100,000 rows has them all, and follows", async (t) => {
  await console_page.run("subscribe name, amount from big order by amount limit 10;\nsubscribe * from big");
  const live = console_page.live(1);
  await live.has_status("100,000 rows");
  const client = await Client.connect(server.port);
  await client.run("update big set amount = 7 where name = name99999");
  await live.has_status("~1");
  client.close();
  report(t, await measure_frames(1_000));
});
