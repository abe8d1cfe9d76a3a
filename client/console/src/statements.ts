/** Scripts to statements, as the server's own programs read them, and offsets in bytes to places in the text. */

export interface Statement {
  /** Without its `;`. */
  text: string;
  /** Where it begins and ends in the script. */
  from: number;
  to: number;
}

const before_token = " \t\r\n\v\f(),=<>|*;";

/** The characters of white space and comments at `at`: 0 if none; what a comment that is never closed hides, too. */
function blanks(text: string, at: number): number {
  if (/\s/.test(text[at] ?? "")) return 1;
  if (text.startsWith("/*", at)) {
    const end = text.indexOf("*/", at + 2);
    return (end < 0 ? text.length : end + 2) - at;
  }
  if (text.startsWith("--", at)) {
    const end = text.indexOf("\n", at);
    return (end < 0 ? text.length : end) - at;
  }
  return 0;
}

/** The first place behind the quoted text at `at`; the end when it is never closed. */
function behind_quotes(text: string, at: number): number {
  const quote = text[at]!;
  for (let end = at + 1; ; end += 2) {
    end = text.indexOf(quote, end);
    if (end < 0) return text.length;
    if (text[end + 1] !== quote) return end + 1;
  }
}

function statement_end(text: string, from: number): number {
  let before = " ";
  for (let at = from; at < text.length; ) {
    const c = text[at]!;
    if (c === ";") return at;
    if (before_token.includes(before)) {
      if (c === "'" || c === "`") {
        at = behind_quotes(text, at);
        before = c;
        continue;
      }
      const skipped = blanks(text, at);
      if (skipped > 0) {
        at += skipped;
        before = " ";
        continue;
      }
    }
    before = c;
    ++at;
  }
  return text.length;
}

/** The statements of a script, blank ones left out. */
export function statements_of(script: string): Statement[] {
  const all: Statement[] = [];
  for (let at = 0; at < script.length; ) {
    const skipped = blanks(script, at);
    if (skipped > 0) {
      at += skipped;
      continue;
    }
    const end = statement_end(script, at);
    const text = script.slice(at, end).trimEnd();
    if (text !== "") all.push({ text, from: at, to: at + text.length });
    at = end + 1;
  }
  return all;
}

/** The first words of a statement, in lower case, comments left out. */
export function first_words(statement: string, n: number): string[] {
  const words: string[] = [];
  let at = 0;
  while (words.length < n && at < statement.length) {
    const skipped = blanks(statement, at);
    if (skipped > 0) {
      at += skipped;
      continue;
    }
    const word = /^[A-Za-z_]\w*/.exec(statement.slice(at, at + 80));
    if (!word) break;
    words.push(word[0].toLowerCase());
    at += word[0].length;
  }
  return words;
}

/** The place in `text` of a byte of its UTF-8 form. */
export function index_of_byte(text: string, byte: number): number {
  let bytes = 0;
  let index = 0;
  for (const character of text) {
    if (bytes >= byte) break;
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    index += character.length;
  }
  return index;
}

/** A name as it has to be written in a statement. */
export function quoted_name(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : "`" + name.replaceAll("`", "``") + "`";
}
