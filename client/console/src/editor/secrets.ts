/** Which scripts must not be kept in the browser. */

/** A script with a password has all words of one of these. */
const words = [["auth"], ["identified"], ["password"], ["mysql", "connect"], ["execute", "using"]];
const signs = words.map((all) => all.map((word) => new RegExp(`\\b${word}\\b`, "i")));

/** Whether a script may have a password in it, in statements or comments; rather once too often. */
export function may_hold_secret(script: string): boolean {
  return signs.some((all) => all.every((sign) => sign.test(script)));
}
