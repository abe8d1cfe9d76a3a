#include "storage/sql/aggregate.hpp"

#include <string>
#include <vector>

#include "tests/unit/storage/sql/support.hpp"

using namespace pubsubsql::storage::sql;

namespace {

std::string result(std::string_view name, std::initializer_list<std::string_view> values, bool distinct = false) {
  bench_evaluation bench;
  aggregate a(*find_aggregate(name), distinct);
  for (const std::string_view text : values) a.add(literal(bench.e, text));
  return shown_datum(bench.e, a.result(bench.e));
}

}  // namespace

// The expected values are MariaDB's.
TEST_CASE("aggregate: results") {
  CHECK(result("sum", {"1", "2", "null"}) == "3");
  CHECK(result("avg", {"1", "2", "null"}) == "1.5000");
  CHECK(result("min", {"2", "1", "null"}) == "1");
  CHECK(result("max", {"2", "10", "null"}) == "10");
  CHECK(result("COUNT", {"1", "2", "null"}) == "2");
  CHECK(result("sum", {"1.50", "2"}) == "3.50");
  CHECK(result("avg", {"1.50", "2"}) == "1.750000");
  CHECK(result("sum", {"'1.5'", "'2'"}) == "3.5");
  CHECK(result("avg", {"'1.5'", "'2'"}) == "1.75");
  CHECK(result("sum", {"1e0", "2"}) == "3");
  CHECK(result("sum", {"1", "1", "3"}, true) == "4");
  CHECK(result("avg", {"1", "3"}) == "2.0000");
  CHECK(result("sum", {"9223372036854775807", "9223372036854775807"}) == "18446744073709551614");
  CHECK(result("sum", {"1e300", "1"}) == "1e300");
  CHECK(result("sum", {}) == "NULL");
  CHECK(result("avg", {"null"}) == "NULL");
  CHECK(result("count", {}) == "0");
  CHECK(result("min", {"untyped'10'", "untyped'9'", "untyped'x'"}) == "9");
  CHECK(result("max", {"'10'", "'9'"}) == "9");
  CHECK(result("max", {"date'2026-01-01'", "date'2025-01-01'"}) == "2026-01-01");
}

TEST_CASE("aggregate: what is taken back leaves nothing behind") {
  bench_evaluation bench;
  evaluation& e = bench.e;
  aggregate sum(aggregate_kind::sum);
  const std::vector<std::string_view> values = {"9223372036854775807", "1", "0.25", "'0.1'", "1e-1", "7"};
  for (const std::string_view v : values) sum.add(literal(e, v));
  for (const std::string_view v : values) {
    if (v != "7") sum.remove(literal(e, v));
  }
  CHECK(sum.count() == 1);
  CHECK(shown_datum(e, sum.result(e)).starts_with("7"));
  aggregate distinct(aggregate_kind::count, true);
  distinct.add(datum::integer(1));
  distinct.add(datum::integer(1));
  distinct.remove(datum::integer(1));
  CHECK(distinct.count() == 1);
  distinct.remove(datum::integer(1));
  CHECK(distinct.count() == 0);
}
