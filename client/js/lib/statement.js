// What a client has to know of a statement, which the server alone understands.

const word = /^[\p{L}\p{N}_]+$/u;

/** The end of a quoted text or name that begins at `start`; its quote is doubled inside. */
function quotedEnd(sql, start) {
  const quote = sql[start];
  for (let at = start + 1; at < sql.length; ++at) {
    if (sql[at] !== quote) continue;
    if (sql[at + 1] !== quote) return at + 1;
    ++at;
  }
  return sql.length;
}

/** The end of white space and comments. */
function blankEnd(sql, start) {
  const blank = /\s+|--[^\n]*|\/\*[^]*?(?:\*\/|$)/y;
  blank.lastIndex = start;
  while (blank.test(sql)) start = blank.lastIndex;
  return start;
}

/** The end of what is neither quoted nor punctuation: a name, or a bare value with its operators. */
function bareEnd(sql, start) {
  let at = start;
  for (; at < sql.length && !/[\s,()]/.test(sql[at]); ++at) {
    const inside = at > start && word.test(sql[at - 1]);
    if (sql[at] === "'" && !inside) return at;
    if (sql[at] === "`") return at;
  }
  return at;
}

/**
 * Each token of a statement as {text, name, depth, end}: `name` is that of a word or a name in backquotes, `end` the index
 * behind it.
 */
function* tokens(sql) {
  let depth = 0;
  for (let at = blankEnd(sql, 0); at < sql.length; at = blankEnd(sql, at)) {
    const first = sql[at];
    if (first === ")") --depth;
    let end = at + 1;
    if (first === "'" || first === "`") end = quotedEnd(sql, at);
    else if (!/[,()*]/.test(first)) end = Math.max(end, bareEnd(sql, at));
    const text = sql.slice(at, end);
    yield { text, depth, end, name: first === "`" ? text.slice(1, -1).replaceAll("``", "`") : text.replace(/;$/, "") };
    if (first === "(") ++depth;
    at = end;
  }
}

function isKeyword(token, keyword) {
  return token !== undefined && token.text.toLowerCase() === keyword;
}

/** What `pattern`, which is sticky and may match nothing, finds behind white space and comments: {text, end}. */
function nextMatch(sql, start, pattern) {
  pattern.lastIndex = blankEnd(sql, start);
  const [text] = pattern.exec(sql);
  return { text: text.toLowerCase(), end: pattern.lastIndex };
}

function wordAt(sql, start) {
  return nextMatch(sql, start, /[a-z]*/iy);
}

/** The verb of the statement in the quotes at a place. */
function quotedVerb(sql, start) {
  const at = blankEnd(sql, start);
  return sql[at] === "'" ? wordAt(sql, at + 1).text : "";
}

/** The first word of a statement in small letters. */
export function firstWord(sql) {
  return wordAt(String(sql), 0).text;
}

/** What a statement does: its first word in small letters; of `execute immediate '...'`, that of the statement inside. */
export function verbOf(statement) {
  const sql = String(statement);
  const verb = wordAt(sql, 0);
  if (verb.text !== "execute") return verb.text;
  const second = wordAt(sql, verb.end);
  return second.text === "immediate" ? quotedVerb(sql, second.end) : verb.text;
}

/** That of the statement inside `prepare NAME from '...'`; empty if this is none. */
export function preparedVerbOf(statement) {
  const sql = String(statement);
  const verb = wordAt(sql, 0);
  if (verb.text !== "prepare") return "";
  const name = nextMatch(sql, verb.end, /(?:`(?:[^`]|``)*`?|[\p{L}\p{N}_]*)/uy);
  return quotedVerb(sql, wordAt(sql, name.end).end);
}

/** Where the keyword `from` stands, as opposed to a column of that name. */
function fromIndex(all) {
  return all.findIndex((token, i) => {
    if (i < 2 || token.depth !== 0 || !isKeyword(token, "from")) return false;
    if (i === 2 && isKeyword(all[1], "skip")) return !isKeyword(all[3], "from");
    return all[i - 1].text !== "," && !isKeyword(all[i - 1], "as");
  });
}

function hasAggregate(list) {
  return list.some((token, i) => /^(count|sum|min|max|avg)$/i.test(token.text) && list[i + 1]?.text === "(");
}

/** How many expressions follow `group by`. */
function groupColumns(rest) {
  const top = rest.filter((token) => token.depth === 0 && token.text !== ")");
  const by = top.findIndex((token, i) => isKeyword(token, "group") && isKeyword(top[i + 1], "by"));
  if (by < 0) return 0;
  const behind = top.slice(by + 2);
  const end = behind.findIndex((token) => /^(order|limit|on)$/i.test(token.text));
  return 1 + (end < 0 ? behind : behind.slice(0, end)).filter((token) => token.text === ",").length;
}

/** Whether a subscription has no rows at its start: `skip` is a keyword there, and no column of that name. */
function skipsRows(all, from) {
  return from > 2 && isKeyword(all[1], "skip") && all[2].text !== ",";
}

function namesPosition(rest) {
  return rest.some((token, i) => {
    if (token.depth !== 0) return false;
    if (isKeyword(token, "as")) return /^[\p{L}_`]/u.test(rest[i + 1]?.text);
    if (isKeyword(token, "with")) return /^seq;*$/i.test(rest[i + 1]?.text);
    return isKeyword(token, "since") && /^(\d+;*|\?;*)$/.test(rest[i + 1]?.text);
  });
}

/**
 * The table of a subscribe statement, and how its rows are told apart: by `groupColumns` leading columns when they are
 * groups, undefined when they are rows of the table. `skips`: it has no rows at its start. `positioned`: it has a clause
 * `with seq`, `since` or `as`.
 */
export function describeSubscription(sql) {
  const all = [...tokens(sql)];
  const from = fromIndex(all);
  const table = all[from + 1];
  if (from < 0 || table === undefined) {
    return { table: undefined, groupColumns: undefined, skips: false, positioned: false };
  }
  const rest = all.slice(from + 2);
  const groups = groupColumns(rest);
  const grouped = groups > 0 || hasAggregate(all.slice(0, from));
  return {
    table: table.name,
    groupColumns: grouped ? groups : undefined,
    skips: skipsRows(all, from),
    positioned: namesPosition(rest),
  };
}

/** Where a statement ends, before comments and `;` that follow it: one more clause goes there. */
export function clauseIndex(sql) {
  let index = 0;
  for (const { text, end } of tokens(sql)) {
    const kept = /^['`]/.test(text) ? text : text.replace(/;+$/, "");
    if (kept !== "") index = end - text.length + kept.length;
  }
  return index;
}

export function unsubscribeStatement(table, pubsubid) {
  return `unsubscribe from \`${table.replaceAll("`", "``")}\` where pubsubid = ${pubsubid}`;
}
