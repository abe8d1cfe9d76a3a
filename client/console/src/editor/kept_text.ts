/** The text of the editor, kept for the next visit; never one that may have a password in it. */

import { load, save } from "../store.js";
import { may_hold_secret } from "./secrets.js";

export function kept_text(): string {
  return load("editor", "");
}

/** Where `text` may not be kept, the one before is. */
export function keep_text(text: string): void {
  if (!may_hold_secret(text)) save("editor", text);
}
