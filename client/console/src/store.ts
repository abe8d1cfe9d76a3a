/** What the browser keeps between visits: the theme, the text of the editor, the history. Never a password. */

const prefix = "pubsubsql.";

export function load<T>(name: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(prefix + name);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

/** Keeps a value; where the browser refuses, the console works on without. */
export function save(name: string, value: unknown): void {
  try {
    localStorage.setItem(prefix + name, JSON.stringify(value));
  } catch {
    return;
  }
}
