/** The console: makes its parts and holds them together. */

import type { State } from "./client.js";
import { Connection } from "./connection.js";
import { h } from "./dom.js";
import { History } from "./editor/history.js";
import { reset_flash_colours } from "./grid/flash.js";
import { icon, type IconName } from "./icons.js";
import { mount_notices } from "./notices.js";
import { icon_button } from "./panels/panel_frame.js";
import { shortcuts, listen_to_keys, type View } from "./shortcuts.js";
import { load, save } from "./store.js";
import { follow_theme, theme, toggle_theme } from "./theme.js";
import { Activity } from "./views/activity.js";
import { HistorySearch, Keys, SignIn } from "./views/dialogs.js";
import { QueryView } from "./views/query.js";
import { TableBrowser } from "./views/tables.js";

const state_words: Record<State, string> = { connecting: "Connecting…", open: "Connected", closed: "Closed" };

/** Whether the tables cover the page when they are shown. */
const is_narrow = (): boolean => matchMedia("(max-width: 760px)").matches;

class Console {
  private readonly connection = new Connection();
  private readonly history = new History();
  private readonly tables: TableBrowser;
  private readonly query: QueryView;
  private readonly activity: Activity;
  private readonly keys = new Keys(shortcuts);
  private readonly sign_in: SignIn;
  private readonly search: HistorySearch;
  private readonly state = h("span", { class: "state", role: "status" });
  private readonly user = h("span", { class: "user", hidden: true });
  private readonly tabs: Record<View, HTMLButtonElement>;
  private readonly theme_button: HTMLButtonElement;
  private readonly body: HTMLElement;
  private was_open = false;

  constructor() {
    this.tables = new TableBrowser({
      connection: this.connection,
      on_select: (statement) => this.run(statement),
      on_subscribe: (statement) => this.run(statement),
    });
    this.query = new QueryView({
      connection: this.connection,
      schema: this.tables,
      history: this.history,
      on_show_history: () => this.search.show(),
      on_changed: () => void this.tables.refresh(true),
    });
    this.activity = new Activity(this.connection);
    this.sign_in = new SignIn((credentials) => {
      this.query.close_subscriptions();
      this.user.hidden = false;
      this.user.replaceChildren(icon("user"), credentials.user);
      this.connection.sign_in(credentials);
    });
    this.search = new HistorySearch(this.history, (script) => this.query.set_text(script));
    this.tabs = { query: this.tab("query", "Query", "terminal"), activity: this.tab("activity", "Activity", "chart") };
    this.theme_button = icon_button("moon", "Light or dark", toggle_theme);
    this.body = h("div", { class: "body" }, this.tables.element, h("main", { class: "main" }, this.query.element, this.activity.element));
    this.body.lastElementChild!.addEventListener("pointerdown", () => {
      if (is_narrow()) this.body.classList.add("without-sidebar");
    });
    this.connection.on_state = (state) => this.show_state(state);
    this.connection.on_denied = (message) => this.sign_in.show(message);
  }

  start(): void {
    follow_theme(() => this.show_theme());
    this.show_theme();
    document.body.append(this.header(), this.body);
    mount_notices(document.body);
    this.show_view("query");
    if (!load("sidebar", true) || is_narrow()) this.body.classList.add("without-sidebar");
    this.show_state(this.connection.state);
    this.query.focus_editor();
    listen_to_keys({
      help: () => this.keys.show(),
      history: () => this.search.show(),
      view: (view) => this.show_view(view),
      sidebar: () => this.toggle_sidebar(),
      theme: toggle_theme,
      editor: () => this.query.focus_editor(),
      grid: () => this.query.workspace.current()?.focus(),
      filter: () => this.query.workspace.current()?.focus_filter(),
      tables: () => this.focus_tables(),
    });
  }

  private header(): HTMLElement {
    return h(
      "header",
      { class: "topbar" },
      icon_button("menu", "Tables (b)", () => this.toggle_sidebar(), { "aria-controls": "tables" }),
      h("h1", { class: "brand" }, icon("live"), h("span", {}, "PubSubSQL")),
      h("nav", { class: "tabs", role: "tablist", "aria-label": "Views" }, this.tabs.query, this.tabs.activity),
      h("div", { class: "topbar-end" }, this.user, this.state, this.theme_button, icon_button("help", "Keys (?)", () => this.keys.show())),
    );
  }

  private tab(view: View, label: string, name: IconName): HTMLButtonElement {
    return h("button", { type: "button", role: "tab", class: "tab", "aria-controls": view, onclick: () => this.show_view(view) }, icon(name), h("span", {}, label));
  }

  private run(statement: string): void {
    this.show_view("query");
    if (is_narrow()) this.body.classList.add("without-sidebar");
    this.query.run_text(statement);
  }

  private show_view(view: View): void {
    for (const [name, tab] of Object.entries(this.tabs)) {
      tab.setAttribute("aria-selected", String(name === view));
      tab.tabIndex = name === view ? 0 : -1;
    }
    this.query.element.hidden = view !== "query";
    this.activity.element.hidden = view !== "activity";
    this.activity.set_visible(view === "activity");
  }

  private toggle_sidebar(): void {
    const hidden = this.body.classList.toggle("without-sidebar");
    save("sidebar", !hidden);
    if (!hidden) void this.tables.refresh(false);
  }

  private focus_tables(): void {
    if (this.body.classList.contains("without-sidebar")) this.toggle_sidebar();
    this.tables.focus();
  }

  private show_state(state: State): void {
    this.state.className = `state ${state}`;
    const lost = state === "connecting" && this.was_open;
    this.state.replaceChildren(h("span", { class: "dot" }), h("span", { class: "state-text" }, lost ? "Reconnecting…" : state_words[state]));
    this.state.title = `${location.host}: ${this.state.textContent}`;
    document.body.classList.toggle("offline", state !== "open");
    if (state !== "open") return;
    this.was_open = true;
    void this.tables.refresh(true);
  }

  private show_theme(): void {
    this.theme_button.replaceChildren(icon(theme() === "dark" ? "sun" : "moon"));
    reset_flash_colours();
    this.activity.redraw();
  }
}

new Console().start();
