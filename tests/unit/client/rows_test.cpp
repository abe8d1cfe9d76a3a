#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <pubsubsql/rows.hpp>

#include "client/statement_kind.hpp"

using namespace pubsubsql;

namespace {

errc code_of(const auto& call) {
  try {
    call();
  } catch (const error& e) {
    return e.code();
  }
  FAIL("no error was thrown");
  return errc::usage;
}

rows sample() {
  rows r;
  r.add_column("id");
  r.add_column("price");
  for (const char* text : {"0", "12.5", "1", "-3", "2"}) r.add_cell(text);
  r.add_cell(std::nullopt);
  return r;
}

}  // namespace

TEST_CASE("rows are read by ordinal and by name") {
  const rows r = sample();
  REQUIRE(r.size() == 3);
  CHECK(r[0][1] == "12.5");
  CHECK(r[1]["price"] == "-3");
  CHECK(r[2]["price"].is_null());
  CHECK(r[0].size() == 2);
  int count = 0;
  for (const row each : r) count += each["id"].as<int>();
  CHECK(count == 3);
}

TEST_CASE("a column that is not there is a usage error that names those that are") {
  const rows r = sample();
  CHECK(code_of([&] { (void)r[0][2]; }) == errc::usage);
  CHECK_THROWS_WITH((void)r[0]["cost"], "no column 'cost' here; there are: id, price");
}

TEST_CASE("values become numbers or say why not") {
  const rows r = sample();
  CHECK(r[0]["price"].as<double>() == 12.5);
  CHECK(r[1]["price"].as<std::int64_t>() == -3);
  CHECK(r[1]["price"].as<std::string>() == "-3");
  CHECK_THROWS_WITH((void)r[0]["price"].as<int>(), "column 'price' holds '12.5', which is no such number");
  CHECK_THROWS_WITH((void)r[2]["price"].as<int>(), "column 'price' is NULL; ask is_null() first");
  CHECK(code_of([&] { (void)r[1]["price"].as<unsigned>(); }) == errc::bad_value);

  rows big;
  big.add_column("n");
  big.add_cell("9223372036854775807");
  CHECK(big[0][0].as<std::int64_t>() == std::numeric_limits<std::int64_t>::max());
  CHECK_THROWS_WITH((void)big[0][0].as<int>(),
                    "column 'n' holds '9223372036854775807', which is out of the number type's range");
}

TEST_CASE("batches are joined with NULL and empty text kept apart") {
  rows a = sample();
  rows b;
  b.add_column("id");
  b.add_column("price");
  b.add_cell(std::nullopt);
  b.add_cell("");
  a.append(b);
  REQUIRE(a.size() == 4);
  CHECK(a[3][0].is_null());
  CHECK_FALSE(a[3][1].is_null());
  CHECK(a[2][0] == "2");
}

TEST_CASE("statement kinds are told by the first word") {
  struct example {
    const char* sql;
    statement_kind kind;
  };
  for (const auto& e : {example{"select * from t", statement_kind::ordinary},
                        example{" \n SUBSCRIBE * from t", statement_kind::subscribe},
                        example{"-- note\n/* more */ unsubscribe from t", statement_kind::unsubscribe},
                        example{"stream insert", statement_kind::streamed}, example{"stop;", statement_kind::ending},
                        example{"close", statement_kind::ending}, example{"closes", statement_kind::ordinary},
                        example{"streams", statement_kind::ordinary}, example{"", statement_kind::ordinary},
                        example{"/* open", statement_kind::ordinary}, example{"-- only", statement_kind::ordinary}}) {
    CAPTURE(e.sql);
    CHECK(kind_of(e.sql) == e.kind);
  }
}
