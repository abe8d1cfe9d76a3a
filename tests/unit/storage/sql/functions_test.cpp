#include "storage/sql/functions.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/storage/sql/support.hpp"

using namespace pubsubsql::storage::sql;

// The expected values are MariaDB's.
TEST_CASE("functions: results") {
  struct example {
    std::string_view name;
    std::vector<std::string_view> arguments;
    std::string_view expected;
  };
  const std::vector<example> examples = {
      {"round", {"1.5"}, "2"},
      {"round", {"2.5"}, "3"},
      {"round", {"-1.5"}, "-2"},
      {"round", {"25e-1"}, "2"},
      {"round", {"1.25", "1"}, "1.3"},
      {"round", {"125", "-1"}, "130"},
      {"round", {"1.5", "3"}, "1.500"},
      {"round", {"1255e-3", "2"}, "1.25"},
      {"round", {"null"}, "NULL"},
      {"truncate", {"-1.999", "1"}, "-1.9"},
      {"truncate", {"125", "-1"}, "120"},
      {"floor", {"-1.5"}, "-2"},
      {"ceil", {"1.2"}, "2"},
      {"ceiling", {"'x'"}, "0"},
      {"abs", {"-1.50"}, "1.50"},
      {"abs", {"-9223372036854775808"}, "1690 BIGINT value is out of range in 'abs(-9223372036854775808)'"},
      {"mod", {"7.5", "2"}, "1.5"},
      {"concat", {"'a'", "1", "1.50"}, "a11.50"},
      {"concat", {"'a'", "null"}, "NULL"},
      {"concat_ws", {"','", "'a'", "null", "'b'"}, "a,b"},
      {"concat_ws", {"null", "'a'"}, "NULL"},
      {"substr", {"'hello'", "2"}, "ello"},
      {"substring", {"'hello'", "2", "3"}, "ell"},
      {"substr", {"'hello'", "-3", "2"}, "ll"},
      {"substr", {"'hello'", "0"}, ""},
      {"substr", {"'hello'", "9"}, ""},
      {"substr", {"'äöü'", "2", "1"}, "ö"},
      {"left", {"'hello'", "2"}, "he"},
      {"left", {"'h'", "-1"}, ""},
      {"right", {"'äöü'", "2"}, "öü"},
      {"trim", {"'  a '"}, "a"},
      {"ltrim", {"'  a '"}, "a "},
      {"rtrim", {"' a  '"}, " a"},
      {"replace", {"'aXbX'", "'X'", "'yy'"}, "ayybyy"},
      {"replace", {"'a'", "''", "'b'"}, "a"},
      {"lower", {"'ÄÖ Жα'"}, "äö жα"},
      {"upper", {"'äöß жα'"}, "ÄÖß ЖΑ"},
      {"length", {"'äö'"}, "4"},
      {"char_length", {"'äö'"}, "2"},
      {"coalesce", {"null", "1"}, "1"},
      {"ifnull", {"null", "2"}, "2"},
      {"nullif", {"1", "1"}, "NULL"},
      {"nullif", {"1", "2"}, "1"},
      {"if", {"null", "2", "3"}, "3"},
      {"if", {"0.1", "1", "2"}, "1"},
      {"greatest", {"1", "2.5", "'3'"}, "3"},
      {"greatest", {"'10'", "9"}, "10"},
      {"least", {"'10'", "'9'"}, "10"},
      {"least", {"1", "null"}, "NULL"},
      {"date", {"'2026-01-02 03:04:05'"}, "2026-01-02"},
      {"date", {"20260102"}, "2026-01-02"},
      {"year", {"'2026-01-02'"}, "2026"},
      {"year", {"'x'"}, "NULL"},
      {"day", {"'2026-01-02'"}, "2"},
      {"dayofweek", {"'2026-01-02'"}, "6"},
      {"dayofyear", {"'2026-03-01'"}, "60"},
      {"hour", {"'03:04:05'"}, "3"},
      {"minute", {"'2026-01-02 03:04:05'"}, "4"},
      {"second", {"time'03:04:05'"}, "5"},
      {"unix_timestamp", {"'2026-01-02 03:04:05'"}, "1767323045"},
      {"unix_timestamp", {"'2026-01-02 03:04:05.5'"}, "1767323045.5"},
      {"unix_timestamp", {"'1960-01-01'"}, "NULL"},
      {"unix_timestamp", {}, "1767323045"},
      {"from_unixtime", {"1767323045"}, "2026-01-02 03:04:05"},
      {"from_unixtime", {"1767323045.5"}, "2026-01-02 03:04:05.5"},
      {"from_unixtime", {"-1"}, "NULL"},
      {"datediff", {"'2026-03-01'", "'2026-02-01'"}, "28"},
      {"datediff", {"'1969-12-31'", "'1970-01-01 10:00:00'"}, "-1"},
      {"timestampdiff", {"'month'", "'2026-01-31'", "'2026-02-28'"}, "0"},
      {"timestampdiff", {"'day'", "'2026-01-31'", "'2026-02-28 12:00:00'"}, "28"},
      {"timestampdiff", {"'HOUR'", "'2026-01-31'", "'2026-02-01 00:59:00'"}, "24"},
      {"timestampdiff", {"'year'", "'2024-02-29'", "'2025-02-28'"}, "0"},
      {"timestampdiff", {"'second'", "'2026-01-01'", "'x'"}, "NULL"},
      {"last_day", {"'2024-02-01'"}, "2024-02-29"},
      {"now", {}, "2026-01-02 03:04:05"},
      {"now", {"3"}, "2026-01-02 03:04:05.678"},
      {"now", {"7"}, "1426 Too big precision specified for 'current_timestamp'. Maximum is 6"},
      {"curdate", {}, "2026-01-02"},
      {"utc_time", {}, "03:04:05"},
  };
  for (const auto& [name, given, expected] : examples) {
    CAPTURE(name);
    CAPTURE(given);
    bench_evaluation bench;
    const function* f = find_function(name);
    REQUIRE(f != nullptr);
    CHECK(f->takes(given.size()));
    std::vector<datum> arguments;
    for (const std::string_view text : given) arguments.push_back(literal(bench.e, text));
    CHECK(shown_datum(bench.e, f->call(bench.e, arguments)) == expected);
  }
}

TEST_CASE("functions: each bears NULL for any argument") {
  for (const std::string_view name :
       {"if",       "coalesce", "greatest",       "abs",           "round",     "truncate",      "floor",
        "mod",      "lower",    "length",         "concat",        "concat_ws", "substr",        "left",
        "trim",     "replace",  "locate",         "now",           "date",      "time",          "year",
        "hour",     "last_day", "unix_timestamp", "from_unixtime", "datediff",  "timestampdiff", "date_add",
        "date_sub", "pow",      "sqrt",           "sign"}) {
    CAPTURE(name);
    const function* f = find_function(name);
    REQUIRE(f != nullptr);
    bench_evaluation bench;
    const std::vector<datum> nulls(std::max<std::size_t>(f->arguments_min, 1));
    (void)f->call(bench.e, nulls);
    CHECK(!bench.e.failure());
  }
}

TEST_CASE("functions: names in any case, and none that is unknown") {
  CHECK(find_function("Date_Add") == find_function("date_add"));
  CHECK(find_function("foo") == nullptr);
  CHECK(!find_function("abs")->takes(0));
  CHECK(!find_function("abs")->takes(2));
  CHECK(find_function("concat")->takes(40));
}
