#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>
#include <vector>

#include "storage/outcome.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

/// What one statement did to its table, step by step: the way back when it fails, and when it succeeds the change
/// stream for stores and the source of its events.
///
/// Lives in the executor and is reused; everything it hands out is valid until begin().
class statement_log {
 public:
  /// Forgets the statement before.
  void begin();

  /// `declared`: what it was declared to be; nullptr: it grows on first use. Must stay valid until begin().
  void created(table& t, const table_description* declared = nullptr);
  /// The table, which has no rows any more, goes.
  void dropped(table& t);
  /// `facts` must stay valid until begin().
  column_index add_column(table& t, std::string_view name, const column_facts* facts = nullptr);
  void drop_column(table& t, column_index column);
  /// Returns what table::add_index() returns; nothing is logged when it fails.
  std::optional<std::string_view> add_index(table& t, column_index column, index_kind kind);
  /// Returns what table::add_ordered_index() returns; nothing is logged when it fails.
  std::optional<std::string> add_ordered_index(table& t, index_description description);
  /// REQUIRES: `index` is one of the table's.
  void drop_ordered_index(table& t, const ordered_index& index);
  /// Returns what is wrong with its predicate, if anything; nothing is logged then.
  std::optional<error> add_binding(table& t, binding b);
  /// REQUIRES: the table has a binding at this place.
  void drop_binding(table& t, std::size_t place);
  void add_subscription(table& t, subscription_description s);
  /// REQUIRES: the table has one of that name.
  void drop_subscription(table& t, std::string_view name);
  /// The same.
  void acknowledge(table& t, std::string_view name, std::uint64_t position);
  void set_ack(table& t, std::optional<parser::ack_mode> ack);
  void set_history(table& t, const std::optional<parser::history_setting>& setting);
  // `assigned` must stay valid until begin().
  void insert(table& t, parser::queue_end end, std::span<const value> values, std::span<const column_index> assigned);
  /// With the position that a database outside gave it.
  void insert_at(table& t, row_position position, std::span<const value> values,
                 std::span<const column_index> assigned);
  void update(table& t, row_number row, std::span<const value> values, std::span<const column_index> assigned);
  void erase(table& t, row_number row);

  /// Takes every step back, last first. Returns whether the table itself was created and has to go.
  bool undo();
  /// The same for the steps of an earlier statement, or copies of them. REQUIRES: what came later has been undone.
  static bool undo(table& t, std::span<const change> changes);

  /// The table that was changed, or nullptr.
  [[nodiscard]] table* about() const { return table_; }

  [[nodiscard]] std::span<const change> changes() const { return changes_; }

  /// Changes that follow come of this row of the statement, see change::input_row.
  void come_of(std::uint32_t input_row) { input_row_ = input_row; }

  /// Whether it keeps so much that begin() should not wait for the next statement.
  [[nodiscard]] bool is_large() const { return kept_bytes_ > large_bytes; }

 private:
  change& append(table& t, change_kind kind);
  /// A copy of the row that outlives changes of the table.
  row_view keep(row_view row);
  void describe(change& c, const index_description& index);
  void describe(change& c, std::size_t place, const binding_description& b);
  [[nodiscard]] std::string_view keep(const std::string& text);
  static void undo(table& t, const change& c);

  static constexpr std::size_t large_bytes = std::size_t{1} << 20;

  table* table_ = nullptr;
  std::vector<change> changes_;
  std::uint32_t input_row_ = 0;
  std::size_t kept_bytes_ = 0;  // of copied rows
  std::byte inline_[4096];
  std::pmr::monotonic_buffer_resource copies_{inline_, sizeof inline_};
  std::unique_ptr<table_description> dropped_;  // what the table was
  history_change history_;                      // of set_history; a statement has one
};

}  // namespace pubsubsql::storage
