/** Light or dark: the system's unless the user has chosen the other. */

import { load, save } from "./store.js";

export type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
let chosen = load<Theme | null>("theme", null);

export const theme = (): Theme => chosen ?? (system.matches ? "dark" : "light");

/** Puts the theme on the page; `on_change` is called after each change. */
export function follow_theme(on_change: () => void): void {
  const apply = () => {
    document.documentElement.dataset["theme"] = theme();
    on_change();
  };
  system.addEventListener("change", apply);
  window.addEventListener("themechosen", apply);
  document.documentElement.dataset["theme"] = theme();
}

export function toggle_theme(): void {
  const next = theme() === "dark" ? "light" : "dark";
  chosen = next === (system.matches ? "dark" : "light") ? null : next;
  save("theme", chosen);
  window.dispatchEvent(new Event("themechosen"));
}
