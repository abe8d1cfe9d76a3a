#include "storage/durable/history_coding.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::storage;
using namespace pubsubsql::storage::durable;

namespace {

std::string encoded(row_position position, const std::vector<value>& values) {
  std::string out;
  encode_row(position, values, out);
  return out;
}

struct example {
  std::string before = encoded(7, {std::nullopt, "a", std::nullopt, "c"});
  std::string after = encoded(7, {std::nullopt, "a", "b"});
  std::array<column_index, 2> assigned = {2, 3};
  past_change change{.sequence = 41,
                     .time_us = 42,
                     .kind = change_kind::update_row,
                     .columns = 4,
                     .before = row_view(before.data()),
                     .after = row_view(after.data()),
                     .assigned = assigned};
};

}  // namespace

TEST_CASE("history coding: what is put is taken back") {
  const example e;
  std::string bytes;
  put_head(bytes, {.sequence = 1, .begins_after = 2, .rows = {3, 4}, .columns = {"a", "", "c"}});
  put_change(bytes, e.change);
  put_change(bytes, {.sequence = 43, .time_us = 44, .kind = change_kind::add_column, .columns = 5});
  byte_reader in(bytes);
  const history_head head = take_head(in);
  CHECK(head.sequence == 1);
  CHECK(head.begins_after == 2);
  CHECK(head.rows == row_sum(3, 4));
  CHECK(head.columns == std::vector<std::string>{"a", "", "c"});
  std::vector<column_index> assigned;
  const past_change c = take_change(in, 5, assigned);
  CHECK(in.good());
  CHECK(c.sequence == e.change.sequence);
  CHECK(c.time_us == e.change.time_us);
  CHECK(c.kind == e.change.kind);
  CHECK(c.before.bytes() == e.before);
  CHECK(c.after.bytes() == e.after);
  CHECK(std::ranges::equal(c.assigned, e.assigned));
  CHECK(take_change(in, 5, assigned).kind == change_kind::add_column);
  CHECK(in.good());
  CHECK(in.at_end());
}

TEST_CASE("history coding: what is damaged is no change") {
  const example e;
  std::string bytes;
  put_change(bytes, e.change);
  std::vector<column_index> assigned;
  const auto is_good = [&](std::string_view damaged, std::size_t columns = 4) {
    byte_reader in(damaged);
    static_cast<void>(take_change(in, columns, assigned));
    return in.good();
  };
  CHECK(is_good(bytes));
  CHECK_FALSE(is_good(bytes, 3));  // of another table
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(is_good(bytes.substr(0, size)));
  // Whatever else a byte may be, nothing is read that is not there: a sanitizer would say so.
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const char other : {'\0', '\x7f', '\xff'}) {
      std::string damaged = bytes;
      damaged[at] = other;
      static_cast<void>(is_good(damaged));
    }
  }
}

TEST_CASE("history coding: a sum tells other rows") {
  const auto sum = [](const std::vector<std::pair<row_position, std::vector<value>>>& rows) {
    row_sum s;
    for (const auto& [position, values] : rows) s.add(position, values);
    return s;
  };
  const row_sum s = sum({{1, {std::nullopt, "a", "b"}}, {2, {std::nullopt, "c"}}});
  CHECK(s == sum({{2, {std::nullopt, "c", std::nullopt}}, {1, {std::nullopt, "a", "b"}}}));
  CHECK_FALSE(s == sum({{1, {std::nullopt, "ab", ""}}, {2, {std::nullopt, "c"}}}));
  CHECK_FALSE(s == sum({{1, {std::nullopt, "a", "b"}}, {3, {std::nullopt, "c"}}}));
  CHECK_FALSE(s == sum({{1, {std::nullopt, "a", "b"}}, {2, {std::nullopt, std::nullopt, "c"}}}));
  CHECK_FALSE(s == sum({{1, {std::nullopt, "a", "b"}}}));
}
