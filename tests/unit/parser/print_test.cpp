#include "parser/print.hpp"

#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/parser.hpp"

using namespace pubsubsql::parser;

namespace {

using namespace std::string_literals;

const std::vector<std::string> nasty_texts = {
    "",      " ",
    "null",  "NULL",
    "it's",  "''",
    "a;",    ";",
    "--x",   "/*x*/",
    "a,b",   "a)b",
    "(",     "`",
    "a\nb",  "a\0b"s,
    "größe", "1--2",
    "a/*b",  "-1",
    "\t",    "=",
    "%",     "\"quoted\"",
    "*",     "x'y",
    "from",  "\\",
    "\v\f",  "日本",
    "'",     "end; ",
    "a b  ", "\xf0\x9f\x98\x80",
};

void check_round_trip(const statement& s) {
  const std::string text = print(s);
  INFO(text);
  statement_arena arena;
  const auto parsed = parse(text, arena);
  REQUIRE(parsed.has_value());
  CHECK(*parsed == s);
}

}  // namespace

TEST_CASE("print: nasty names and values are read back") {
  for (const std::string& text : nasty_texts) {
    const literal value{.text = text};
    const std::string_view name = text.empty() ? std::string_view("x") : std::string_view(text);
    select_statement select{.columns = {.all = false, .names = {name, "front"}}, .table = name, .where = {}};
    select.where = condition{.column = name, .value = value};
    check_round_trip({.body = select});

    update_statement update{.table = name, .set = {}, .where = {}, .returning = {}};
    update.set.push_back({.column = name, .value = value});
    update.set.push_back({.column = "b", .value = {.text = {}, .is_null = true}});
    update.returning = projection{.all = true, .names = {}};
    check_round_trip({.stream = true, .body = update});

    insert_statement insert{
        .rows = {.table = name, .columns = {name, "c"}, .values = {value, value, value, value}, .returning = {}}};
    check_round_trip({.body = insert});
    check_round_trip({.body = push_statement{.end = queue_end::front, .rows = insert.rows}});
    check_round_trip({.body = publish_statement{.rows = insert.rows}});
    check_round_trip({.body = bind_statement{.queue = name, .table = "t", .where = select.where}});
    check_round_trip({.body = unbind_statement{.queue = "q", .table = name, .where = select.where}});
    check_round_trip({.body = subscribe_statement{.skip = true, .table = name, .where = select.where}});
    check_round_trip(
        {.body = pop_statement{
             .end = queue_end::back, .columns = projection{.all = false, .names = {name}}, .table = name}});
    check_round_trip({.body = pop_statement{.end = queue_end::front, .columns = {}, .table = name}});
    check_round_trip({.body = alter_ack_statement{.table = name, .ack = ack_mode::memory}});
    check_round_trip({.body = alter_ack_statement{.table = name, .ack = ack_mode::committed}});
    check_round_trip({.body = alter_history_statement{.table = name, .history = {}}});
    for (const history_setting& h : {history_setting{}, history_setting{.on = false}, history_setting{.bytes = 7},
                                     history_setting{.seconds = 8}, history_setting{.bytes = 0, .seconds = 9}}) {
      check_round_trip({.body = alter_history_statement{.table = name, .history = h}});
    }
    check_round_trip({.body = subscribe_statement{.table = name, .where = {}, .with_seq = true}});
    check_round_trip(
        {.body = subscribe_statement{.table = name, .where = {}, .on_slow = slow_policy::drop, .since = UINT64_MAX}});
    check_round_trip({.body = subscribe_statement{.table = name, .where = {}, .name = name}});
    check_round_trip({.body = acknowledge_statement{.name = name, .table = name, .position = UINT64_MAX}});
    check_round_trip({.body = drop_subscription_statement{.name = name}});
    check_round_trip({.body = drop_subscription_statement{.name = name, .table = name}});
    check_round_trip({.body = mysql_connect_statement{.address = text}});
    check_round_trip({.body = mysql_check_statement{.table = name}});
    check_round_trip({.body = mysql_repair_statement{.table = name, .from_mysql = false}});
    check_round_trip({.body = mysql_repair_statement{.table = name, .from_mysql = true}});
  }
}

TEST_CASE("print: names and values are quoted only where needed") {
  CHECK(quote_name("ticker") == "ticker");
  CHECK(quote_name("Größe_2") == "Größe_2");
  CHECK(quote_name("from") == "`from`");
  CHECK(quote_name("unit price") == "`unit price`");
  CHECK(quote_name("a`b") == "`a``b`");
  CHECK(quote_value("IBM") == "IBM");
  CHECK(quote_value("-3.5") == "-3.5");
  CHECK(quote_value("user@example.org") == "user@example.org");
  CHECK(quote_value("null") == "'null'");
  CHECK(quote_value("it's") == "'it''s'");
  CHECK(quote_value("--x") == "'--x'");
  CHECK(quote_value("") == "''");
}

TEST_CASE("print: the word default is as it was written") {
  for (const std::string text : {"update t set a = DEFAULT where b = Default", "insert into t (a) values (dEfault)"}) {
    statement_arena arena;
    const auto parsed = parse(text, arena);
    REQUIRE(parsed.has_value());
    CHECK(print(*parsed) == text);
  }
}
