/** What a `subscribe` statement says about how its rows are shown. */

import { describeSubscription } from "../../../js/lib/statement.js";

export interface Definition {
  /** How many columns tell groups apart; undefined when it is about rows. */
  group_columns: number | undefined;
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

const order_by = /\border\s+by\s+(`(?:[^`]|``)+`|[\p{L}_][\p{L}\p{N}_]*)\s*(asc|desc)?\s*(?=,|\blimit\b|\bon\s+slow\b|;|$)/iu;

export function definition_of(sql: string): Definition {
  const order = order_by.exec(outline(sql));
  return {
    group_columns: describeSubscription(sql).groupColumns,
    order: order ? { column: unquoted(order[1]!), ascending: order[2]?.toLowerCase() !== "desc" } : null,
  };
}
