/** The scripts that were run, newest last, each once; without those that may have a password in them. */

import { load, save } from "../store.js";
import { may_hold_secret } from "./secrets.js";

const entries_max = 500;
const entry_characters_max = 20_000;
/** Of all entries; browsers store some five million for a site. */
const characters_max = 1_000_000;

export class History {
  private entries = load<string[]>("history", []).filter((entry) => typeof entry === "string");
  /** Where stepping through is; behind the last entry when it has not begun. */
  private at = this.entries.length;

  add(script: string): void {
    const text = script.trim();
    if (text === "" || text.length > entry_characters_max || may_hold_secret(text)) return;
    this.entries = this.entries.filter((entry) => entry !== text);
    this.entries.push(text);
    let characters = this.entries.reduce((sum, entry) => sum + entry.length, 0);
    while (this.entries.length > entries_max || characters > characters_max) characters -= this.entries.shift()!.length;
    this.at = this.entries.length;
    save("history", this.entries);
  }

  /** The entry before, or behind, the one shown last. */
  step(by: 1 | -1): string | null {
    const next = this.at + by;
    if (next < 0 || next > this.entries.length) return null;
    this.at = next;
    return this.entries[next] ?? "";
  }

  /** Those that contain all words of the text, newest first. */
  search(text: string): string[] {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return this.entries.filter((entry) => words.every((word) => entry.toLowerCase().includes(word))).reverse();
  }

  clear(): void {
    this.entries = [];
    this.at = 0;
    save("history", []);
  }
}
