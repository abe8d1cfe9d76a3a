#include "storage/sql/stored_value.hpp"

#include <string>
#include <vector>

#include "tests/unit/storage/sql/support.hpp"

using namespace pubsubsql::storage::sql;

namespace {

/// The text that is stored, or the number of the error.
std::string stored(std::string_view type, std::string_view text) {
  bench_evaluation bench;
  const column_type t = type_of(type);
  const std::string out(canonical_text(bench.e, t, text, {"t", "c"}));
  return bench.e.failure() ? std::to_string(bench.e.failure()->code) : out;
}

std::string stored_result(std::string_view type, std::string_view text) {
  bench_evaluation bench;
  const column_type t = type_of(type);
  const auto out = canonical_value(bench.e, t, literal(bench.e, text), {"t", "c"});
  return bench.e.failure() ? std::to_string(bench.e.failure()->code) : std::string(out.value_or("NULL"));
}

struct example {
  std::string_view type;
  std::string_view input;
  std::string_view expected;
};

}  // namespace

// What MariaDB 10.11 stores in its strict mode.
TEST_CASE("stored value: texts") {
  const std::string long_text(256, 'x');
  const std::vector<example> examples = {
      {"int", "abc", "1366"},
      {"int", "12abc", "1265"},
      {"int", "", "1366"},
      {"int", " 12 ", "12"},
      {"int", "1e2", "100"},
      {"int", "1.5", "2"},
      {"int", "-1.5", "-2"},
      {"int", "2.5", "3"},
      {"int", "2147483647", "2147483647"},
      {"int", "2147483648", "1264"},
      {"int", "1e500", "1264"},
      {"int", "-0", "0"},
      {"int", "007", "7"},
      {"int", "+7", "7"},
      {"int", ".5", "1"},
      {"int", "1.", "1"},
      {"int", "0x10", "1265"},
      {"int unsigned", "-1", "1264"},
      {"int unsigned", "-0.4", "0"},
      {"bigint", "-9223372036854775808", "-9223372036854775808"},
      {"bigint", "9223372036854775808", "1264"},
      {"bigint unsigned", "18446744073709551615", "18446744073709551615"},
      {"bigint unsigned", "18446744073709551616", "1264"},
      {"int(5) zerofill", "12", "00012"},
      {"bool", "true", "1366"},
      {"bool", "200", "1264"},
      {"decimal(5,2)", "1.005", "1.01"},
      {"decimal(5,2)", "999.995", "1264"},
      {"decimal(5,2)", "999.994", "999.99"},
      {"decimal(5,2)", "abc", "1366"},
      {"decimal(5,2)", "1x", "1265"},
      {"decimal(5,2)", "1e2", "100.00"},
      {"decimal(5,2)", " 1.5 ", "1.50"},
      {"decimal(5,2)", "-0.001", "0.00"},
      {"decimal(5,2) unsigned", "-1", "1264"},
      {"decimal(65,30)", "12345678901234567890.123456789012345678901234567890",
       "12345678901234567890.123456789012345678901234567890"},
      {"float", "1.1", "1.1"},
      {"float", "1e39", "1264"},
      {"double", "1e309", "1264"},
      {"double", "1e-400", "0"},
      {"double", "0.1", "0.1"},
      {"double", "1e15", "1e15"},
      {"double(10,2)", "1.005", "1.00"},
      {"double", "1abc", "1265"},
      {"char(3)", "abcd", "1406"},
      {"char(3)", "abc  ", "abc"},
      {"char(3)", "a  ", "a"},
      {"varchar(3)", "abcd", "1406"},
      {"varchar(3)", "abc  ", "abc"},
      {"varchar(3)", "a  ", "a  "},
      {"varchar(3)", "äöü", "äöü"},
      {"varchar(3)", "äöüx", "1406"},
      {"tinytext", long_text, "1406"},
      {"datetime(3)", "2026-01-02 03:04:05.6789", "2026-01-02 03:04:05.678"},
      {"datetime", "2026-01-02", "2026-01-02 00:00:00"},
      {"datetime", "2026-1-2 3:4", "2026-01-02 03:04:00"},
      {"datetime", "2026-01-02T03:04:05", "2026-01-02 03:04:05"},
      {"datetime", "20260102030405", "2026-01-02 03:04:05"},
      {"datetime", "260102", "2026-01-02 00:00:00"},
      {"datetime", "99-1-2", "1999-01-02 00:00:00"},
      {"datetime", "2026/01/02 03.04.05", "2026-01-02 03:04:05"},
      {"datetime", "2026-01-02 ", "2026-01-02 00:00:00"},
      {"datetime", "2026-01-02 03:04:05+01:00", "2026-01-02 02:04:05"},
      {"datetime", "2026-02-30", "1292"},
      {"datetime", "abc", "1292"},
      {"datetime", "", "1292"},
      {"datetime", "2026-01-02T03:04:05Z", "1292"},
      {"datetime", "0000-00-00", "1292"},
      {"datetime", "2026-00-01", "1292"},
      {"datetime", "2026-01-02 24:00:00", "1292"},
      {"datetime", "2026-01-02 03:04:05 x", "1292"},
      {"timestamp", "1960-01-01", "1292"},
      {"timestamp", "2039-01-01", "1292"},
      {"date", "2026-01-02 03:04:05", "2026-01-02"},
      {"date", "9999-12-32", "1292"},
      {"time(2)", "1:2:3.456", "01:02:03.45"},
      {"time", "10:11", "10:11:00"},
      {"time", "123", "00:01:23"},
      {"time", "-1 2:3:4", "-26:03:04"},
      {"time", "900:00:00", "1292"},
      {"time", "1 2", "1292"},
      {"time", "10:61:00", "1292"},
      {"time", "2026-01-02 03:04:05", "03:04:05"},
      {"enum('a','b','2')", "a", "a"},
      {"enum('a','b','2')", "A", "1265"},
      {"enum('a','b','2')", "2", "2"},
      {"enum('a','b','2')", "1", "a"},
      {"enum('a','b','2')", "b ", "b"},
      {"enum('a','b','2')", "4", "1265"},
      {"enum('a','b','2')", "", "1265"},
      {"set('x','y')", "y,x,y", "x,y"},
      {"set('x','y')", "z", "1265"},
      {"json", R"({"a": [1, "\u00e4", -1.5e3, {}, [], null]})", R"({"a": [1, "\u00e4", -1.5e3, {}, [], null]})"},
      {"json", "{a:1}", "3140"},
      {"json", "", "3140"},
      {"json", "[1,]", "3140"},
      {"json", "01", "3140"},
      {"year", "2026", "2026"},
      {"year", "26", "2026"},
      {"year", "0", "0000"},
      {"year", "1900", "1264"},
      {"year", "x", "1366"},
      {"bit(4)", "5", "5"},
      {"bit(4)", "16", "1406"},
      {"varbinary(3)", "0xff", "0xff"},
      {"varbinary(3)", "abc", "0x616263"},
      {"varbinary(3)", "abcd", "1406"},
      {"varbinary(3)", "0xABcd", "0xabcd"},
      {"varbinary(3)", "0x4", "0x307834"},
      {"binary(4)", "xy", "0x78790000"},
      {"binary", "0x4142", "1406"},
      {"blob", "", "0x"},
      {"blob", "0xzz", "0x30787a7a"},
  };
  for (const auto& [type, input, expected] : examples) {
    CAPTURE(type);
    CAPTURE(input);
    CHECK(stored(type, input) == expected);
  }
}

TEST_CASE("stored value: results of expressions") {
  const std::vector<example> examples = {
      {"int", "1.5", "2"},
      {"int", "-2.5", "-3"},
      {"int", "25e-1", "2"},
      {"int", "35e-1", "4"},
      {"int", "null", "NULL"},
      {"int", "date'2026-01-02'", "20260102"},
      {"int", "time'10:11:12'", "101112"},
      {"bigint", "datetime(6)'2026-12-31 23:59:59.999999'", "20261231235959"},
      {"tinyint", "128", "1264"},
      {"decimal(5,2)", "1005e-3", "1.01"},
      {"varchar(4)", "1.50", "1.50"},
      {"varchar(3)", "12345", "1406"},
      {"datetime", "20260102", "2026-01-02 00:00:00"},
      {"datetime(3)", "20260102030405.5", "2026-01-02 03:04:05.500"},
      {"datetime", "time'10:00'", "2026-01-02 10:00:00"},
      {"date", "datetime'2026-01-02 03:04:05'", "2026-01-02"},
      {"time", "101112", "10:11:12"},
      {"year", "0", "0000"},
      {"enum('a','b','2')", "2", "b"},
      {"enum('a','b','2')", "0", "1265"},
  };
  for (const auto& [type, input, expected] : examples) {
    CAPTURE(type);
    CAPTURE(input);
    CHECK(stored_result(type, input) == expected);
  }
}

TEST_CASE("stored value: what is stored means itself again") {
  const std::vector<example> examples = {
      {"int", "-5", "-5"},
      {"bigint unsigned", "18446744073709551615", "18446744073709551615"},
      {"decimal(10,2)", "-1.50", "-1.50"},
      {"decimal(65,5)", "123456789012345678901234567890.12345", "123456789012345678901234567890.12345"},
      {"double", "0.1", "0.1"},
      {"datetime(3)", "2026-01-02 03:04:05.678", "2026-01-02 03:04:05.678"},
      {"date", "0001-01-01", "0001-01-01"},
      {"time", "-838:59:59", "-838:59:59"},
      {"enum('a')", "a", "a"},
      {"date", "0000-00-00", "0000-00-00"},
  };
  for (const auto& [type, input, expected] : examples) {
    CAPTURE(type);
    bench_evaluation bench;
    const column_type t = type_of(type);
    CHECK(shown_datum(bench.e, datum_of(bench.e, t, input)) == expected);
  }
}

TEST_CASE("stored value: messages are MySQL's") {
  const auto message = [](std::string_view type, std::string_view text) {
    bench_evaluation bench;
    const column_type t = type_of(type);
    (void)canonical_text(bench.e, t, text, {"t", "c"});
    return bench.e.failure()->message;
  };
  CHECK(message("int", "x") == "Incorrect integer value: 'x' for column `t`.`c` at row 1");
  CHECK(message("int", "99999999999") == "Out of range value for column 'c' at row 1");
  CHECK(message("varchar(1)", "ab") == "Data too long for column 'c' at row 1");
  CHECK(message("datetime", "x") == "Incorrect datetime value: 'x' for column `t`.`c` at row 1");
  CHECK(message("enum('a')", "x") == "Data truncated for column 'c' at row 1");
}
