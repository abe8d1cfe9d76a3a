#include "storage/sql/order_key.hpp"

#include <string>
#include <vector>

#include "tests/unit/storage/sql/support.hpp"

using namespace pubsubsql::storage;
using namespace pubsubsql::storage::sql;

namespace {

std::string key(const column_type* type, const value& stored) {
  std::string out;
  append_order_key(out, type, stored);
  return out;
}

/// Each list is of rising values; no two are equal.
void check_rising(const column_type* type, const std::vector<value>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      CAPTURE(values[i].value_or("NULL"));
      CAPTURE(values[j].value_or("NULL"));
      CHECK((key(type, values[i]) < key(type, values[j])) == (i < j));
      // Behind it the key of another column.
      CHECK((key(type, values[i]) + key(nullptr, "x") < key(type, values[j])) == (i < j));
    }
  }
}

}  // namespace

TEST_CASE("order key: untyped values, numbers before other texts") {
  const std::string zero_inside("a\0b", 3);
  check_rising(nullptr, {std::nullopt,
                         "-1e300",
                         "-123.45",
                         "-123.4",
                         "-123",
                         "-99",
                         "-1",
                         "-0.001",
                         "-1e-200",
                         "0",
                         "1e-200",
                         "0.001",
                         "0.01",
                         "0.1",
                         "0.12",
                         "0.123",
                         "1",
                         "1.5",
                         "2",
                         "9",
                         "10",
                         "10.5",
                         "99",
                         "100",
                         "123456789012345678",
                         "1234567890123456789012",
                         "1e300",
                         "1e9999",
                         "",
                         " 1",
                         "1 ",
                         "1x",
                         "a",
                         zero_inside,
                         "a\x01",
                         "ab",
                         "b"});
}

TEST_CASE("order key: equal numbers have equal keys") {
  for (const std::string_view text : {"1.5", "1.50", "+1.5", "15e-1", "01.5", "0.15E1"}) {
    CAPTURE(text);
    CHECK(key(nullptr, text) == key(nullptr, "1.5"));
  }
  for (const std::string_view text : {"0", "-0", "0.00", "0e5"}) CHECK(key(nullptr, text) == key(nullptr, "0"));
  bench_evaluation bench;
  const column_type integer = type_of("int");
  std::string one;
  append_order_key(one, &integer, datum::integer(1));
  for (const datum& d : {datum::unsigned_integer(1), datum::short_decimal(100, 2), datum::floating(1)}) {
    std::string other;
    append_order_key(other, &integer, d);
    CHECK(other == one);
  }
  CHECK(key(&integer, "1") == one);
}

TEST_CASE("order key: types") {
  const column_type integer = type_of("bigint unsigned");
  check_rising(&integer, {std::nullopt, "0", "1", "9", "10", "255", "256", "18446744073709551615"});
  const column_type dates = type_of("datetime(3)");
  check_rising(&dates, {std::nullopt, "0000-00-00 00:00:00.000", "0001-01-01 00:00:00.000", "1969-12-31 23:59:59.999",
                        "1970-01-01 00:00:00.000", "2026-01-02 03:04:05.678", "9999-12-31 23:59:59.999"});
  const column_type times = type_of("time");
  check_rising(&times, {std::nullopt, "-10:00:00", "-00:00:01", "00:00:00", "00:00:01", "100:00:00"});
  const column_type labels = type_of("enum('small','large','10')");
  check_rising(&labels, {std::nullopt, "", "small", "large", "10"});
  const column_type text = type_of("varchar(10)");
  check_rising(&text, {std::nullopt, "", "-1", "10", "9", "a"});
}

TEST_CASE("order key: identity tells untyped texts apart, but not numbers of one size") {
  const auto identity = [](const datum& d) {
    std::string out;
    append_identity_key(out, d);
    return out;
  };
  CHECK(identity(datum::untyped("1")) != identity(datum::untyped("1.0")));
  CHECK(identity(datum::untyped("1")) == identity(datum::text("1")));
  CHECK(identity(datum::integer(1)) == identity(datum::short_decimal(10, 1)));
  CHECK(identity(datum{}) == identity(datum{}));
}
