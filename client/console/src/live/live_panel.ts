/** A panel that follows a subscription. Events are applied as they come and drawn once per frame. */

import { PubSubSqlError, type Subscription } from "../client.js";
import type { Connection } from "../connection.js";
import { count, h, plural, short_count } from "../dom.js";
import { view_of, type Row } from "../grid/rows.js";
import { icon } from "../icons.js";
import { icon_button, PanelFrame } from "../panels/panel_frame.js";
import type { Panel } from "../panels/workspace.js";
import { words_of } from "../refusals.js";
import { definition_of, type Definition } from "./definition.js";
import { LiveRows } from "./live_rows.js";
import { Rate } from "./rate.js";

/** A view that took long to compute is not computed again for so many times as long. */
const rest_factor = 6;
const counters_ms = 500;

export interface LivePanelEvents {
  on_close: () => void;
  /** The server refused or ended the subscription. */
  on_error: (error: unknown) => void;
}

export class LivePanel implements Panel {
  readonly element: HTMLElement;
  private readonly frame: PanelFrame;
  private readonly definition: Definition;
  private readonly rows: LiveRows;
  private readonly rate = new Rate();
  private readonly badge = { rate: h("span", { class: "badge rate", title: "Changes of rows per second" }), lost: h("span", { class: "badge lost", hidden: true }) };
  private readonly pause_button: HTMLButtonElement;
  private subscription: Subscription;
  private scheduled = false;
  private due_view = false;
  private next_view_at = 0;
  private paused_rows: Row[] | null = null;
  private paused_at = 0;
  private closed = false;
  private readonly timer: number;

  constructor(readonly sql: string, connection: Connection, private readonly events: LivePanelEvents) {
    this.definition = definition_of(sql);
    this.rows = new LiveRows(this.definition.group_columns);
    this.frame = new PanelFrame({
      kind: "live",
      label: `Live: ${sql}`,
      on_close: events.on_close,
      on_filter: () => this.refresh(),
      on_sort: () => this.refresh(),
    });
    this.element = this.frame.element;
    this.frame.set_title(sql.replace(/\s+/g, " ").replace(/^subscribe /i, ""));
    this.frame.title.title = sql;
    this.frame.title.prepend(icon("live"));
    this.frame.badges.append(this.badge.rate, this.badge.lost);
    this.pause_button = icon_button("pause", "Pause", () => this.toggle_pause(), { "aria-pressed": "false" });
    this.frame.tools.insertBefore(this.pause_button, this.frame.tools.lastElementChild);
    this.timer = window.setInterval(() => this.show_counters(), counters_ms);
    this.show_counters();
    this.subscription = connection.subscribe(sql);
    void this.follow(connection);
  }

  private async follow(connection: Connection): Promise<void> {
    try {
      for await (const event of this.subscription) {
        if (this.closed) return;
        if (!this.scheduled) this.rows.begin_frame(performance.now());
        this.rows.apply(event);
        if (event.action === "gap") this.frame.set_note("The connection was too slow: changes were lost, and all rows were read anew.", "warning");
        if (event.reason === "resync" && !this.definition.order && this.definition.group_columns === undefined) {
          this.frame.set_note("The server has what changed without a connection no longer: all rows were read anew.", "warning");
        }
        this.schedule();
      }
    } catch (error) {
      if (this.closed) return;
      this.element.classList.add("ended");
      this.frame.set_note(words_of(error), "error");
      if (error instanceof PubSubSqlError) connection.look_at(error);
      this.events.on_error(error);
    }
  }

  private schedule(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    requestAnimationFrame((now) => this.draw(now));
  }

  private draw(now: number): void {
    this.scheduled = false;
    if (this.closed) return;
    this.rows.expire(performance.now());
    const { structure, places, columns } = this.rows.changes;
    const quiet = !structure && places.size === 0;
    if (columns || (!this.frame.grid.is_sized && this.rows.size > 0)) this.show_columns();
    const { sort, filter } = this.frame.grid.view;
    this.due_view ||= structure || filter.trim() !== "" || (sort !== null && places.has(sort.column));
    if (this.due_view && !this.paused_rows && now >= this.next_view_at) this.show_view();
    if (!this.paused_rows) this.frame.grid.paint(this.rows.frame, this.rows.now);
    this.rows.end_frame();
    if (quiet) this.rows.settle();
    if (this.rows.is_fading || (this.due_view && !this.paused_rows) || !quiet) {
      this.rows.begin_frame(performance.now());
      this.schedule();
    }
  }

  private show_columns(): void {
    this.frame.grid.set_columns(this.rows.columns, Array.from(this.rows.rows.values()));
    const order = this.definition.order;
    const place = order ? this.rows.columns.indexOf(order.column) : -1;
    if (order && place >= 0 && !this.frame.grid.view.sort) this.frame.grid.sort_by({ column: place, ascending: order.ascending });
  }

  private show_view(): void {
    const begun = performance.now();
    this.frame.grid.show_view(view_of(this.rows.rows.values(), this.frame.grid.view));
    this.due_view = false;
    const took = performance.now() - begun;
    this.next_view_at = took > 4 ? begun + took * rest_factor : 0;
  }

  /** After the filter or the order has changed. */
  private refresh(): void {
    const source = this.paused_rows ?? this.rows.rows.values();
    this.frame.grid.show_view(view_of(source, this.frame.grid.view));
    this.show_counters();
  }

  private toggle_pause(): void {
    if (this.paused_rows) {
      this.paused_rows = null;
      this.due_view = true;
      this.next_view_at = 0;
      this.schedule();
    } else {
      this.paused_rows = Array.from(this.rows.rows.values(), (row) => ({ cells: row.cells }));
      this.paused_at = this.rows.events;
      this.refresh();
    }
    const paused = this.paused_rows !== null;
    this.pause_button.replaceChildren(icon(paused ? "play" : "pause"));
    this.pause_button.setAttribute("aria-pressed", String(paused));
    this.pause_button.setAttribute("aria-label", paused ? "Resume" : "Pause");
    this.pause_button.title = paused ? "Resume" : "Pause";
    this.element.classList.toggle("paused", paused);
    this.show_counters();
  }

  private show_counters(): void {
    const rate = this.rate.sample(this.rows.events, performance.now());
    const { inserted, updated, removed, lost } = this.rows.counters;
    this.badge.rate.textContent = `${rate < 10 ? rate.toFixed(rate > 0 ? 1 : 0) : short_count(Math.round(rate))}/s`;
    this.badge.rate.classList.toggle("busy", rate > 0);
    this.badge.lost.hidden = lost === 0;
    this.badge.lost.textContent = `${short_count(lost)} lost`;
    const shown = this.frame.grid.shown.length;
    const filtered = this.frame.grid.view.filter.trim() === "" ? "" : ` (${count(shown)} shown)`;
    const waiting = this.paused_rows ? ` · paused, ${plural(this.rows.events - this.paused_at, "change")} since` : "";
    this.frame.status.textContent = `${plural(this.rows.size, "row")}${filtered} · +${count(inserted)} ~${count(updated)} −${count(removed)}${waiting}`;
  }

  focus(): void {
    this.frame.grid.focus();
  }

  focus_filter(): void {
    this.frame.filter.focus();
  }

  pause(): void {
    this.toggle_pause();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    this.frame.grid.destroy();
    this.subscription.unsubscribe().catch(() => {});
  }
}
