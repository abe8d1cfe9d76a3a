#include <string>
#include <vector>

#include "storage/sql/arithmetic.hpp"
#include "storage/sql/comparison.hpp"
#include "tests/unit/storage/sql/support.hpp"

using namespace pubsubsql::storage::sql;

namespace {

struct example {
  std::string_view left;
  std::string_view op;
  std::string_view right;
  std::string_view expected;
};

datum computed(evaluation& e, const datum& a, std::string_view op, const datum& b) {
  if (op == "+") return add(e, a, b);
  if (op == "-") return subtract(e, a, b);
  if (op == "*") return multiply(e, a, b);
  if (op == "/") return divide(e, a, b);
  if (op == "%") return remainder(e, a, b);
  if (op == "div") return divide_whole(e, a, b);
  if (op == "||") return concat(e, a, b);
  if (op == "=") return to_datum(compare(e, comparison::equal, a, b));
  if (op == "<=>") return to_datum(compare(e, comparison::null_safe_equal, a, b));
  if (op == "<>") return to_datum(compare(e, comparison::not_equal, a, b));
  if (op == "<") return to_datum(compare(e, comparison::less, a, b));
  if (op == "<=") return to_datum(compare(e, comparison::less_equal, a, b));
  if (op == ">") return to_datum(compare(e, comparison::greater, a, b));
  REQUIRE(op == ">=");
  return to_datum(compare(e, comparison::greater_equal, a, b));
}

void check(const std::vector<example>& examples) {
  for (const auto& [left, op, right, expected] : examples) {
    CAPTURE(left);
    CAPTURE(op);
    CAPTURE(right);
    bench_evaluation bench;
    const datum result = computed(bench.e, literal(bench.e, left), op, literal(bench.e, right));
    CHECK(shown_datum(bench.e, result) == expected);
  }
}

}  // namespace

// The expected values are MariaDB's.
TEST_CASE("arithmetic: numbers") {
  check({
      {"1", "/", "3", "0.3333"},
      {"2", "/", "3", "0.6667"},
      {"2.00", "/", "3", "0.666667"},
      {"-7", "/", "2", "-3.5000"},
      {"0.00001", "/", "3", "0.000003333"},
      {"7", "div", "2", "3"},
      {"-7", "div", "2", "-3"},
      {"7.5", "div", "2", "3"},
      {"'1'", "div", "0.00001", "100000"},
      {"1e300", "div", "1", "1690 BIGINT value is out of range in '1e300 DIV 1'"},
      {"-7", "%", "3", "-1"},
      {"7.5", "%", "2", "1.5"},
      {"5", "%", "0", "NULL"},
      {"5", "/", "0", "NULL"},
      {"5", "/", "0.00", "NULL"},
      {"5", "div", "0", "NULL"},
      {"9223372036854775807", "+", "1", "1690 BIGINT value is out of range in '9223372036854775807 + 1'"},
      {"18446744073709551615", "+", "1", "1690 BIGINT UNSIGNED value is out of range in '18446744073709551615 + 1'"},
      {"1", "-", "bigint unsigned'2'", "1690 BIGINT UNSIGNED value is out of range in '1 - 2'"},
      {"bigint unsigned'2'", "-", "1", "1"},
      {"9223372036854775807", "*", "2", "1690 BIGINT value is out of range in '9223372036854775807 * 2'"},
      {"1e308", "*", "10", "1690 DOUBLE value is out of range in '1e308 * 10'"},
      {"3", "*", "1.50", "4.50"},
      {"1.5", "*", "1.5", "2.25"},
      {"1.10", "+", "2", "3.10"},
      {"0.1", "+", "0.2", "0.3"},
      {"1e-1", "+", "2e-1", "0.30000000000000004"},
      {"1e0", "/", "3", "0.3333333333333333"},
      {"9007199254740993", "/", "'-3'", "-3002399751580330.5"},
      {"9007199254740993", "+", "'0'", "9.007199254740992e15"},
      {"-25e-1", "*", "'abc'", "0"},
      {"'3'", "+", "4", "7"},
      {"'3x'", "+", "4", "7"},
      {"'1'", "/", "3", "0.3333333333333333"},
      {"null", "+", "4", "NULL"},
      {"99999999999999999999999999999999999999999999999999999999999999999", "+", "1",
       "1690 DECIMAL value is out of range in '99999999999999999999999999999999999999999999999999999999999999999 + 1'"},
      {"date'2026-01-01'", "+", "1", "20260102"},
      {"datetime(6)'2026-01-01 00:00:01.5'", "+", "1", "20260101000002.500000"},
      {"time'01:00:00'", "+", "1", "10001"},
      {"'a'", "||", "1.50", "a1.50"},
      {"'a'", "||", "null", "NULL"},
  });
}

TEST_CASE("comparison: MySQL's conversions") {
  check({
      {"date'2026-01-01'", "=", "'2026-1-1'", "1"},
      {"date'2026-01-01'", "<", "'2026-01-02'", "1"},
      {"date'2026-01-01'", "=", "'abc'", "0"},
      {"date'2026-01-01'", "=", "20260101", "1"},
      {"datetime'2026-01-01 00:00:00'", "=", "date'2026-01-01'", "1"},
      {"datetime'2026-01-02 10:00:00'", ">", "time'09:59:59'", "1"},
      {"time'10:00:00'", "=", "'10:00'", "1"},
      {"time'10:00:00'", "=", "100000", "1"},
      {"'a'", "<", "'b'", "1"},
      {"'A'", "=", "'a'", "0"},
      {"'a'", "=", "1", "0"},
      {"'1x'", "=", "1", "1"},
      {"'10'", "<", "'9'", "1"},
      {"1", "=", "1.0", "1"},
      {"1.1", "=", "11e-1", "1"},
      {"-1", "<", "bigint unsigned'1'", "1"},
      {"18446744073709551615", ">", "-1", "1"},
      {"12345678901234567890123.5", ">", "12345678901234567890123.4", "1"},
      {"null", "=", "null", "NULL"},
      {"null", "<=>", "null", "1"},
      {"1", "<=>", "null", "0"},
      {"1", "<>", "null", "NULL"},
  });
}

TEST_CASE("comparison: untyped values") {
  check({
      {"untyped'10'", "<", "'9'", "0"},
      {"untyped'10'", ">", "untyped'9'", "1"},
      {"untyped'9'", "<", "'10'", "1"},
      {"untyped'1.0'", "=", "'1'", "0"},
      {"untyped'1.0'", "<=", "'1'", "1"},
      {"untyped'1.0'", "=", "1", "1"},
      {"untyped'abc'", "<", "'b'", "1"},
      {"untyped'10'", "<", "'abc'", "1"},
      {"untyped' 10'", "<", "'9'", "1"},
      {"untyped'abc'", ">", "5", "1"},
      {"untyped'9007199254740993'", "=", "9007199254740993", "1"},
      {"untyped'9007199254740993'", "=", "9007199254740992", "0"},
  });
}

TEST_CASE("arithmetic: dates and intervals") {
  struct shift {
    std::string_view start;
    int sign;
    std::string_view amount;
    interval_unit unit;
    std::string_view expected;
  };
  const std::vector<shift> shifts = {
      {"'2026-01-31'", 1, "1", interval_unit::month, "2026-02-28"},
      {"'2026-01-31 10:00:00'", 1, "1", interval_unit::day, "2026-02-01 10:00:00"},
      {"date'2026-01-31'", 1, "1", interval_unit::hour, "2026-01-31 01:00:00"},
      {"date'2026-03-31'", -1, "1", interval_unit::month, "2026-02-28"},
      {"date'2024-02-29'", 1, "1", interval_unit::year, "2025-02-28"},
      {"date'9999-12-31'", 1, "1", interval_unit::day, "NULL"},
      {"datetime'2026-01-01 00:00:00'", 1, "1.5", interval_unit::second, "2026-01-01 00:00:01.5"},
      {"time'10:00:00'", 1, "1", interval_unit::hour, "11:00:00"},
      {"time'10:00:00'", 1, "1", interval_unit::month, "NULL"},
      {"'x'", 1, "1", interval_unit::day, "NULL"},
      {"date'2026-01-01'", 1, "null", interval_unit::day, "NULL"},
      {"date'1960-01-01'", -1, "1", interval_unit::microsecond, "1959-12-31 23:59:59.999999"},
  };
  for (const auto& [start, sign, amount, unit, expected] : shifts) {
    CAPTURE(start);
    CAPTURE(amount);
    bench_evaluation bench;
    const datum interval = make_interval(bench.e, literal(bench.e, amount), unit);
    const datum from = literal(bench.e, start);
    const datum result = sign > 0 ? add(bench.e, from, interval) : subtract(bench.e, from, interval);
    CHECK(shown_datum(bench.e, result) == expected);
  }
  bench_evaluation bench;
  evaluation& e = bench.e;
  const datum hours = make_interval(e, datum::integer(36), interval_unit::hour);
  const datum days = subtract(e, literal(e, "datetime'2026-01-02 12:00:00'"), literal(e, "'2026-01-01'"));
  CHECK(days.kind() == datum_kind::interval);
  CHECK(compare(e, comparison::equal, days, hours) == ternary::yes);
  CHECK(compare(e, comparison::less, days, make_interval(e, datum::integer(2), interval_unit::day)) == ternary::yes);
  CHECK(shown_datum(e, multiply(e, hours, datum::integer(2))) == "72:00:00");
  CHECK(subtract(e, literal(e, "date'2026-01-01'"), datum::text("x")).is_null());
}

TEST_CASE("comparison: like") {
  struct pattern {
    std::string_view text;
    std::string_view like;
    std::string_view escape;
    bool expected;
  };
  const std::vector<pattern> patterns = {
      {"a%", R"(a\%)", "\\", true},
      {"ab", R"(a\%)", "\\", false},
      {"ab", "a_", "\\", true},
      {"äb", "_b", "\\", true},
      {"A", "a", "\\", false},
      {"a%b", "a|%b", "|", true},
      {"", "", "\\", true},
      {"", "%", "\\", true},
      {"abc", "%b%", "\\", true},
      {"abc", "%c_", "\\", false},
      {R"(a\b)", R"(a\\b)", "\\", true},
      {"aaab", "%a%ab", "\\", true},
      {"abcabd", "%ab_", "\\", true},
      {"a", "_%_", "\\", false},
      {"a\\", "a\\", "\\", true},
      {"a\\%", "a\\%", "", true},
      {"mississippi", "%iss%ip%", "\\", true},
  };
  for (const auto& [text, like, escape, expected] : patterns) {
    CAPTURE(text);
    CAPTURE(like);
    CHECK(is_like(text, like, escape) == expected);
  }
  CHECK(prefix_of_pattern("ab%").text == "ab");
  CHECK(prefix_of_pattern("ab%").rest_is_any);
  CHECK(!prefix_of_pattern("ab%c").rest_is_any);
  CHECK(prefix_of_pattern(R"(a\%b)").text == "a%b");
  CHECK(prefix_of_pattern(R"(a\%b)").whole);
}

TEST_CASE("comparison: three values") {
  using enum ternary;
  CHECK(logical_and(unknown, no) == no);
  CHECK(logical_and(unknown, yes) == unknown);
  CHECK(logical_or(unknown, yes) == yes);
  CHECK(logical_or(unknown, no) == unknown);
  CHECK(logical_not(unknown) == unknown);
  CHECK(logical_xor(yes, unknown) == unknown);
  CHECK(logical_xor(yes, no) == yes);
  CHECK(truth_of(datum::text("abc")) == no);
  CHECK(truth_of(datum::text("0.5")) == yes);
  CHECK(truth_of(datum{}) == unknown);
}
