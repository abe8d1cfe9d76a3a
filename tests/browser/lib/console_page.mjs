// The console in Chromium, and what the tests do with it.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/// How long what has to come may take, on a busy machine.
const patience_ms = 90_000;

const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--enable-precise-memory-info",
];

/// A console, in a browser of its own with an empty profile.
export class ConsolePage {
  /// What the page complained about: errors, warnings, and violations of its policy.
  complaints = [];
  #profile;
  #context;

  static async open(url, { viewport = { width: 1280, height: 800 }, theme = "light" } = {}) {
    const console_page = new ConsolePage();
    console_page.#profile = await mkdtemp(join(tmpdir(), "pubsubsql-browser-"));
    console_page.#context = await chromium.launchPersistentContext(console_page.#profile, {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      headless: true,
      args: flags,
      viewport,
      colorScheme: theme,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = console_page.#context.pages()[0];
    console_page.page = page;
    page.setDefaultTimeout(patience_ms);
    await console_page.#listen();
    await page.goto(url);
    return console_page;
  }

  async #listen() {
    const complain = (text) => this.complaints.push(text);
    this.page.on("pageerror", (error) => complain(`error: ${error.stack}`));
    this.page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complain(`${message.type()}: ${message.text()}`);
    });
    await this.page.exposeFunction("tell_violation", (text) => complain(`policy: ${text}`));
    await this.page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (e) => {
        window.tell_violation(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`);
      });
    });
  }

  /// Closes the browser. What the page complained about has to match one of the patterns.
  async close(...allowed) {
    await this.abandon();
    const others = this.complaints.filter((text) => !allowed.some((pattern) => pattern.test(text)));
    assert.deepEqual(others, []);
  }

  /// Closes the browser, whatever the page said.
  async abandon() {
    await this.#context.close();
    await rm(this.#profile, { recursive: true, force: true });
  }

  async connected() {
    await this.page.locator(".state.open").waitFor();
  }

  /// Puts a script into the editor.
  async write(sql) {
    await this.page.locator(".cm-content").click();
    await this.page.keyboard.press("Control+a");
    await this.page.keyboard.insertText(sql);
  }

  /// Runs a script, all statements of it.
  async run(sql) {
    await this.write(sql);
    await this.page.keyboard.press("Control+Shift+Enter");
  }

  get result() {
    return new PanelPage(this.page.locator(".panel.result"));
  }

  live(index = 0) {
    return new PanelPage(this.page.locator(".panel.live").nth(index));
  }
}

export class PanelPage {
  constructor(locator) {
    this.locator = locator;
    this.status = locator.locator(".panel-status");
    this.note = locator.locator(".panel-note");
    this.filter = locator.locator(".filter");
  }

  button(label) {
    return this.locator.getByRole("button", { name: label, exact: true });
  }

  /// Waits until the line of status has this text.
  async has_status(text) {
    const found = this.status.filter({ hasText: text });
    await found.waitFor().catch(async () => assert.fail(`the status is "${await this.status.textContent()}", not "${text}"`));
  }

  /// The rows that are drawn, top to bottom, as arrays of texts.
  async rows() {
    return this.locator.locator(".grid").evaluate((grid) => {
      const line = (row) => Array.from(row.children, (cell) => cell.textContent);
      const place = (row) => Number(row.dataset.row);
      return Array.from(grid.querySelectorAll(".slick-row"))
        .sort((a, b) => place(a) - place(b))
        .map(line);
    });
  }

  /// Waits until the rows drawn are these.
  async has_rows(expected) {
    const deadline = Date.now() + patience_ms;
    let rows = await this.rows();
    while (JSON.stringify(rows) !== JSON.stringify(expected) && Date.now() < deadline) {
      await this.locator.page().waitForTimeout(30);
      rows = await this.rows();
    }
    assert.deepEqual(rows, expected);
  }
}
