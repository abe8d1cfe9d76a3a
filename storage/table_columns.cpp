// What columns a table has, and what is declared of them.

#include <algorithm>
#include <atomic>

#include "storage/sql/expression_text.hpp"
#include "storage/sql/stored_value.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

namespace {

/// The expression that a text is, if it is one; names of columns are none.
std::unique_ptr<sql::bound_expression> read_expression(const std::string& text) {
  const sql::expression_text read(text);
  sql::name_scope nothing;
  auto out = std::make_unique<sql::bound_expression>();
  if (read.get() == nullptr || sql::bound_expression::bind(*read.get(), nothing, *out)) return nullptr;
  return out;
}

}  // namespace

table::table(const table_description& d) : table(d.name) {
  declared_ = d.declared;
  if (d.hides_id) {
    column_by_name_.clear();
    all_columns_.clear();
    columns_.front().name.clear();
  }
  if (d.id_facts) set_facts(id_column, *d.id_facts);
  for (const table_description::column& c : d.columns) {
    const column_index column = add_column(c.name, c.facts ? &*c.facts : nullptr);
    if (c.index != index_kind::none) static_cast<void>(add_index(column, c.index));  // over no rows
    if (c.dropped) drop_column(column);
  }
  for (const index_description& index : d.indexes) static_cast<void>(add_ordered_index(index, ordered_.size()));
  primary_column_ = d.primary_column;
  sequence_ = d.sequence;
  ack_ = d.ack;
  set_history(d.history);
  sequence_ = std::max(d.sequence, d.numbers_after);
  loaded_until_ = sequence_;
  made_at_ = d.made_at;
  if (d.queue) queue_ = std::make_unique<queue_index>(*d.queue);
  learn(d);
  for (const subscription_description& s : d.subscriptions) add_named(s);
  // One that cannot be read any more would copy what it is not to copy.
  for (const binding_description& b : d.bindings) {
    static_cast<void>(add_binding(bindings_ ? bindings_->all().size() : 0, {.what = b, .number = 0, .copied = {}}));
  }
}

void table::learn(const table_description& outside) {
  key_from_outside_.reset();
  for (const table_description::column& c : outside.columns) {
    const auto column = find_column(c.name);
    if (!column || !c.facts || c.dropped) continue;
    keep_facts(*column, *c.facts);
  }
  read_types();
  subscriptions_->columns_changed();
  if (bindings_) bindings_->matcher().columns_changed();
  skip_ids(outside.next_id);
  read_only_reason_ = outside.read_only_reason;
}

table_description table::description() const {
  table_description d{.name = name_};
  for (column_index i = 1; i < column_count(); ++i) {
    const column_entry& c = columns_[i];
    d.columns.push_back({.name = c.name, .index = index_of(i), .facts = {}, .dropped = c.dropped});
    if (c.facts) d.columns.back().facts = *c.facts;
  }
  for (const auto& index : ordered_) d.indexes.push_back(index->description());
  d.primary_column = primary_column_;
  d.next_id = next_id_;
  d.sequence = sequence_;
  d.made_at = made_at_;
  d.ack = ack_;
  d.history = history_setting_;
  if (bindings_) {
    for (const binding& b : bindings_->all()) d.bindings.push_back(b.what);
  }
  for (const auto& [name, s] : named_) d.subscriptions.push_back(s.what);
  d.hides_id = !shows_id();
  d.declared = declared_;
  if (columns_.front().facts) d.id_facts = *columns_.front().facts;
  d.read_only_reason = read_only_reason_;
  if (queue_ != nullptr) d.queue = queue_->settings();
  return d;
}

std::unique_ptr<const sql::column_type> table::read_type(const column_facts& facts) {
  if (facts.type.empty() || facts.untyped) return nullptr;
  return std::make_unique<const sql::column_type>(sql::foreign_column_type(facts.type));
}

void table::set_facts(column_index column, const column_facts& facts) {
  keep_facts(column, facts);
  columns_[column].type = read_type(facts);
}

void table::keep_facts(column_index column, const column_facts& facts) {
  column_entry& c = columns_[column];
  c.facts = std::make_unique<column_facts>(facts);
  typed_ = true;
  if (facts.extra == column_facts::counted) (declared_ ? auto_increment_column_ : key_from_outside_) = column;
  if (!declared_) return;
  c.default_value = read_default(facts);
  // An expression that only MySQL can compute is MySQL's to compute.
  c.nullable = facts.nullable || (facts.default_text && c.default_value == nullptr);
}

std::unique_ptr<const sql::bound_expression> table::read_default(const column_facts& facts) {
  if (!facts.default_text) return nullptr;
  if (facts.extra == column_facts::computed_default) return read_expression(*facts.default_text);
  return std::make_unique<const sql::bound_expression>(sql::bound_expression::of_text(*facts.default_text));
}

/// A column that goes gives no numbers any more.
void table::stop_counting(column_index column) {
  if (auto_increment_column_ == column) auto_increment_column_.reset();
  if (key_from_outside_ == column) key_from_outside_.reset();
}

std::uint64_t table::new_schema_version() {
  static std::atomic<std::uint64_t> last = 0;
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::optional<column_index> table::find_column(std::string_view name) const {
  const auto it = column_by_name_.find(name);
  if (it == column_by_name_.end()) return std::nullopt;
  return it->second;
}

std::span<const column_index> table::row_columns() const {
  static constexpr column_index id[] = {id_column};
  if (shows_id()) return id;
  return primary_key();
}

void table::show_column(column_index column) {
  column_by_name_.emplace(columns_[column].name, column);
  all_columns_.insert(std::ranges::upper_bound(all_columns_, column), column);
  schema_version_ = new_schema_version();
  tell_added(column);
}

column_index table::add_column(std::string_view name, const column_facts* facts) {
  const column_index index = column_count();
  columns_.push_back({.name = std::string(name), .index = {}});
  if (facts != nullptr) set_facts(index, *facts);
  show_column(index);
  return index;
}

void table::remove_last_column() {
  const column_index last = column_count() - 1;
  stop_counting(last);
  tell_leaving(last);
  all_columns_.pop_back();
  column_by_name_.erase(columns_.back().name);
  columns_.pop_back();
  schema_version_ = new_schema_version();
  tell_left();
}

void table::drop_column(column_index column) {
  column_entry& c = columns_[column];
  stop_counting(column);
  tell_leaving(column);
  std::erase(all_columns_, column);
  column_by_name_.erase(c.name);
  c.dropped = true;
  c.nullable = true;
  schema_version_ = new_schema_version();
  tell_left();
}

void table::undo_drop_column(column_index column) {
  column_entry& c = columns_[column];
  c.dropped = false;
  if (const auto facts = std::move(c.facts)) set_facts(column, *facts);
  show_column(column);
}

void table::tell_added(column_index column) {
  subscriptions_->column_added(columns_[column].name, column);
  if (bindings_) bindings_->matcher().column_added(columns_[column].name, column);
}

void table::tell_leaving(column_index column) {
  subscriptions_->column_leaves(column);
  if (bindings_) bindings_->matcher().column_leaves(column);
}

void table::tell_left() {
  subscriptions_->column_left();
  if (bindings_) bindings_->matcher().column_left();
}

std::optional<error> table::add_binding(std::size_t place, binding b) {
  auto made = bindings_ ? nullptr : std::make_unique<table_bindings>(*this);
  if (auto failed = (made ? *made : *bindings_).insert(place, std::move(b), *this)) return failed;
  if (made) bindings_ = std::move(made);
  return std::nullopt;
}

void table::remove_binding(std::size_t place) {
  bindings_->erase(place);
  if (bindings_->empty()) bindings_.reset();
}

void table::take_subscribers(table& other) {
  subscriptions_ = std::move(other.subscriptions_);
  other.subscriptions_ = std::make_unique<subscriptions>(other);
  subscriptions_->move_to(*this);
}

}  // namespace pubsubsql::storage
