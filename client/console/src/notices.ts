/** Short notices at the foot of the page; screen readers are told. */

import { h } from "./dom.js";

const shown_ms = 3_200;
const box = h("div", { class: "notices", role: "status", "aria-live": "polite" });
let timer = 0;

export function mount_notices(parent: HTMLElement): void {
  parent.append(box);
}

export function notify(text: string): void {
  box.textContent = text;
  box.classList.add("shown");
  clearTimeout(timer);
  timer = window.setTimeout(() => box.classList.remove("shown"), shown_ms);
}
