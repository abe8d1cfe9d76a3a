/** The panel with what the statements that were run last came to. */

import type { Cell, Result } from "../client.js";
import { append, h, plural } from "../dom.js";
import type { Row } from "../grid/rows.js";
import { PanelFrame } from "./panel_frame.js";
import type { Panel } from "./workspace.js";

/** What a statement came to. */
export interface Outcome {
  sql: string;
  result?: Result;
  error?: string;
  milliseconds: number;
}

/** Rows of one result that a grid holds; those beyond are left out, and the panel says so. */
const rows_max = 1_000_000;

interface Table {
  columns: readonly string[];
  data: readonly (readonly Cell[])[];
}

const past: Record<string, string> = {
  insert: "inserted", update: "updated", delete: "deleted", push: "pushed", pop: "popped", replace: "replaced",
};

const hidden = new Set(["status", "action", "requestid", "columns", "data", "fromrow", "torow"]);

/** A reply without rows, such as that of `status`, as names and values. */
function members_of(result: Result): Table {
  const entries = Object.entries(result).filter(([name]) => !hidden.has(name));
  const text = (value: unknown): Cell => (value === null ? null : typeof value === "object" ? JSON.stringify(value) : String(value));
  return { columns: ["Name", "Value"], data: entries.map(([name, value]) => [name, text(value)]) };
}

function table_of(result: Result): Table | null {
  if (result.columns && result.columns.length > 0) return { columns: result.columns, data: result.data };
  if (result.action in past) return null;
  const members = members_of(result);
  return members.data.length > 0 ? members : null;
}

function summary_of(outcome: Outcome): string {
  if (outcome.error !== undefined) return "error";
  const result = outcome.result!;
  const verb = past[result.action];
  if (!verb && result.columns.length === 0) return "ok";
  return plural(result.rows, "row") + (verb ? ` ${verb}` : "");
}

const time_text = (ms: number): string => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

export class ResultPanel implements Panel {
  readonly element: HTMLElement;
  private readonly frame: PanelFrame;
  private readonly list = h("div", { class: "outcomes", role: "tablist", "aria-label": "Statements that were run" });
  private readonly message = h("div", { class: "message" });
  private outcomes: Outcome[] = [];
  private rows: Row[] = [];

  constructor(on_close: () => void) {
    this.frame = new PanelFrame({
      kind: "result",
      label: "Result",
      on_close,
      on_filter: () => this.refresh(),
      on_sort: () => this.refresh(),
    });
    this.element = this.frame.element;
    this.element.insertBefore(this.list, this.frame.body);
    this.frame.body.append(this.message);
    this.list.addEventListener("keydown", (e) => this.on_tab_key(e));
  }

  /** Shows that statements run. */
  begin(): void {
    this.outcomes = [];
    this.element.classList.add("running");
    this.element.setAttribute("aria-busy", "true");
  }

  /** Takes what the next statement came to. */
  add(outcome: Outcome): void {
    this.outcomes.push(outcome);
  }

  /** Shows the last outcome, and tabs for all if there are several. */
  end(): void {
    this.element.classList.remove("running");
    this.element.removeAttribute("aria-busy");
    const tabs = this.outcomes.map((outcome, i) =>
      h(
        "button",
        { type: "button", role: "tab", class: outcome.error === undefined ? "outcome" : "outcome failed", title: outcome.sql, onclick: () => this.show(i) },
        h("span", { class: "outcome-number" }, String(i + 1)),
        `${outcome.sql.split(/\s/, 1)[0]!.toLowerCase()} · ${summary_of(outcome)}`,
      ),
    );
    this.list.replaceChildren();
    this.list.hidden = tabs.length < 2;
    append(this.list, tabs);
    if (tabs.length > 0) this.show(tabs.length - 1);
  }

  private on_tab_key(e: KeyboardEvent): void {
    const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const tabs = Array.from(this.list.children) as HTMLElement[];
    const next = tabs[tabs.indexOf(document.activeElement as HTMLElement) + step];
    next?.focus();
    next?.click();
  }

  private show(index: number): void {
    const outcome = this.outcomes[index]!;
    Array.from(this.list.children).forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === index));
      (tab as HTMLElement).tabIndex = i === index ? 0 : -1;
    });
    this.frame.set_title(outcome.sql.replace(/\s+/g, " "));
    this.frame.set_note(outcome.error ?? "", "error");
    const table = outcome.result ? table_of(outcome.result) : null;
    this.frame.body.classList.toggle("without-grid", table === null);
    this.message.textContent = outcome.error === undefined ? `✓ ${summary_of(outcome)}` : "";
    this.frame.status.textContent = `${summary_of(outcome)} · ${time_text(outcome.milliseconds)}`;
    this.set_rows(table);
  }

  private set_rows(table: Table | null): void {
    const data = table?.data ?? [];
    const more = data.length - rows_max;
    this.rows = (more > 0 ? data.slice(0, rows_max) : data).map((cells) => ({ cells }));
    if (more > 0) this.frame.set_note(`${plural(more, "row")} more than the grid holds are left out; add a limit.`, "warning");
    this.frame.filter.value = "";
    this.frame.grid.view.filter = "";
    this.frame.grid.sort_by(null);
    this.frame.grid.show_view([]);
    this.frame.grid.set_columns(table?.columns ?? [], this.rows);
    this.frame.grid.show_view(this.rows);
    this.frame.grid.scroll_to_top();
  }

  private refresh(): void {
    this.frame.grid.show(this.rows);
    const shown = this.frame.grid.shown.length;
    this.frame.status.textContent =
      shown === this.rows.length ? plural(shown, "row") : `${shown.toLocaleString("en")} of ${plural(this.rows.length, "row")}`;
  }

  focus(): void {
    this.frame.grid.focus();
  }

  focus_filter(): void {
    this.frame.filter.focus();
  }

  close(): void {
    this.frame.grid.destroy();
  }
}
