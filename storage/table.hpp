#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "parser/ast.hpp"
#include "storage/change_history.hpp"
#include "storage/named_subscriptions.hpp"
#include "storage/ordered_index.hpp"
#include "storage/outcome.hpp"
#include "storage/queue_index.hpp"
#include "storage/row.hpp"
#include "storage/row_directory.hpp"
#include "storage/row_heap.hpp"
#include "storage/sql/bound_expression.hpp"
#include "storage/subscriptions.hpp"
#include "storage/table_bindings.hpp"
#include "storage/table_description.hpp"
#include "storage/tag_index.hpp"
#include "storage/text_hash.hpp"
#include "storage/unique_index.hpp"

namespace pubsubsql::storage {

/// One table: columns, rows in order, indexes and subscriptions. Made and changed by its database only, which checks
/// what a statement may do; the changing functions here just keep rows, indexes and subscriptions in step.
///
/// Invariants:
///  1. Column 0 is `id`. Columns are only ever added at the end, and a dropped one keeps its place, so an index
///     stays good once given.
///  2. Every row is in the heap and in the directory under its position, and in the index of each indexed column for
///     which it has a value, and in every ordered index.
///  3. No two rows have the same value in a `key` column, nor the same values without a NULL in the columns of a unique
///     ordered index.
class table {
 public:
  explicit table(std::string_view name);
  /// A table without rows; load() brings them.
  explicit table(const table_description& d);
  table(const table&) = delete;
  table& operator=(const table&) = delete;

  [[nodiscard]] std::string_view name() const { return name_; }
  /// When changes of this table are acknowledged; nothing: as the server is set.
  [[nodiscard]] std::optional<parser::ack_mode> ack() const { return ack_; }
  /// Whether its latest changes are kept, and how many; nothing: nobody has asked for that.
  [[nodiscard]] const std::optional<parser::history_setting>& history_setting() const { return history_setting_; }
  /// The latest changes; nullptr: they are not kept. Valid until the setting changes.
  [[nodiscard]] const change_history* history() const { return history_.get(); }
  /// Whether `id` is one of the columns shown.
  [[nodiscard]] bool shows_id() const { return !all_columns_.empty() && all_columns_.front() == id_column; }
  /// Whether a database outside may give an inserted row its key, by which alone the row can be found there.
  [[nodiscard]] bool gets_keys_outside() const { return key_from_outside_.has_value(); }
  /// The column that it is in.
  [[nodiscard]] std::optional<column_index> key_from_outside() const { return key_from_outside_; }
  /// Why rows cannot be written; empty: they can.
  [[nodiscard]] std::string_view read_only_reason() const { return read_only_reason_; }

  /// What makes it a queue; nullptr: it is none.
  [[nodiscard]] const queue_index* queue() const { return queue_.get(); }
  [[nodiscard]] queue_index* queue() { return queue_.get(); }
  /// Whether stores have it, when there are any.
  [[nodiscard]] bool is_stored() const { return queue_ == nullptr || queue_->settings().durable; }
  /// Whether only the server's own statements write this column.
  [[nodiscard]] bool is_own(column_index column) const { return queue_ != nullptr && queue_->is_own(column); }

  // Columns

  [[nodiscard]] std::uint32_t column_count() const { return static_cast<std::uint32_t>(columns_.size()); }
  /// REQUIRES: column < column_count(). Valid as long as the column.
  [[nodiscard]] std::string_view column_name(column_index column) const { return columns_[column].name; }
  [[nodiscard]] std::optional<column_index> find_column(std::string_view name) const;
  /// What is known of a column that a database outside defined, or nullptr.
  [[nodiscard]] const column_facts* facts_of(column_index column) const { return columns_[column].facts.get(); }
  /// The type of a column, or nullptr: it has none.
  [[nodiscard]] const sql::column_type* type_of(column_index column) const { return columns_[column].type.get(); }
  /// Whether values of the column are equal when their texts are.
  [[nodiscard]] bool compares_texts(column_index column) const {
    return type_of(column) == nullptr || type_of(column)->is_text();
  }
  /// Whether any column has a type or a rule.
  [[nodiscard]] bool is_typed() const { return typed_; }
  /// Whether `create table` made it: then it has no other columns than those declared, and keeps their rules itself.
  [[nodiscard]] bool is_declared() const { return declared_; }
  /// Whether it has neither rows nor columns, so that it can still be declared: a subscriber may have named it.
  [[nodiscard]] bool is_bare() const {
    return column_count() == 1 && row_count() == 0 && !declared_ && read_only_reason_.empty();
  }
  /// Whether a row may have no value there; for a table of a database outside that one decides.
  [[nodiscard]] bool is_nullable(column_index column) const { return columns_[column].nullable; }
  /// What an insert that does not name the column writes there; nullptr: NULL, or, where that is not allowed, nothing.
  [[nodiscard]] const sql::bound_expression* default_of(column_index column) const {
    return columns_[column].default_value.get();
  }
  /// The column that counts by itself, where the engine does the counting.
  [[nodiscard]] std::optional<column_index> auto_increment_column() const { return auto_increment_column_; }
  /// Whether an insert may give the row its id.
  [[nodiscard]] bool takes_ids() const { return columns_.front().facts != nullptr; }
  /// Whether the column has been dropped: its place is all that is left.
  [[nodiscard]] bool is_dropped(column_index column) const { return columns_[column].dropped; }
  /// The columns that tell users which row it is: `id`, or else the primary key's. Empty: there are none.
  [[nodiscard]] std::span<const column_index> row_columns() const;
  /// What the column is indexed by; `id` counts as a key.
  [[nodiscard]] index_kind index_of(column_index column) const;
  /// Every column that is shown, in order. Valid until a column is added.
  [[nodiscard]] std::span<const column_index> all_columns() const { return all_columns_; }
  /// Another with every change of the list of columns, and never that of another table of this process.
  [[nodiscard]] std::uint64_t schema_version() const { return schema_version_; }

  // Rows. Views are valid until the table is changed.

  [[nodiscard]] std::size_t row_count() const { return directory_.size(); }
  /// Memory that the rows are in, without indexes.
  [[nodiscard]] std::size_t row_bytes() const { return heap_.memory_bytes(); }
  [[nodiscard]] row_view get(row_number row) const { return heap_.get(row); }
  [[nodiscard]] std::optional<row_number> find_id(std::uint64_t id) const;
  /// The row at one end. REQUIRES: row_count() > 0.
  [[nodiscard]] row_number end_row(parser::queue_end end) const;
  /// The row that has this value in a `key` column. REQUIRES: index_of(column) == index_kind::key, column != id_column.
  [[nodiscard]] std::optional<row_number> find_key(column_index column, std::string_view text) const;
  /// Appends the rows whose column has this value, in table order, by way of the best index.
  void find_equal(column_index column, std::string_view text, std::vector<row_number>& out) const;
  /// Appends every row, in table order.
  void find_all(std::vector<row_number>& out) const;

  /// The indexes over one or more columns, in the order in which they were made.
  [[nodiscard]] std::span<const std::unique_ptr<ordered_index>> ordered_indexes() const { return ordered_; }
  /// The one of that name, or nullptr. Valid as long as the index.
  [[nodiscard]] const ordered_index* find_ordered_index(std::string_view name) const;
  /// The unique ordered index that another row than `except` keeps these values out of, or nullptr. `assigned`: the
  /// columns in which they may differ from that row's.
  [[nodiscard]] const ordered_index* find_violated(std::span<const value> values,
                                                   std::span<const column_index> assigned, row_number except) const {
    return ordered_.empty() ? nullptr : find_violated_among(values, assigned, except);
  }
  /// The columns by which a row is known to users; empty: there are none. Valid until an index changes.
  [[nodiscard]] std::span<const column_index> primary_key() const;

  /// Appends the rows that have one of these values, by column, where it has to be unique.
  void find_holders(std::span<const value> values, std::vector<row_number>& out) const;

  /// The index of a `key` column, or nullptr.
  [[nodiscard]] const unique_index* key_index(column_index column) const;
  /// The index of a `tag` column, or nullptr.
  [[nodiscard]] const tag_index* tagged(column_index column) const;
  [[nodiscard]] const row_heap& heap() const { return heap_; }
  [[nodiscard]] const row_directory& directory() const { return directory_; }

  [[nodiscard]] const subscriptions& subscribers() const { return *subscriptions_; }

  /// What is bound to the table, or nullptr: nothing is.
  [[nodiscard]] table_bindings* bindings() const { return bindings_.get(); }

  /// The named subscriptions to it.
  [[nodiscard]] const named_subscriptions& named() const { return named_; }

  // Changes; only for the database's executor

  /// The one of that name, or nullptr. Valid as long as there is it.
  [[nodiscard]] named_subscription* find_named(std::string_view name) {
    const auto it = named_.find(name);
    return it == named_.end() ? nullptr : &it->second;
  }
  /// REQUIRES: there is none of its name.
  void add_named(subscription_description s) {
    std::string name = s.name;
    named_.emplace(std::move(name), named_subscription{.what = std::move(s)});
  }
  /// REQUIRES: there is one.
  void remove_named(std::string_view name) { named_.erase(named_.find(name)); }

  /// Puts a binding at a place among them. Returns what is wrong with its predicate, if anything; nothing is changed
  /// then. REQUIRES: place is at most their number.
  [[nodiscard]] std::optional<error> add_binding(std::size_t place, binding b);
  /// REQUIRES: there is one at this place.
  void remove_binding(std::size_t place);

  [[nodiscard]] subscriptions& subscribers() { return *subscriptions_; }
  // A table that takes another one's name
  /// Takes over who subscribes to the other one.
  void take_subscribers(table& other);
  /// Its changes are numbered after this one. REQUIRES: it has none.
  void continue_numbers(std::uint64_t sequence) { sequence_ = sequence; }

  /// The number of the change that made it; 0: it is not known.
  [[nodiscard]] std::uint64_t made_at() const { return made_at_; }
  void set_made_at(std::uint64_t sequence) { made_at_ = sequence; }

  [[nodiscard]] change_history* history() { return history_.get(); }
  /// What load_change() brings is all that there was behind this position.
  void load_changes_after(std::uint64_t position) {
    if (history_ != nullptr) history_->undo_to(position);
  }
  /// Brings what a store has kept of changes before the table was loaded, in order.
  void load_change(const past_change& c);
  /// One of them is lost: what was before it does not count.
  void lose_change(std::uint64_t sequence) {
    if (history_ != nullptr) history_->begin_after(sequence);
  }
  /// What is kept of a table that is not kept yet begins with its next change.
  void set_history(const std::optional<parser::history_setting>& setting);
  /// What it keeps counts there, which outlives it.
  void count_history(history_totals& totals);

  /// `facts`: what is declared of it; nullptr: nothing. REQUIRES: there is no such column.
  column_index add_column(std::string_view name, const column_facts* facts = nullptr);
  /// Takes back the last add_column(). REQUIRES: no row has a value there.
  void remove_last_column();
  /// Takes a column from sight; its place stays. REQUIRES: it is in no ordered index.
  void drop_column(column_index column);
  /// Takes back drop_column(). Rows have there what they had then.
  void undo_drop_column(column_index column);
  /// What stands for a value that is not given; nullptr: nothing does.
  [[nodiscard]] static std::unique_ptr<const sql::bound_expression> read_default(const column_facts& facts);
  /// What is declared of a column. REQUIRES: no ordered index has it.
  void set_facts(column_index column, const column_facts& facts);

  /// Builds an index over the rows there are. Returns nothing, or for a key the value that two rows share (and builds
  /// nothing then). REQUIRES: index_of(column) == index_kind::none.
  std::optional<std::string_view> add_index(column_index column, index_kind kind);
  void remove_index(column_index column);

  /// Builds an ordered index over the rows there are and puts it at this place among them. Returns nothing, or for a
  /// unique one the values that two rows share (and builds nothing then).
  /// REQUIRES: no other has its name; place <= ordered_indexes().size(); its columns are there.
  std::optional<std::string> add_ordered_index(index_description description, std::size_t place);
  /// REQUIRES: place < ordered_indexes().size().
  void remove_ordered_index(std::size_t place);

  /// The table without its rows.
  [[nodiscard]] table_description description() const;

  /// The id that the next row will have.
  [[nodiscard]] std::uint64_t next_id() const { return next_id_; }
  /// Ids below are not given any more.
  void skip_ids(std::uint64_t next) { next_id_ = std::max(next_id_, next); }

  /// The next number of the column that counts by itself; it is not given again.
  [[nodiscard]] std::uint64_t take_number() { return next_number_++; }
  /// Numbers below are not given any more.
  void skip_numbers(std::uint64_t next) { next_number_ = std::max(next_number_, next); }

  /// What a database outside says of a table of the same columns. Indexes are left as they are.
  void learn(const table_description& outside);

  void set_ack(std::optional<parser::ack_mode> ack) { ack_ = ack; }

  /// Puts a row where it stood, as a store remembers it. Returns what is wrong with it, if anything: its place or a key
  /// value is taken.
  [[nodiscard]] std::optional<std::string> load(row_position position, std::span<const value> values);

  /// Adds a row with the next id. `values[i]` is column i; values[0] is ignored. REQUIRES: no key is violated.
  row_view insert(parser::queue_end end, std::span<const value> values);
  /// The same at a place that is free, whose id counts as given. REQUIRES: no key is violated.
  row_view insert_at(row_position position, std::span<const value> values);
  /// Gives a row new values, which may be views of its present ones. `changed` are the columns that may differ.
  /// REQUIRES: no key is violated.
  row_view update(row_number row, std::span<const value> values, std::span<const column_index> changed);
  void erase(row_number row);

  /// Takes back the last insert(): its id will be given again.
  void undo_insert(row_view row);
  /// Puts back what update() replaced, or erase() took. `before` is a copy of the row as it was.
  void undo_update(row_view before, std::span<const column_index> changed);
  void undo_erase(row_view before);

  /// Number of the table's last change; undoing takes numbers back.
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  /// The number that it had when it was restored; 0: a statement has made it.
  [[nodiscard]] std::uint64_t loaded_until() const { return loaded_until_; }
  [[nodiscard]] std::uint64_t next_sequence() { return ++sequence_; }
  void undo_sequence() { --sequence_; }

  [[nodiscard]] bool wants_maintenance() const { return !pinned_ && heap_.too_much_garbage(); }
  /// Reclaims memory in small steps. Returns whether there is more to do. Invalidates views.
  bool maintain() { return !pinned_ && heap_.maintain(); }
  /// Rows of a pinned table are not moved.
  void pin(bool pinned) { pinned_ = pinned; }

 private:
  struct column_entry {
    std::string name;
    std::variant<std::monostate, std::unique_ptr<unique_index>, std::unique_ptr<tag_index>> index;
    std::unique_ptr<column_facts> facts = {};
    std::unique_ptr<const sql::column_type> type = {};
    std::unique_ptr<const sql::bound_expression> default_value = {};
    bool nullable = true;
    bool dropped = false;
  };

  [[nodiscard]] static std::unique_ptr<const sql::column_type> read_type(const column_facts& facts);
  /// The same, but for the type.
  void keep_facts(column_index column, const column_facts& facts);
  void stop_counting(column_index column);
  void count_from(const value& v);
  void show_column(column_index column);
  // Whoever has predicates about the columns is told what becomes of them.
  void tell_added(column_index column);
  void tell_leaving(column_index column);
  void tell_left();

  row_number store(row_position position, std::span<const value> values);
  void index_value(column_index column, const value& v, row_number row, row_position position);
  void unindex_value(column_index column, const value& v, row_number row, row_position position);
  std::optional<std::string_view> build_key(column_index column, unique_index& index) const;
  [[nodiscard]] const ordered_index* find_violated_among(std::span<const value> values,
                                                         std::span<const column_index> assigned,
                                                         row_number except) const;
  void read_types();
  [[nodiscard]] std::unique_ptr<ordered_index> make_ordered_index(index_description description) const;
  row_view replace_queued(row_number row, std::span<const value> values, std::span<const column_index> changed);
  row_view replace_ordered(row_number row, std::span<const value> values, std::span<const column_index> changed);
  void read_values(row_view row);
  static std::uint64_t new_schema_version();

  std::string name_;
  std::deque<column_entry> columns_;  // a deque: names are viewed while columns are added
  text_view_map<column_index> column_by_name_;
  std::vector<column_index> all_columns_;
  std::vector<column_index> indexed_columns_;
  std::vector<std::unique_ptr<ordered_index>> ordered_;
  std::optional<column_index> primary_column_;
  std::uint64_t schema_version_ = new_schema_version();

  row_heap heap_;
  row_directory directory_;
  std::uint64_t next_id_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t loaded_until_ = 0;
  std::uint64_t made_at_ = 0;
  std::optional<parser::ack_mode> ack_;
  std::optional<parser::history_setting> history_setting_;
  history_totals* history_totals_ = nullptr;
  std::unique_ptr<change_history> history_;
  std::string read_only_reason_;
  bool typed_ = false;
  bool declared_ = false;
  std::optional<column_index> auto_increment_column_;
  std::uint64_t next_number_ = 1;
  std::optional<column_index> key_from_outside_;
  bool pinned_ = false;
  std::unique_ptr<queue_index> queue_;  // nullptr: it is none

  std::unique_ptr<subscriptions> subscriptions_ = std::make_unique<subscriptions>(*this);
  std::unique_ptr<table_bindings> bindings_;  // nullptr: there are none
  named_subscriptions named_;

  std::string encoded_;                // scratch: the row being written
  std::vector<value> values_;          // scratch: the row being read
  std::vector<ordered_index*> moved_;  // scratch: where the row being updated gets another place
};

}  // namespace pubsubsql::storage
