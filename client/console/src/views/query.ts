/** The view with the editor above and the panels of results and subscriptions below. */

import { PubSubSqlError } from "../client.js";
import type { Connection } from "../connection.js";
import { h } from "../dom.js";
import { Editor } from "../editor/editor.js";
import type { History } from "../editor/history.js";
import { keep_text, kept_text } from "../editor/kept_text.js";
import type { Schema } from "../editor/completion.js";
import { icon } from "../icons.js";
import { LivePanel } from "../live/live_panel.js";
import { notify } from "../notices.js";
import { icon_button } from "../panels/panel_frame.js";
import { ResultPanel } from "../panels/result_panel.js";
import { Workspace } from "../panels/workspace.js";
import { refusal_of, words_of } from "../refusals.js";
import { first_words, type Statement } from "../statements.js";
import { load, save } from "../store.js";

export interface QueryOptions {
  connection: Connection;
  schema: Schema;
  history: History;
  on_show_history: () => void;
  /** Called after statements that may have changed what tables there are. */
  on_changed: () => void;
}

/** Each costs the page memory and the server events. */
const subscriptions_max = 24;
const editor_height_min = 72;
const key_step_px = 16;
const save_pause_ms = 400;

/** Statements after which the list of tables is the same as before. */
const reading = new Set(["select", "explain", "show", "describe", "desc", "status", "begin", "peek"]);

export class QueryView {
  readonly element: HTMLElement;
  readonly workspace: Workspace;
  private readonly editor: Editor;
  private readonly editor_pane: HTMLElement;
  private result: ResultPanel | null = null;
  private live_panels = 0;
  /** Gives up the statements that run; null when none do. */
  private running: AbortController | null = null;
  private readonly run_button = h("button", { type: "button", class: "button primary run", onclick: () => this.run_or_stop() });

  constructor(private readonly options: QueryOptions) {
    const host = h("div", { class: "editor-host" });
    this.workspace = new Workspace(this.empty_state());
    this.editor_pane = h("section", { class: "editor-pane", "aria-label": "Editor" }, host, this.toolbar());
    this.editor_pane.style.height = `${load("editor_height", 190)}px`;
    this.element = h("div", { class: "query", id: "query", role: "tabpanel", "aria-label": "Query" }, this.editor_pane, this.splitter(), this.workspace.element);
    this.set_running(null);
    let timer = 0;
    this.editor = new Editor(host, {
      text: kept_text(),
      schema: options.schema,
      on_run: (what) => void this.run(what),
      on_history: (by) => this.step_history(by),
      on_leave: () => this.workspace.current()?.focus(),
      on_change: (text) => {
        clearTimeout(timer);
        timer = window.setTimeout(() => keep_text(text), save_pause_ms);
      },
    });
  }

  private toolbar(): HTMLElement {
    return h(
      "div",
      { class: "editor-tools", role: "toolbar", "aria-label": "Editor" },
      this.run_button,
      h("button", { type: "button", class: "button run-all", title: "Run all statements (Ctrl+Shift+Enter)", onclick: () => void this.run("all") }, icon("play_all"), "Run all"),
      icon_button("history", "History", this.options.on_show_history),
    );
  }

  private empty_state(): HTMLElement {
    return h(
      "div",
      { class: "empty" },
      icon("live"),
      h("p", {}, "Run a statement, and its rows are here. ", h("code", {}, "subscribe"), " in place of ", h("code", {}, "select"), " keeps them live."),
      h("p", { class: "hint" }, h("kbd", {}, "Ctrl"), h("kbd", {}, "Enter"), " runs · ", h("kbd", {}, "Ctrl"), h("kbd", {}, "Space"), " completes · ", h("kbd", {}, "?"), " lists the keys"),
    );
  }

  private splitter(): HTMLElement {
    const bar = h("div", { class: "divider horizontal", role: "separator", tabindex: 0, "aria-orientation": "horizontal", "aria-label": "Resize the editor" });
    const resize = (height: number) => {
      const pixels = Math.max(editor_height_min, Math.min(height, this.element.clientHeight - 120));
      this.editor_pane.style.height = `${pixels}px`;
      save("editor_height", pixels);
    };
    bar.addEventListener("pointerdown", (down) => {
      bar.setPointerCapture(down.pointerId);
      const begin = this.editor_pane.offsetHeight - down.clientY;
      const move = (e: PointerEvent) => resize(begin + e.clientY);
      bar.addEventListener("pointermove", move);
      bar.addEventListener("lostpointercapture", () => bar.removeEventListener("pointermove", move), { once: true });
    });
    bar.addEventListener("keydown", (e) => {
      if (e.key !== "ArrowUp" && e.key !== "ArrowDown") return;
      e.preventDefault();
      resize(this.editor_pane.offsetHeight + (e.key === "ArrowUp" ? -key_step_px : key_step_px));
    });
    return bar;
  }

  focus_editor(): void {
    this.editor.focus();
  }

  set_text(text: string): void {
    this.editor.set_text(text);
    this.editor.focus();
  }

  /** Puts a statement into the editor and runs it. */
  run_text(statement: string): void {
    this.editor.append(statement);
    void this.run("here");
  }

  private step_history(by: 1 | -1): void {
    const script = this.options.history.step(by);
    if (script !== null) this.editor.set_text(script);
  }

  private run_or_stop(): void {
    if (this.running) this.running.abort(new Error("Stopped waiting for the answer; the statement may still be executed."));
    else void this.run("here");
  }

  private set_running(running: AbortController | null): void {
    this.running = running;
    const [name, text, title] = running
      ? (["stop", "Stop", "Do not wait for the answer"] as const)
      : (["play", "Run", "Run the selection, or the statement at the cursor (Ctrl+Enter)"] as const);
    this.run_button.replaceChildren(icon(name), text);
    this.run_button.title = title;
  }

  private async run(what: "here" | "all"): Promise<void> {
    if (this.running) return notify("The statements before still run.");
    const statements = what === "all" ? this.editor.all_statements() : this.editor.statements_here();
    if (statements.length === 0) return;
    this.options.history.add(statements.map((s) => s.text).join(";\n"));
    this.editor.clear_marks();
    this.set_running(new AbortController());
    try {
      await this.run_statements(statements);
    } finally {
      this.set_running(null);
    }
    if (statements.some((s) => !reading.has(first_words(s.text, 1)[0] ?? ""))) this.options.on_changed();
  }

  /** Runs statements one after the other until one fails. */
  private async run_statements(statements: Statement[]): Promise<void> {
    let panel: ResultPanel | null = null;
    for (const statement of statements) {
      if (first_words(statement.text, 1)[0] === "subscribe") {
        this.subscribe(statement);
        continue;
      }
      if (!panel) {
        panel = this.result_panel();
        panel.begin();
      }
      if (!(await this.run_one(statement, panel))) break;
    }
    panel?.end();
  }

  private async run_one(statement: Statement, panel: ResultPanel): Promise<boolean> {
    const begun = performance.now();
    const refusal = refusal_of(statement.text);
    if (refusal !== undefined) {
      panel.add({ sql: statement.text, error: refusal, milliseconds: 0 });
      this.editor.mark_error(statement, undefined, refusal);
      return false;
    }
    try {
      const result = await this.options.connection.query(statement.text, this.running?.signal);
      panel.add({ sql: statement.text, result, milliseconds: performance.now() - begun });
      return true;
    } catch (error) {
      panel.add({ sql: statement.text, error: words_of(error), milliseconds: performance.now() - begun });
      this.mark(statement, error);
      return false;
    }
  }

  private mark(statement: Statement, error: unknown): void {
    if (error instanceof PubSubSqlError) this.editor.mark_error(statement, error.offset, words_of(error));
  }

  private result_panel(): ResultPanel {
    if (this.result) return this.result;
    const panel: ResultPanel = new ResultPanel(() => {
      this.result = null;
      this.workspace.remove(panel);
    });
    this.result = panel;
    this.workspace.add_first(panel);
    return panel;
  }

  private subscribe(statement: Statement): void {
    if (this.live_panels >= subscriptions_max) return notify(`There are ${subscriptions_max} live panels already: close one first.`);
    ++this.live_panels;
    const panel = new LivePanel(statement.text, this.options.connection, {
      on_close: () => {
        --this.live_panels;
        this.workspace.remove(panel);
      },
      on_error: (error) => this.mark(statement, error),
    });
    this.workspace.add(panel);
  }

  /** After another user has signed in: subscriptions of the one before have ended. */
  close_subscriptions(): void {
    this.workspace.remove_all();
    this.live_panels = 0;
    this.result = null;
  }
}
