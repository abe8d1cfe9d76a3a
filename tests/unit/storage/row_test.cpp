#include "storage/row.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::storage;

namespace {

std::string encoded(row_position position, const std::vector<value>& values) {
  std::string out;
  encode_row(position, values, out);
  return out;
}

}  // namespace

TEST_CASE("row: what is encoded is read back") {
  const std::string long_text(300, 'x');
  const std::string huge_text(70'000, 'y');
  const std::vector<std::vector<value>> rows = {
      {std::nullopt},
      {std::nullopt, "a"},
      {std::nullopt, ""},
      {std::nullopt, std::nullopt, "b"},
      {std::nullopt, long_text, std::nullopt, "", huge_text, "tail"},
      {std::nullopt, std::string_view("\0x", 2)},
  };
  for (const auto& values : rows) {
    const std::string bytes = encoded(7, values);
    CHECK(bytes.size() == encoded_row_bytes(values));
    const row_view row(bytes.data());
    CHECK(row.position() == 7);
    CHECK(row.size() == bytes.size());
    CHECK(row.used_size() == bytes.size());
    row_view::cursor cursor(row);
    for (column_index column = 1; column < values.size(); ++column) {
      CHECK(row.at(column) == values[column]);
      CHECK(cursor.at(column) == values[column]);
    }
    CHECK(row.at(static_cast<column_index>(values.size())) == std::nullopt);
    CHECK(row.at(1000) == std::nullopt);
  }
}

TEST_CASE("row: a cursor may leave columns out") {
  const std::string bytes = encoded(0, {std::nullopt, "a", "bb", std::nullopt, "dddd"});
  row_view::cursor cursor{row_view(bytes.data())};
  CHECK(cursor.at(2) == value("bb"));
  CHECK(cursor.at(4) == value("dddd"));
  CHECK(cursor.at(5) == std::nullopt);
}

TEST_CASE("row: trailing NULLs take no space") {
  CHECK(encoded(0, {std::nullopt, "a", std::nullopt, std::nullopt}).size() == encoded(0, {std::nullopt, "a"}).size());
}

TEST_CASE("row: positions tell ids and ends") {
  CHECK(id_of(back_position(0)) == 0);
  CHECK(id_of(back_position(41)) == 41);
  CHECK(id_of(front_position(0)) == 0);
  CHECK(id_of(front_position(41)) == 41);
  CHECK(front_position(41) < front_position(40));
  CHECK(front_position(0) < back_position(0));
}
