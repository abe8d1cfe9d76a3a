#include "tools/bench/number_table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace bench {

namespace {

/// Statements made at a time: what they take while the server reads them is no more than some megabytes.
constexpr std::uint64_t rows_a_script = 100'000;

std::string five_digits(std::uint64_t number) {
  return std::to_string(10'000 + number % 90'000);
}

}  // namespace

std::string number_table::key(std::uint64_t row) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "key%09llu", static_cast<unsigned long long>(row));
  return text.data();
}

void number_table::make(framed_client& c) const {
  c.ask("key " + name_ + " k");
  c.ask("tag " + name_ + " g");
}

script number_table::inserts(std::uint64_t first, std::uint64_t rows, std::uint64_t rows_a_statement) const {
  const std::string begin = "stream insert into " + name_ + " (k, g, a, b) values ";
  const std::uint64_t end = first + rows;
  script s;
  while (first < end) {
    std::string statement = begin;
    const std::uint64_t statement_end = std::min(end, first + rows_a_statement);
    for (std::uint64_t i = first; i < statement_end; ++i) {
      if (i > first) statement += ", ";
      statement +=
          "(" + key(i) + ", tag" + std::to_string(i % 100) + ", " + five_digits(i) + ", " + five_digits(i * 7) + ")";
    }
    s.add(statement);
    first = statement_end;
  }
  s.add(barrier());
  return s;
}

void number_table::fill(framed_client& c, std::uint64_t rows) const {
  for (std::uint64_t first = 0; first < rows; first += rows_a_script) {
    c.run(inserts(first, std::min(rows_a_script, rows - first)));
  }
}

std::string number_table::update(std::uint64_t row, std::uint64_t value) const {
  return "update " + name_ + " set a = " + five_digits(value) + " where k = " + key(row);
}

}  // namespace bench
