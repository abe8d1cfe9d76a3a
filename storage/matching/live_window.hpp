#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include "storage/matching/column_list.hpp"
#include "storage/matching/live_query.hpp"

namespace pubsubsql::storage::matching {

/// The first rows of a table in an order; rows that are equal there come in the table's order.
///
/// Invariants:
///  1. Every row that matches is in exactly one of inside_ and outside_, under the key that its values have.
///  2. What is inside comes before what is outside.
///  3. Inside are as many rows as the limit allows and there are.
class live_window final : public live_query {
 public:
  /// Returns what is wrong with the statement, if anything. `columns`: names of those listed, without `id` where that
  /// is shown; nothing: all. `filter_text` is the same for filters that are the same.
  [[nodiscard]] static std::optional<error> make(const parser::subscribe_statement& s, const table& t,
                                                 std::unique_ptr<row_filter> filter, std::string_view filter_text,
                                                 std::optional<std::span<const std::string_view>> columns,
                                                 std::unique_ptr<live_query>& out);

  void clear() override;
  void change(const row_change& c, std::int64_t now_us, sql::work_budget& budget) override;
  void settle(sql::work_budget&) override { moved_.clear(); }
  void tell(const statement_result& result, sql::work_budget& budget, std::vector<event>& out) override;
  void show(std::vector<row_view>& out) const override;
  [[nodiscard]] std::span<const column_index> columns() const override;

 private:
  using live_query::live_query;

  struct place {
    std::string key;
    row_position position = 0;
    auto operator<=>(const place&) const = default;
  };
  struct sort_key {
    sql::bound_expression value;
    bool descending = false;
  };
  /// Whether a row was inside when subscribers were told last, and is now.
  struct movement {
    bool was = false;
    bool is = false;
  };

  std::optional<error> bind_statement(const parser::subscribe_statement& s, const table& t,
                                      bool unknown_is_null) override;
  [[nodiscard]] place place_of(row_view row, std::int64_t now_us, sql::work_budget& budget) const;
  void put(place p);
  /// Returns whether it was there.
  bool take(const place& p);
  void put_inside(place p);
  void fill();
  [[nodiscard]] row_view row_at(row_position position) const;
  void send_update(const statement_result& result, row_view before, row_view after, std::vector<event>& out);

  const table* table_ = nullptr;
  std::uint64_t limit_ = 0;
  std::vector<sort_key> order_;
  std::unique_ptr<column_list> list_;  // nullptr: all columns
  absl::btree_set<place> inside_;
  absl::btree_set<place> outside_;
  absl::flat_hash_map<row_position, movement> moved_;
};

}  // namespace pubsubsql::storage::matching
