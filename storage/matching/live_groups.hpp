#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "storage/matching/live_aggregate.hpp"
#include "storage/matching/live_query.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::matching {

/// The groups of a table's rows with their aggregates. What they show is computed from the group's columns and
/// aggregates, `group by` first. Without a `group by` there is one group, with or without rows.
class live_groups final : public live_query {
 public:
  /// Returns what is wrong with the statement, if anything. `filter_text` is the same for filters that are the same.
  [[nodiscard]] static std::optional<error> make(const parser::subscribe_statement& s, const table& t,
                                                 std::unique_ptr<row_filter> filter, std::string_view filter_text,
                                                 std::unique_ptr<live_query>& out);

  void clear() override;
  void change(const row_change& c, std::int64_t now_us, sql::work_budget& budget) override;
  void settle(sql::work_budget& budget) override;
  void tell(const statement_result& result, sql::work_budget& budget, std::vector<event>& out) override;
  void show(std::vector<row_view>& out) const override;
  [[nodiscard]] std::span<const column_index> columns() const override { return columns_; }
  [[nodiscard]] std::span<const std::string_view> titles() const override { return title_views_; }

 private:
  using live_query::live_query;

  struct group {
    std::uint64_t number = 0;  // rises from group to group as they appear
    std::string key;
    std::uint64_t rows = 0;
    std::string sample;  // a row of it, where the group's expressions can be read
    std::vector<live_aggregate> aggregates;
    std::string told;  // the row that subscribers know; empty: none
    bool touched = false;
  };
  struct hash_of_key {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return text_hash()(key); }
    std::size_t operator()(const std::unique_ptr<group>& g) const { return text_hash()(g->key); }
  };
  struct same_key {
    using is_transparent = void;
    bool operator()(const std::unique_ptr<group>& a, const std::unique_ptr<group>& b) const { return a->key == b->key; }
    bool operator()(const std::unique_ptr<group>& a, std::string_view key) const { return a->key == key; }
  };

  std::optional<error> bind_statement(const parser::subscribe_statement& s, const table& t,
                                      bool unknown_is_null) override;
  void find_columns_read();
  [[nodiscard]] bool is_member(row_position position, row_view before, std::int64_t now_us,
                               sql::work_budget& budget) const;
  void add(row_view row, sql::evaluation& e);
  void remove(row_view row, sql::evaluation& e);
  [[nodiscard]] std::string_view key_of(row_view row, sql::evaluation& e);
  group& group_at(std::string_view key);
  void touch(group& g);
  void reset(group& g) const;
  [[nodiscard]] std::string sample_of(row_view row) const;
  [[nodiscard]] std::string compute(const group& g, sql::work_budget& budget) const;
  void sort_touched();

  std::vector<sql::bound_expression> by_;
  std::vector<sql::bound_expression> shown_;
  std::vector<sql::aggregate_call> aggregates_;
  std::vector<column_index> columns_read_;    // of rows, beside those of the filter
  std::vector<column_index> columns_sample_;  // of them, those that the shown expressions read
  std::vector<std::string> titles_;
  std::vector<std::string_view> title_views_;
  std::vector<column_index> columns_;  // from 1 on, one for each title

  absl::flat_hash_set<std::unique_ptr<group>, hash_of_key, same_key> groups_;
  std::uint64_t groups_made_ = 0;
  std::vector<group*> touched_;
  absl::flat_hash_set<row_position> members_;  // only where the filter depends on the time
  std::deque<std::string> gone_;               // rows of groups that the last events removed
  std::string key_bytes_;                      // scratch
};

}  // namespace pubsubsql::storage::matching
