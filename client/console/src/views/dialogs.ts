/** The dialogs: signing in, the history, the list of keys. */

import type { Credentials } from "../connection.js";
import { fill, h } from "../dom.js";
import type { History } from "../editor/history.js";
import { icon } from "../icons.js";

function dialog(label: string, name: string, ...content: (Node | string)[]): HTMLDialogElement {
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => element.close() }, icon("close"));
  const element = h(
    "dialog",
    { class: `dialog ${name}`, "aria-label": label },
    h("header", { class: "dialog-head" }, h("h2", {}, label), close),
    ...content,
  );
  element.addEventListener("click", (e) => {
    if (e.target === element) element.close();
  });
  document.body.append(element);
  return element;
}

/** Asks for a user and a password or token. */
export class SignIn {
  private readonly user = h("input", { name: "user", autocomplete: "username", required: true, spellcheck: "false", autocapitalize: "none" });
  private readonly password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  private readonly message = h("p", { class: "dialog-message", role: "alert" });
  private readonly element: HTMLDialogElement;

  constructor(on_sign_in: (credentials: Credentials) => void) {
    const form = h(
      "form",
      { class: "sign-in-form" },
      this.message,
      h("label", {}, "User", this.user),
      h("label", {}, "Password or token", this.password),
      h("p", { class: "hint" }, "Kept in this page's memory only, and gone when it is closed."),
      h("button", { type: "submit", class: "button primary" }, "Sign in"),
    );
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.element.close();
      on_sign_in({ user: this.user.value, password: this.password.value });
      this.password.value = "";
    });
    this.element = dialog("Sign in", "sign-in", form);
  }

  get is_open(): boolean {
    return this.element.open;
  }

  show(message: string): void {
    this.message.textContent = message;
    if (!this.element.open) this.element.showModal();
    (this.user.value === "" ? this.user : this.password).focus();
  }
}

const results_max = 100;

/** Finds a script that was run before. */
export class HistorySearch {
  private readonly input = h("input", { type: "search", placeholder: "Words of a statement", "aria-label": "Search the history", spellcheck: "false" });
  private readonly list = h("div", { class: "history-list" });
  private readonly element: HTMLDialogElement;

  constructor(private readonly history: History, private readonly on_choose: (script: string) => void) {
    const clear = h("button", { type: "button", class: "button", onclick: () => { history.clear(); this.draw(); } }, "Clear the history");
    this.element = dialog("History", "history", this.input, this.list, h("footer", { class: "dialog-foot" }, clear));
    this.input.addEventListener("input", () => this.draw());
    this.element.addEventListener("keydown", (e) => this.on_key(e));
  }

  show(): void {
    this.input.value = "";
    this.draw();
    this.element.showModal();
    this.input.focus();
  }

  private draw(): void {
    const found = this.history.search(this.input.value).slice(0, results_max);
    const choose = (script: string) => () => {
      this.element.close();
      this.on_choose(script);
    };
    fill(this.list, ...found.map((script) => h("button", { type: "button", class: "history-entry", onclick: choose(script) }, script)));
    if (found.length === 0) fill(this.list, h("p", { class: "hint" }, "Nothing that was run has these words."));
  }

  private on_key(e: KeyboardEvent): void {
    const entries = Array.from(this.list.querySelectorAll("button"));
    const at = entries.indexOf(document.activeElement as HTMLButtonElement);
    if (e.key === "ArrowDown") (entries[at + 1] ?? entries[at])?.focus();
    else if (e.key === "ArrowUp") (at > 0 ? entries[at - 1]! : this.input).focus();
    else if (e.key === "Enter" && document.activeElement === this.input) entries[0]?.click();
    else return;
    e.preventDefault();
  }
}

export type Shortcut = [keys: string, what: string];

/** Lists the keys. */
export class Keys {
  private readonly element: HTMLDialogElement;

  constructor(groups: Record<string, Shortcut[]>) {
    const part = ([title, keys]: [string, Shortcut[]]) =>
      h(
        "section",
        {},
        h("h3", {}, title),
        h("dl", {}, ...keys.flatMap(([key, what]) => [h("dt", {}, ...key.split(" ").map((k) => h("kbd", {}, k))), h("dd", {}, what)])),
      );
    this.element = dialog("Keys", "keys", h("div", { class: "key-groups" }, ...Object.entries(groups).map(part)));
  }

  show(): void {
    this.element.showModal();
  }
}
