/** The keys of the page. Those without Ctrl hold where nothing is typed. */

import type { Shortcut } from "./views/dialogs.js";

export type View = "query" | "activity";

export interface Actions {
  help: () => void;
  history: () => void;
  view: (view: View) => void;
  sidebar: () => void;
  theme: () => void;
  editor: () => void;
  grid: () => void;
  filter: () => void;
  tables: () => void;
}

export const shortcuts: Record<string, Shortcut[]> = {
  Editor: [
    ["Ctrl Enter", "Run the selection, or the statement at the cursor"],
    ["Ctrl Shift Enter", "Run all statements"],
    ["Ctrl Space", "Complete"],
    ["Alt ↑", "The script run before"],
    ["Alt ↓", "The script run after it"],
    ["Esc", "Leave for the grid"],
  ],
  Grid: [
    ["↑ ↓ ← →", "Move; Page and Home keys, too"],
    ["Ctrl C", "Copy the cell"],
    ["Ctrl Shift C", "Copy the row"],
    ["/", "Filter"],
    ["Esc", "Back to the editor"],
  ],
  Page: [
    ["e", "Editor"],
    ["g", "Grid"],
    ["t", "Tables"],
    ["h", "History"],
    ["1", "Query"],
    ["2", "Activity"],
    ["b", "Show or hide the tables"],
    ["d", "Light or dark"],
    ["?", "This list"],
  ],
};

/** Whether keys are text to what has the keyboard. */
function is_typing(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

export function listen_to_keys(actions: Actions): void {
  const keys: Record<string, () => void> = {
    "?": actions.help,
    h: actions.history,
    "1": () => actions.view("query"),
    "2": () => actions.view("activity"),
    b: actions.sidebar,
    d: actions.theme,
    e: actions.editor,
    Escape: actions.editor,
    g: actions.grid,
    t: actions.tables,
    "/": actions.filter,
  };
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
    if (is_typing(e) && !(e.key === "Escape" && e.target instanceof HTMLInputElement)) return;
    const action = keys[e.key];
    if (!action) return;
    e.preventDefault();
    action();
  });
}
