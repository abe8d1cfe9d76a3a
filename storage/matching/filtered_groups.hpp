#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "storage/matching/column_list.hpp"
#include "storage/matching/filtered_group.hpp"
#include "storage/matching/match_budget.hpp"
#include "storage/matching/predicate_index.hpp"
#include "storage/outcome.hpp"
#include "storage/row.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::matching {

/// The groups of subscriptions of one table that have any predicate or a column list: each once, however many
/// subscriptions it has, bound to the columns that the table has.
class filtered_groups {
 public:
  explicit filtered_groups(const table& of);
  filtered_groups(const filtered_groups&) = delete;
  filtered_groups& operator=(const filtered_groups&) = delete;

  /// The group of a predicate and a column list, made when there is none. `filter`: nullptr: every row matches; else
  /// `canonical_text` is the same for all that say the same. `columns`: names; nothing: all columns.
  [[nodiscard]] filtered_group& group_of(std::unique_ptr<row_filter> filter, std::string_view canonical_text,
                                         std::optional<std::span<const std::string_view>> columns);
  /// Nobody is in the group any more.
  void drop(filtered_group& g);

  [[nodiscard]] bool empty() const { return groups_.empty(); }

  /// The table has got a column.
  void column_added(std::string_view name);
  // A column is about to go, and has gone.
  void column_leaves(column_index column);
  void column_left();
  /// The groups whose filters read a column, in the order in which they were made.
  [[nodiscard]] std::vector<filtered_group*> readers_of(column_index column) const;
  /// Columns, or types of columns, are others than before.
  void columns_changed();
  /// The table is another one from now on; columns_changed() has to follow.
  void move_to(const table& t);

  // What a statement's changes mean. `now_us` is its time; the budget is at the row.

  /// The groups that a row matches. Valid until the next call.
  [[nodiscard]] std::span<filtered_group* const> matching(row_view row, std::int64_t now_us, match_budget& budget);

  /// The groups that an updated row leaves, enters and stays in. Valid until the next call.
  struct movement {
    std::span<filtered_group* const> left;
    std::span<filtered_group* const> entered;
    std::span<filtered_group* const> stayed;
  };
  [[nodiscard]] movement move(row_view before, row_view after, std::span<const column_index> assigned,
                              std::int64_t now_us, match_budget& budget);

 private:
  /// A set of groups, looked up by their keys.
  struct hash_of_key {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return text_hash()(key); }
    std::size_t operator()(const std::unique_ptr<filtered_group>& g) const { return text_hash()(g->key); }
  };
  struct same_key {
    using is_transparent = void;
    bool operator()(const std::unique_ptr<filtered_group>& a, const std::unique_ptr<filtered_group>& b) const {
      return a->key == b->key;
    }
    bool operator()(const std::unique_ptr<filtered_group>& a, std::string_view key) const { return a->key == key; }
  };

  void bind(filtered_group& g);
  void enter(filtered_group& g);
  void leave(filtered_group& g);
  column_list& list_of(std::span<const std::string_view> columns);
  void drop_list(column_list& list);
  [[nodiscard]] bool may_move(row_view before, row_view after, std::span<const column_index> assigned) const;

  const table* table_;
  std::uint64_t groups_made_ = 0;
  absl::flat_hash_set<std::unique_ptr<filtered_group>, hash_of_key, same_key> groups_;
  text_map<std::unique_ptr<column_list>> lists_;            // by their names
  text_map<absl::flat_hash_set<filtered_group*>> waiting_;  // by the name of a column that is not there
  std::vector<std::size_t> readers_;                        // groups that read a column, by column
  predicate_index index_;
  std::vector<filtered_group*> unbound_;  // whose column is going

  std::uint64_t changes_ = 0;
  std::vector<filtered_group*> before_;
  std::vector<filtered_group*> after_;
  std::vector<filtered_group*> stayed_;
};

}  // namespace pubsubsql::storage::matching
