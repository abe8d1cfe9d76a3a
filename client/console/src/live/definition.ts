/** What a `subscribe` statement says about how its rows are shown. */

export interface Definition {
  table: string;
  /** How many columns tell groups apart. */
  group_columns: number;
  /** The first column of `order by`, if it is one by name. */
  order: { column: string; ascending: boolean } | null;
}

/** Takes out what stands in quotes, comments and parentheses, so that only the statement's own words are left. */
function outline(sql: string): string {
  let text = sql.replace(/'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//g, " '' ");
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\([^()]*\)/g, "_");
  }
  return text;
}

const unquoted = (name: string): string => (name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name);

export function definition_of(sql: string): Definition {
  const text = outline(sql);
  const table = /\bfrom\s+(`(?:[^`]|``)+`|[^\s;]+)/i.exec(text)?.[1] ?? "";
  const groups = /\bgroup\s+by\s+([\s\S]*?)(?:\bon\s+slow\b|;|$)/i.exec(text)?.[1];
  const order = /\border\s+by\s+(`(?:[^`]|``)+`|[\p{L}_][\p{L}\p{N}_]*)\s*(asc|desc)?\s*(?=,|\blimit\b|\bon\s+slow\b|;|$)/iu.exec(text);
  return {
    table: unquoted(table),
    group_columns: groups === undefined ? 0 : groups.split(",").length,
    order: order ? { column: unquoted(order[1]!), ascending: order[2]?.toLowerCase() !== "desc" } : null,
  };
}
