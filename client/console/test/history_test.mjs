import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const stored = new Map();
globalThis.localStorage = { getItem: (name) => stored.get(name) ?? null, setItem: (name, text) => stored.set(name, text) };

const { History } = await load("editor/history.ts");
const { keep_text, kept_text } = await load("editor/kept_text.ts");
const { may_hold_secret } = await load("editor/secrets.ts");

const with_secrets = [
  "auth ada 'SECRET'",
  "create user x identified by 'SECRET'",
  "select 1;\nALTER USER x Identified By password 'SECRET'",
  "-- create user x identified by 'SECRET'\nselect 1",
  "mysql connect mysql://u:SECRET@h/db",
  "MySQL /* there */\n Connect 'mysql://u:SECRET@h/db'",
  "execute pw using 'SECRET'",
  "Execute immediate 'auth ? ?'\nUsing 'ada', 'SECRET'",
];

const without = [
  "",
  "select * from authors",
  "mysql status",
  "mysql disconnect",
  "execute all_of_them",
  "select 'using' from t",
];

test("scripts with passwords are told", () => {
  for (const script of with_secrets) assert.equal(may_hold_secret(script), true, script);
  for (const script of without) assert.equal(may_hold_secret(script), false, script);
});

test("the history keeps no passwords", () => {
  const history = new History();
  for (const script of [...with_secrets, ...without]) history.add(script);
  assert.deepEqual(JSON.parse(stored.get("pubsubsql.history")), without.slice(1));
  assert.equal(JSON.stringify([...stored]).includes("SECRET"), false);
  assert.deepEqual(new History().search("mysql"), ["mysql disconnect", "mysql status"]);
});

test("nor does the text of the editor", () => {
  keep_text("select 1");
  for (const script of with_secrets) keep_text(script);
  assert.equal(kept_text(), "select 1");
  keep_text("");
  assert.equal(kept_text(), "");
});
