#include "storage/statement_log.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace pubsubsql::storage {

namespace {

/// A statement over a whole table leaves long vectors behind; more than this is given back.
constexpr std::size_t kept_changes_max = 4096;

}  // namespace

void statement_log::begin() {
  table_ = nullptr;
  changes_.clear();
  if (changes_.capacity() > kept_changes_max) changes_.shrink_to_fit();
  copies_.release();
  kept_bytes_ = 0;
  input_row_ = 0;
}

change& statement_log::append(table& t, change_kind kind) {
  table_ = &t;
  change& c = changes_.emplace_back();
  c.kind = kind;
  c.input_row = input_row_;
  c.sequence = kind == change_kind::acknowledge ? t.sequence() : t.next_sequence();
  return c;
}

row_view statement_log::keep(row_view row) {
  auto* copy = static_cast<char*>(copies_.allocate(row.size(), 1));
  std::memcpy(copy, row.data(), row.size());
  kept_bytes_ += row.size();
  return row_view(copy);
}

void statement_log::created(table& t, const table_description* declared) {
  change& c = append(t, change_kind::create_table);
  c.name = t.name();
  c.declared = declared;
  t.set_made_at(c.sequence);
}

void statement_log::dropped(table& t) {
  change& c = append(t, change_kind::drop_table);
  dropped_ = std::make_unique<table_description>(t.description());
  c.name = dropped_->name;
  c.declared = dropped_.get();
}

column_index statement_log::add_column(table& t, std::string_view name, const column_facts* facts) {
  change& c = append(t, change_kind::add_column);
  c.column = t.add_column(name, facts);
  c.name = t.column_name(c.column);
  c.facts = facts;
  return c.column;
}

void statement_log::drop_column(table& t, column_index column) {
  change& c = append(t, change_kind::drop_column);
  c.column = column;
  c.name = t.column_name(column);
  c.facts = t.facts_of(column);
  t.drop_column(column);
}

std::optional<std::string_view> statement_log::add_index(table& t, column_index column, index_kind kind) {
  if (const auto shared = t.add_index(column, kind)) return shared;
  change& c = append(t, kind == index_kind::key ? change_kind::add_key : change_kind::add_tag);
  c.column = column;
  c.name = t.column_name(column);
  return std::nullopt;
}

/// Copies name and columns, which are to outlive the index.
void statement_log::describe(change& c, const index_description& index) {
  auto* name = static_cast<char*>(copies_.allocate(index.name.size(), 1));
  std::ranges::copy(index.name, name);
  c.name = {name, index.name.size()};
  auto* columns =
      static_cast<column_index*>(copies_.allocate(index.columns.size() * sizeof(column_index), alignof(column_index)));
  std::ranges::copy(index.columns, columns);
  c.assigned = {columns, index.columns.size()};
  c.index = index.type;
}

std::optional<std::string> statement_log::add_ordered_index(table& t, index_description description) {
  const std::size_t place = t.ordered_indexes().size();
  if (auto shared = t.add_ordered_index(std::move(description), place)) return shared;
  change& c = append(t, change_kind::add_index);
  c.column = static_cast<column_index>(place);
  describe(c, t.ordered_indexes()[place]->description());
  return std::nullopt;
}

void statement_log::drop_ordered_index(table& t, const ordered_index& index) {
  const auto all = t.ordered_indexes();
  const auto place = std::ranges::find(all, &index, [](const auto& one) { return one.get(); }) - all.begin();
  change& c = append(t, change_kind::drop_index);
  c.column = static_cast<column_index>(place);
  describe(c, index.description());
  t.remove_ordered_index(c.column);
}

void statement_log::describe(change& c, std::size_t place, const binding_description& b) {
  c.name = keep(pack(b));
  c.column = static_cast<column_index>(place);
}

std::string_view statement_log::keep(const std::string& text) {
  auto* const copy = static_cast<char*>(copies_.allocate(text.size(), 1));
  std::ranges::copy(text, copy);
  return {copy, text.size()};
}

std::optional<error> statement_log::add_binding(table& t, binding b) {
  const std::size_t place = t.bindings() == nullptr ? 0 : t.bindings()->all().size();
  const binding_description what = b.what;
  if (auto failed = t.add_binding(place, std::move(b))) return failed;
  describe(append(t, change_kind::add_binding), place, what);
  return std::nullopt;
}

void statement_log::drop_binding(table& t, std::size_t place) {
  describe(append(t, change_kind::drop_binding), place, t.bindings()->all()[place].what);
  t.remove_binding(place);
}

void statement_log::add_subscription(table& t, subscription_description s) {
  append(t, change_kind::add_subscription).name = keep(pack(s));
  t.add_named(std::move(s));
}

void statement_log::drop_subscription(table& t, std::string_view name) {
  append(t, change_kind::drop_subscription).name = keep(pack(t.find_named(name)->what));
  t.remove_named(name);
}

void statement_log::acknowledge(table& t, std::string_view name, std::uint64_t position) {
  subscription_description& s = t.find_named(name)->what;
  const acknowledgement a{.name = s.name, .before = s.position, .position = position};
  append(t, change_kind::acknowledge).name = keep(pack(a));
  s.position = position;
}

void statement_log::set_ack(table& t, std::optional<parser::ack_mode> ack) {
  change& c = append(t, change_kind::set_ack);
  c.ack_before = t.ack();
  c.ack = ack;
  t.set_ack(ack);
}

void statement_log::set_history(table& t, const std::optional<parser::history_setting>& setting) {
  change& c = append(t, change_kind::set_history);
  history_ = {.before = t.history_setting(), .after = setting};
  c.history = &history_;
  t.set_history(setting);
}

void statement_log::insert(table& t, parser::queue_end end, std::span<const value> values,
                           std::span<const column_index> assigned) {
  change& c = append(t, change_kind::insert_row);
  c.assigned = assigned;
  c.after = t.insert(end, values);
}

void statement_log::insert_at(table& t, row_position position, std::span<const value> values,
                              std::span<const column_index> assigned) {
  change& c = append(t, change_kind::insert_row);
  c.assigned = assigned;
  c.after = t.insert_at(position, values);
}

void statement_log::update(table& t, row_number row, std::span<const value> values,
                           std::span<const column_index> assigned) {
  change& c = append(t, change_kind::update_row);
  c.before = keep(t.get(row));
  c.assigned = assigned;
  c.after = t.update(row, values, assigned);
}

void statement_log::erase(table& t, row_number row) {
  append(t, change_kind::delete_row).before = keep(t.get(row));
  t.erase(row);
}

void statement_log::undo(table& t, const change& c) {
  switch (c.kind) {
    case change_kind::create_table:
    case change_kind::drop_table:
      break;  // the database does it
    case change_kind::drop_column:
      t.undo_drop_column(c.column);
      break;
    case change_kind::add_column:
      t.remove_last_column();
      break;
    case change_kind::add_key:
    case change_kind::add_tag:
      t.remove_index(c.column);
      break;
    case change_kind::add_index:
      t.remove_ordered_index(c.column);
      break;
    case change_kind::drop_index:
      static_cast<void>(t.add_ordered_index(
          {.name = std::string(c.name), .columns = {c.assigned.begin(), c.assigned.end()}, .type = c.index}, c.column));
      break;
    case change_kind::set_ack:
      t.set_ack(c.ack_before);
      break;
    case change_kind::set_history:
      t.set_history(c.history->before);
      break;
    case change_kind::add_binding:
      t.remove_binding(c.column);
      break;
    case change_kind::drop_binding:
      // What could be bound once can be again.
      static_cast<void>(t.add_binding(c.column, {.what = *unpack_binding(c.name), .number = 0, .copied = {}}));
      break;
    case change_kind::add_subscription:
      t.remove_named(unpack_subscription(c.name)->name);
      break;
    case change_kind::drop_subscription:
      t.add_named(*unpack_subscription(c.name));
      break;
    case change_kind::acknowledge: {
      const acknowledgement a = *unpack_acknowledgement(c.name);
      t.find_named(a.name)->what.position = a.before;
      return;  // it has no number of its own
    }
    case change_kind::insert_row:
      t.undo_insert(c.after);
      break;
    case change_kind::update_row:
      t.undo_update(c.before, c.assigned);
      break;
    case change_kind::delete_row:
      t.undo_erase(c.before);
      break;
  }
  t.undo_sequence();
}

bool statement_log::undo(table& t, std::span<const change> changes) {
  for (auto c = changes.rbegin(); c != changes.rend(); ++c) undo(t, *c);
  if (change_history* const h = t.history()) h->undo_to(t.sequence());
  return !changes.empty() && changes.front().kind == change_kind::create_table;
}

bool statement_log::undo() {
  const bool table_goes = table_ != nullptr && undo(*table_, changes_);
  changes_.clear();
  return table_goes;
}

}  // namespace pubsubsql::storage
