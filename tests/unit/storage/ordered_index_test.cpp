#include "storage/ordered_index.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::storage;
namespace parser = pubsubsql::parser;

namespace {

using texts = std::vector<std::optional<std::string>>;

std::string key_of(const std::optional<std::string>& text) {
  std::string key;
  sql::append_order_key(key, nullptr, text ? value{*text} : value{});
  return key;
}

/// Rows of three columns in a heap, and what an index over them has to give, found by sorting.
class indexed_rows {
 public:
  explicit indexed_rows(std::vector<column_index> columns, parser::index_type type = parser::index_type::plain)
      : columns_(std::move(columns)),
        index_(heap_, {.name = "i", .columns = columns_, .type = type},
               std::vector<const sql::column_type*>(columns_.size())) {}

  row_number add(row_position position, const texts& row) {
    const row_number number = heap_.insert(encode(position, row));
    rows_[number] = {position, row};
    index_.insert(number);
    return number;
  }
  void replace(row_number number, const texts& row) {
    index_.erase(number);
    heap_.replace(number, encode(rows_[number].first, row));
    rows_[number].second = row;
    index_.insert(number);
  }
  void remove(row_number number) {
    index_.erase(number);
    heap_.erase(number);
    rows_.erase(number);
  }
  row_number any(std::mt19937& random) const {
    return std::next(rows_.begin(), static_cast<std::ptrdiff_t>(random() % rows_.size()))->first;
  }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] const ordered_index& index() const { return index_; }
  [[nodiscard]] ordered_index& index() { return index_; }
  [[nodiscard]] const row_heap& heap() const { return heap_; }
  [[nodiscard]] std::vector<row_number> numbers() const {
    std::vector<row_number> all;
    for (const auto& [number, row] : rows_) all.push_back(number);
    return all;
  }

  [[nodiscard]] std::string key(row_number number, std::size_t columns) const {
    std::string key;
    for (std::size_t i = 0; i < columns; ++i) key += key_of(rows_.at(number).second[columns_[i] - 1]);
    return key;
  }

  [[nodiscard]] std::vector<row_number> expected(const key_range& range, std::size_t columns, bool descending) const {
    std::vector<row_number> out;
    for (const auto& [number, row] : rows_) {
      const std::string k = key(number, columns_.size());
      if (k >= range.first && (range.last.empty() || k < range.last)) out.push_back(number);
    }
    std::ranges::sort(out, [&](row_number a, row_number b) {
      const int order = key(a, columns).compare(key(b, columns));
      if (order != 0) return descending ? order > 0 : order < 0;
      return rows_.at(a).first < rows_.at(b).first;
    });
    return out;
  }
  [[nodiscard]] std::vector<row_number> found(const key_range& range, std::size_t columns, bool descending) const {
    std::vector<row_number> out;
    const auto take = [&](row_number row) {
      out.push_back(row);
      return true;
    };
    CHECK(index_.visit_ordered(range, columns, descending, take));
    return out;
  }

 private:
  std::string encode(row_position position, const texts& row) {
    std::vector<value> values(1);
    for (const auto& text : row) values.push_back(text ? value{*text} : value{});
    std::string bytes;
    encode_row(position, values, bytes);
    return bytes;
  }

  row_heap heap_;
  std::map<row_number, std::pair<row_position, texts>> rows_;
  std::vector<column_index> columns_;
  ordered_index index_;
};

std::optional<std::string> any_text(std::mt19937& random) {
  static const char* const some[] = {
      "",   "a", "ab", "b",    "common-prefix-1", "common-prefix-2", "1.0", "1e0",  "-0", "0", "-7", "12345678901",
      "+5", "5", "1x", "\xff", "\xff\xff",        "9.99999999",      "10",  "zebra"};
  const auto dice = random() % 10;
  if (dice == 0) return std::nullopt;
  if (dice < 4) return std::to_string(static_cast<int>(random() % 40) - 20);
  if (dice == 4) return std::string(random() % 3, '\0');
  return some[random() % std::size(some)];
}

texts any_row(std::mt19937& random) {
  return {any_text(random), any_text(random), any_text(random)};
}

key_range any_range(const indexed_rows& rows, std::mt19937& random, std::size_t columns) {
  const auto bound = [&]() -> std::string {
    if (random() % 4 == 0) return {};
    std::string key;
    const std::size_t parts = 1 + random() % columns;
    if (rows.size() > 0 && random() % 2 == 0) {
      key = rows.key(rows.any(random), parts);
    } else {
      for (std::size_t i = 0; i < parts; ++i) key += key_of(any_text(random));
    }
    return random() % 2 == 0 ? key : after_prefix(key);
  };
  key_range range{.first = bound(), .last = bound()};
  if (!range.last.empty() && range.last < range.first) std::swap(range.first, range.last);
  return range;
}

}  // namespace

TEST_CASE("ordered index: gives what sorting gives, over random changes") {
  for (const std::vector<column_index>& columns :
       {std::vector<column_index>{1}, std::vector<column_index>{2, 1}, std::vector<column_index>{1, 3, 2}}) {
    std::mt19937 random(static_cast<unsigned>(columns.size()));
    indexed_rows rows(columns);
    row_position back = 0;
    row_position front = -1;
    for (int step = 0; step < 3000; ++step) {
      const auto dice = random() % 10;
      if (rows.size() == 0 || dice < 4) {
        rows.add(dice % 2 == 0 ? back++ : front--, any_row(random));
      } else if (dice < 7) {
        rows.replace(rows.any(random), any_row(random));
      } else if (rows.size() > 100 || dice == 9) {
        rows.remove(rows.any(random));
      }
      if (step % 10 != 0) continue;
      const key_range range = any_range(rows, random, columns.size());
      for (std::size_t first = 1; first <= columns.size(); ++first) {
        REQUIRE(rows.found(range, first, false) == rows.expected(range, first, false));
        REQUIRE(rows.found(range, first, true) == rows.expected(range, first, true));
      }
      const std::size_t count = rows.expected(range, 1, false).size();
      REQUIRE(rows.index().count(range, SIZE_MAX) == count);
      REQUIRE(rows.index().count(range, 3) == std::min<std::size_t>(count, 3));
    }
  }
}

TEST_CASE("ordered index: reading ends when it is told to") {
  indexed_rows rows({1});
  for (int i = 0; i < 100; ++i) rows.add(i, {std::to_string(i % 10), "x", "x"});
  for (const bool descending : {false, true}) {
    std::vector<std::string> seen;
    const auto take = [&](row_number row) {
      seen.emplace_back(*rows.heap().get(row).at(1));
      return seen.size() < 12;
    };
    CHECK_FALSE(rows.index().visit_ordered({}, 1, descending, take));
    CHECK(seen.size() == 12);
    CHECK(seen.front() == (descending ? "9" : "0"));
    CHECK(seen.back() == (descending ? "8" : "1"));
  }
}

TEST_CASE("ordered index: building at once is inserting one by one") {
  std::mt19937 random(5);
  indexed_rows rows({2, 3});
  for (int i = 0; i < 2000; ++i) rows.add(i, any_row(random));
  const std::vector<row_number> all = rows.found({}, 2, false);
  ordered_index built(rows.heap(), rows.index().description(), {nullptr, nullptr});
  CHECK_FALSE(built.build(rows.numbers()));
  std::vector<row_number> found;
  built.visit({}, [&](row_number row) {
    found.push_back(row);
    return true;
  });
  CHECK(found == all);
}

TEST_CASE("ordered index: unique") {
  indexed_rows rows({1, 2}, parser::index_type::unique);
  const row_number first = rows.add(0, {"a", "1", {}});
  rows.add(1, {"a", "2", {}});
  rows.add(2, {"a", {}, {}});
  rows.add(3, {"a", {}, {}});
  const auto holder = [&](value a, value b) { return rows.index().find_holder(std::vector<value>{{}, a, b, {}}); };
  CHECK(holder("a", "1") == first);
  CHECK_FALSE(holder("a", "1.0"));
  CHECK_FALSE(holder("a", std::nullopt));
  CHECK_FALSE(holder("b", "1"));
  CHECK(rows.index().show_values(std::vector<value>{{}, "a", "1", {}}) == "a-1");

  indexed_rows repeating({1, 2});
  for (int i = 0; i < 50; ++i) repeating.add(i, {"same prefix for all", std::to_string(i), {}});
  const row_number twice = repeating.add(50, {"same prefix for all", "25", {}});
  repeating.add(51, {"same prefix for all", "25.0", {}});
  ordered_index built(repeating.heap(), {.name = "u", .columns = {1, 2}, .type = parser::index_type::unique},
                      {nullptr, nullptr});
  CHECK(built.build(repeating.numbers()) == twice);
}
