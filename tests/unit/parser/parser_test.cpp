#include "parser/parser.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/print.hpp"

using namespace pubsubsql::parser;

namespace {

/// The statement in its printed form, or the error message.
std::string read_back(std::string_view sql) {
  statement_arena arena;
  const auto parsed = parse(sql, arena);
  return parsed ? print(*parsed) : message(parsed.error());
}

struct statement_example {
  std::string_view sql;
  std::string_view expected;
};

}  // namespace

TEST_CASE("parser: every statement") {
  const std::vector<statement_example> examples = {
      {"insert into t (a) values (1)", "insert into t (a) values (1)"},
      {"insert into t(a,b)values(1,2)", "insert into t (a, b) values (1, 2)"},
      {"insert into t (a, b) values (1, 2), ('x y', '')", "insert into t (a, b) values (1, 2), ('x y', '')"},
      {"insert into t (a) values (1) returning *", "insert into t (a) values (1) returning *"},
      {"insert into t (a) values (1) returning a, id", "insert into t (a) values (1) returning a, id"},
      {"select * from t", "select * from t"},
      {"select a, b from t where a=1", "select a, b from t where a = 1"},
      {"update t set a=1,b='2' where c = 3 returning *", "update t set a = 1, b = 2 where c = 3 returning *"},
      {"update t set a = 1", "update t set a = 1"},
      {"delete from t", "delete from t"},
      {"delete from t where a = 1 returning b", "delete from t where a = 1 returning b"},
      {"push into t (a) values (1)", "push back into t (a) values (1)"},
      {"push front into t (a) values (1), (2) returning *", "push front into t (a) values (1), (2) returning *"},
      {"pop from t", "pop back from t"},
      {"pop front from t", "pop front from t"},
      {"pop back * from t", "pop back * from t"},
      {"pop a, b from t", "pop back a, b from t"},
      {"peek * from t", "peek back * from t"},
      {"peek front a from t", "peek front a from t"},
      {"key t c", "key t c"},
      {"tag t c", "tag t c"},
      {"alter table t set ack = memory", "alter table t set ack = memory"},
      {"alter table t set ack=committed;", "alter table t set ack = committed"},
      {"subscribe * from t", "subscribe * from t"},
      {"subscribe skip * from t where a = b", "subscribe skip * from t where a = b"},
      {"unsubscribe from t", "unsubscribe from t"},
      {"unsubscribe from t where pubsubid = 17", "unsubscribe from t where pubsubid = 17"},
      {"unsubscribe from t where pubsubid='17'", "unsubscribe from t where pubsubid = 17"},
      {"stream insert into t (a) values (1)", "stream insert into t (a) values (1)"},
      {"status", "status"},
      {"close", "close"},
      {"stop", "stop"},
      {"show tables", "show tables"},
      {"describe t", "describe t"},
      {"desc t", "describe t"},
      {"mysql connect user:password@tcp(host:3306)/database", "mysql connect 'user:password@tcp(host:3306)/database'"},
      {"mysql connect 'a b';", "mysql connect 'a b'"},
      {"mysql connect u:p@tcp(h:1)/d;", "mysql connect 'u:p@tcp(h:1)/d'"},
      {"mysql disconnect", "mysql disconnect"},
      {"mysql status", "mysql status"},
      {"mysql tables", "mysql tables"},
      {"mysql subscribe * from t where a = 1", "mysql subscribe * from t where a = 1"},
      {"mysql unsubscribe from t", "mysql unsubscribe from t"},
      {"mysql check t", "mysql check t"},
      {"mysql repair t", "mysql repair t"},
      {"mysql repair t from mysql", "mysql repair t from mysql"},
      {"mysql repair `a b`from mysql;", "mysql repair `a b` from mysql"},
  };
  for (const statement_example& e : examples) {
    INFO(e.sql);
    CHECK(read_back(e.sql) == e.expected);
  }
}

TEST_CASE("parser: keywords come in any case and are not reserved") {
  const std::vector<statement_example> examples = {
      {"SELECT * From T wHERE a = B", "select * from T where a = B"},
      {"insert into key (key) values (key)", "insert into `key` (`key`) values (key)"},
      {"select from from from", "select `from` from `from`"},
      {"select * from where where where = where", "select * from `where` where `where` = where"},
      {"delete from where", "delete from `where`"},
      {"delete from where where where = where", "delete from `where` where `where` = where"},
      {"delete from t returning returning", "delete from t returning `returning`"},
      {"update set set set = set where where = set", "update `set` set `set` = set where `where` = set"},
      {"insert into values (values) values (values) returning values",
       "insert into `values` (`values`) values (values) returning `values`"},
      {"publish into publish (publish) values (publish)", "publish into `publish` (`publish`) values (publish)"},
      {"bind bind to to where where = 1 or bind like 'x%'", "bind `bind` to `to` where `where` = 1 or `bind` like x%"},
      {"unbind q from t where a = b", "unbind q from t where a = b"},
      {"push front into front (front) values (front)", "push front into `front` (`front`) values (front)"},
      {"push into into (into) values (into)", "push back into `into` (`into`) values (into)"},
      {"pop front, back from t", "pop back `front`, `back` from t"},
      {"pop front front from t", "pop front `front` from t"},
      {"pop back back, x from t", "pop back `back`, x from t"},
      {"pop from from", "pop back from `from`"},
      {"pop from from t", "pop back `from` from t"},
      {"pop from, a from t", "pop back `from`, a from t"},
      {"pop front from from t", "pop front `from` from t"},
      {"peek front, back from t", "peek back `front`, `back` from t"},
      {"peek front front from t", "peek front `front` from t"},
      {"subscribe skip * from skip", "subscribe skip * from `skip`"},
      {"subscribe * from skip", "subscribe * from `skip`"},
      {"unsubscribe from pubsubid where pubsubid = 1", "unsubscribe from `pubsubid` where pubsubid = 1"},
      {"key key key", "key `key` `key`"},
      {"tag key tag", "tag `key` `tag`"},
      {"describe describe", "describe `describe`"},
      {"select * from mysql", "select * from `mysql`"},
      {"ALTER Table T Set ACK = Committed", "alter table T set ack = committed"},
      {"alter table table set ack = MEMORY", "alter table `table` set ack = memory"},
      {"alter table set set ack = memory", "alter table `set` set ack = memory"},
      {"MySQL Check check", "mysql check `check`"},
      {"mysql REPAIR repair FROM MySQL", "mysql repair `repair` from mysql"},
      {"mysql repair from", "mysql repair `from`"},
      {"mysql repair from from mysql", "mysql repair `from` from mysql"},
      {"update t set ack = committed", "update t set `ack` = committed"},
      {"stream update stream set stream = stream", "stream update `stream` set `stream` = stream"},
  };
  for (const statement_example& e : examples) {
    INFO(e.sql);
    CHECK(read_back(e.sql) == e.expected);
  }
}

TEST_CASE("parser: names") {
  const std::vector<statement_example> examples = {
      {"select Größe, 価格, _x9 from Überschrift", "select Größe, 価格, _x9 from Überschrift"},
      {"select `a b`, `c``d`, `select` from `*`", "select `a b`, `c``d`, `select` from `*`"},
      {"select x٣ from t", "select x٣ from t"},
      {"select `from`from`t`", "select `from` from t"},
      {"select 9a from t", "expected `*` or a column name, found `9a` at offset 7"},
      {"select ٣a from t", "expected `*` or a column name, found `٣a` at offset 7"},
      {"select a–b from t", "expected `,` or `from`, found `–b` at offset 8"},
      {"select `` from t", "expected `*` or a column name, found an empty name at offset 7"},
      {"select `a from t", "expected `*` or a column name, found a name whose backquote is never closed at offset 7"},
  };
  for (const statement_example& e : examples) {
    INFO(e.sql);
    CHECK(read_back(e.sql) == e.expected);
  }
}

TEST_CASE("parser: values") {
  struct value_example {
    std::string_view written;
    std::string_view text;
    bool is_null = false;
  };
  const std::vector<value_example> examples = {
      {"IBM", "IBM"},
      {"1:col1", "1:col1"},
      {"-3.5", "-3.5"},
      {"user@example.org", "user@example.org"},
      {"12%", "12%"},
      {"f(x", "f(x"},
      {"a=b", "a=b"},
      {"it's", "it's"},
      {"\"double\"", "\"double\""},
      {"1--2", "1--2"},
      {"a/*b*/", "a/*b*/"},
      {"a;b", "a;b"},
      {"a;b;", "a;b;"},
      {"a`b", "a`b"},
      {"größe", "größe"},
      {"'it''s'", "it's"},
      {"''", ""},
      {"''''", "'"},
      {"'a,b) c'", "a,b) c"},
      {"'a\nb'", "a\nb"},
      {"'-- no comment'", "-- no comment"},
      {"'null'", "null"},
      {"nullable", "nullable"},
      {"null", "", true},
      {"NULL", "", true},
      {"Null", "", true},
  };
  for (const value_example& e : examples) {
    INFO(e.written);
    statement_arena arena;
    const std::string sql =
        "insert into t (a, b) values (" + std::string(e.written) + ", " + std::string(e.written) + ")";
    const auto parsed = parse(sql, arena);
    REQUIRE(parsed.has_value());
    for (const literal& l : std::get<insert_statement>(parsed->body).rows.values) {
      CHECK(l.text == e.text);
      CHECK(l.is_null == e.is_null);
    }
  }
  statement_arena arena;
  const auto with_nul = parse(std::string_view("select * from t where a = 'x\0y'", 31), arena);
  REQUIRE(with_nul.has_value());
  CHECK(std::get<select_statement>(with_nul->body).where->value.text == std::string_view("x\0y", 3));
}

TEST_CASE("parser: a semicolon at the very end is no part of a value") {
  const std::vector<statement_example> examples = {
      {"select * from t;", "select * from t"},
      {"select * from t where a = x;", "select * from t where a = x"},
      {"select * from t where a = x ; ;", "select * from t where a = x"},
      {"select * from t where a = x;; -- done", "select * from t where a = x"},
      {"select * from t where a = x;y;", "select * from t where a = 'x;y'"},
      {"select * from t where a = 'x;'", "select * from t where a = 'x;'"},
      {"update t set a = x; where b = 1", "update t set a = 'x;' where b = 1"},
      {"select * from t where a = ;", "expected a value, found `;` at offset 26"},
      {"select * from t; select * from t", "expected `where` or end of statement, found `;` at offset 15"},
  };
  for (const statement_example& e : examples) {
    INFO(e.sql);
    CHECK(read_back(e.sql) == e.expected);
  }
}

TEST_CASE("parser: comments") {
  const std::vector<statement_example> examples = {
      {"-- first\nselect * from t", "select * from t"},
      {"/* a */ select /* b */ * /* c */ from t -- d", "select * from t"},
      {"select a--b\n, c from t", "select a, c from t"},
      {"select */* all */from t", "select * from t"},
      {"insert into t (a) values (/* one */ 1 -- end\n)", "insert into t (a) values (1)"},
      {"select * from t /* open",
       "expected `where` or end of statement, found a comment that is never closed at offset 16"},
      {"select * from t where a = /* open", "expected a value, found a comment that is never closed at offset 26"},
  };
  for (const statement_example& e : examples) {
    INFO(e.sql);
    CHECK(read_back(e.sql) == e.expected);
  }
}

TEST_CASE("parser: errors say what was expected, what was found, and where") {
  const std::vector<statement_example> examples = {
      {"",
       "expected a statement such as insert, select, update, delete or subscribe, found end of statement at offset 0"},
      {"selct * from t",
       "expected a statement such as insert, select, update, delete or subscribe, found `selct` at offset 0"},
      {"select", "expected `*` or a column name, found end of statement at offset 6"},
      {"select * fro t", "expected `from`, found `fro` at offset 9"},
      {"select a b c from t", "expected `,` or `from`, found `c` at offset 11"},
      {"select a, from t", "expected `,` or `from`, found `t` at offset 15"},
      {"select * from", "expected a table name, found end of statement at offset 13"},
      {"select * from t where", "expected a column name, found end of statement at offset 21"},
      {"select * from t where a", "expected `=`, found end of statement at offset 23"},
      {"select * from t where a =", "expected a value, found end of statement at offset 25"},
      {"select * from t where a = b c", "expected end of statement, found `c` at offset 28"},
      {"select * from t where a = 'b", "expected a value, found a string that is never closed at offset 26"},
      {"insert into t (a) values ('b'c)", "expected white space, `,` or `)` after the value, found `c` at offset 29"},
      {"select * from t where a = 'b'c", "expected white space, `,` or `)` after the value, found `c` at offset 29"},
      {"insert t", "expected `into`, found `t` at offset 7"},
      {"insert into t value (1)", "expected `(` and column names, `values` or `select`, found `value` at offset 14"},
      {"insert into t () values ()", "expected a column name, found `)` at offset 15"},
      {"insert into t (a b) values (1)", "expected `,` or `)`, found `b` at offset 17"},
      {"insert into t (a) value (1)", "expected `values`, found `value` at offset 18"},
      {"insert into t (a, b) values (1)",
       "expected `,` and a value: 2 values, one for each column, found `)` at offset 30"},
      {"insert into t (a) values (1, 2)", "expected `)` after 1 values, one for each column, found `,` at offset 27"},
      {"insert into t (a) values (,)", "expected a value, found `,` at offset 26"},
      {"insert into t (a) values (1),", "expected `(`, found end of statement at offset 29"},
      {"insert into t (a) values (1) x",
       "expected `,` and more values, `returning` or end of statement, found `x` at offset 29"},
      {"update t a = 1", "expected `set`, found `a` at offset 9"},
      {"update t set a 1", "expected `=`, found `1` at offset 15"},
      {"update t set a = 1 b = 2", "expected `,`, `where`, `returning` or end of statement, found `b` at offset 19"},
      {"delete t", "expected `from`, found `t` at offset 7"},
      {"pop from t x", "expected end of statement, found `x` at offset 11"},
      {"peek from t", "expected `,` or `from`, found `t` at offset 10"},
      {"subscribe topic", "expected `,` or `from`, found end of statement at offset 15"},
      {"subscribe 'topic", "expected `*`, `skip` or a column name, found a string that is never closed at offset 10"},
      {"unsubscribe from t where id = 1", "expected `pubsubid`, found `id` at offset 25"},
      {"unsubscribe from t where pubsubid = x", "expected the number that subscribe returned, found `x` at offset 36"},
      {"stream stream status", "expected a statement that has a reply, found `stream` at offset 7"},
      {"stream close", "expected a statement that has a reply, found `close` at offset 7"},
      {"status now", "expected end of statement, found `now` at offset 7"},
      {"show",
       "expected `tables`, `queues`, `subscriptions`, `bindings`, `limits`, `users` or `grants`, found end of "
       "statement at "
       "offset 4"},
      {"mysql dance",
       "expected `connect`, `disconnect`, `status`, `tables`, `subscribe`, `unsubscribe`, `check` or `repair`, found "
       "`dance` at offset 6"},
      {"mysql connect",
       "expected an address such as user:password@tcp(host:3306)/database, found end of statement at offset 13"},
      {"mysql check", "expected a table name, found end of statement at offset 11"},
      {"mysql check t u", "expected end of statement, found `u` at offset 14"},
      {"mysql repair", "expected a table name, found end of statement at offset 12"},
      {"mysql repair t u", "expected `from mysql` or end of statement, found `u` at offset 15"},
      {"mysql repair t from", "expected `mysql`, found end of statement at offset 19"},
      {"mysql repair t from u", "expected `mysql`, found `u` at offset 20"},
      {"mysql repair t from mysql u", "expected end of statement, found `u` at offset 26"},
      {"alter t", "expected `table` or `user`, found `t` at offset 6"},
      {"alter table", "expected a table name, found end of statement at offset 11"},
      {"alter table t", "expected `add`, `drop` or `set`, found end of statement at offset 13"},
      {"alter table t set x = 1", "expected `ack` or `history`, found `x` at offset 18"},
      {"alter table t set ack memory", "expected `=`, found `memory` at offset 22"},
      {"alter table t set ack =", "expected `memory` or `committed`, found end of statement at offset 23"},
      {"alter table t set ack = disk", "expected `memory` or `committed`, found `disk` at offset 24"},
      {"alter table t set ack = memory now", "expected end of statement, found `now` at offset 31"},
      {"select \xff", "expected UTF-8, found an invalid byte at offset 7"},
  };
  for (const statement_example& e : examples) {
    INFO(e.sql);
    CHECK(read_back(e.sql) == e.expected);
  }
  const std::string long_word(1000, 'x');
  CHECK(read_back("select * " + long_word) ==
        "expected `from`, found `" + long_word.substr(0, 40) + "...` at offset 9");
}

TEST_CASE("parser: the caret stands under the offset") {
  CHECK(caret("select * fro t", 9) == "select * fro t\n         ^");
  CHECK(caret("select *\nfro t", 9) == "fro t\n^");
  CHECK(caret("select *\r\n", 8) == "select *\n        ^");
  CHECK(caret("\tselect größe fro", 16) == "\tselect größe fro\n\t             ^");
  CHECK(caret("", 0) == "\n^");
  CHECK(caret("abc", 99) == "abc\n   ^");
  const std::string long_line = std::string(500, 'a') + "X" + std::string(500, 'b');
  CHECK(caret(long_line, 500) ==
        "..." + std::string(60, 'a') + "X" + std::string(59, 'b') + "...\n" + std::string(63, ' ') + "^");
}

TEST_CASE("parser: blank statements and tables") {
  CHECK(is_blank(""));
  CHECK(is_blank(" \t\r\n;; -- x"));
  CHECK(is_blank("/* x */;"));
  CHECK_FALSE(is_blank("/* x"));
  CHECK_FALSE(is_blank("status"));
  const auto table = [](std::string_view sql) {
    statement_arena arena;
    return std::string(table_of(*parse(sql, arena)));
  };
  CHECK(table("push into q (a) values (1)") == "q");
  CHECK(table("select * from t") == "t");
  CHECK(table("key t k") == "t");
  CHECK(table("alter table t set ack = committed") == "t");
  CHECK(table("mysql check t") == "t");
  CHECK(table("mysql repair t from mysql") == "t");
  CHECK(table("show tables").empty());
}
