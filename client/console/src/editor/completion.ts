/** Completion of tables, of the columns of tables that the statement names, of functions and keywords. */

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { quoted_name, statements_of } from "../statements.js";
import { dialect, functions } from "./dialect.js";

/** What is known of the server's tables. */
export interface Schema {
  tables(): string[];
  /** Empty when they cannot be read. */
  columns(table: string): Promise<readonly { name: string; type: string }[]>;
}

const table_next = /\b(from|into|table|update|describe|desc|truncate|key|tag|on)\s+[`\p{L}_]*[`\p{L}\p{N}_]*$/iu;

const keyword_completions: Completion[] = Array.from(new Set(dialect.spec.keywords!.split(" ")), (label) => ({ label, type: "keyword", boost: -2 }));
const function_completions: Completion[] = functions.split(" ").map((name) => ({
  label: name,
  type: "function",
  apply: `${name}(`,
  boost: -1,
}));

/** Of so many tables that a statement names, the columns are completed. */
const described_max = 8;

/** The tables whose names stand in a statement. */
function tables_in(statement: string, tables: string[]): string[] {
  const words = new Set(statement.match(/[\p{L}_][\p{L}\p{N}_]*|`[^`]+`/gu)?.map((word) => word.replaceAll("`", "")));
  return tables.filter((table) => words.has(table));
}

async function columns_of(schema: Schema, table: string): Promise<Completion[]> {
  const columns = await schema.columns(table);
  return columns.map((c) => ({ label: c.name, apply: quoted_name(c.name), type: "property", detail: `${table} · ${c.type}`, boost: 2 }));
}

export function completion_of(schema: Schema): (context: CompletionContext) => Promise<CompletionResult | null> {
  return async (context) => {
    const word = context.matchBefore(/`?[\p{L}_][\p{L}\p{N}_]*/u);
    const from = word?.from ?? context.pos;
    if (!word && !context.explicit) return null;
    const script = context.state.doc.toString();
    const statement = statements_of(script).find((s) => s.from <= context.pos && context.pos <= s.to + 1);
    const before = script.slice(statement?.from ?? 0, context.pos);
    const tables = schema.tables().map((name): Completion => ({ label: name, apply: quoted_name(name), type: "class", detail: "table", boost: 1 }));
    if (table_next.test(before)) return { from, options: tables.length > 0 ? tables : keyword_completions, validFor: /^`?[\p{L}\p{N}_]*$/u };
    const named = tables_in(statement?.text ?? "", schema.tables()).slice(0, described_max);
    const columns = (await Promise.all(named.map((table) => columns_of(schema, table)))).flat();
    return { from, options: [...columns, ...tables, ...function_completions, ...keyword_completions], validFor: /^`?[\p{L}\p{N}_]*$/u };
  };
}
