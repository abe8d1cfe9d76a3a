// Topics: rows that are published and not stored, and what is copied into queues.

#include <algorithm>
#include <iterator>
#include <limits>

#include "storage/errors.hpp"
#include "storage/executor.hpp"
#include "storage/sql/sql_error.hpp"

namespace pubsubsql::storage {

namespace {

/// A statement of many rows leaves a long buffer behind; more than this is given back.
constexpr std::size_t kept_published_bytes_max = std::size_t{1} << 20;

}  // namespace

// publish

/// As for an insert, but rows that are not stored take no numbers, neither an id nor those of a column that counts, and
/// nothing has to tell them apart: the columns of the primary key may be left out.
executor::failure executor::resolve_published(table& t, const parser::row_source& source) {
  if (!source.columns.empty()) {
    for (const std::string_view name : source.columns) {
      if (t.shows_id() && name == t.column_name(id_column)) return published_id(t.name());
      if (auto failed = resolve_assigned(t, name)) return failed;
    }
  } else {
    for (const column_index column : t.all_columns()) {
      if (column != id_column) assigned_.push_back(column);
    }
    if (assigned_.size() != source.width) return wrong_value_count(t.name(), assigned_.size(), source.width);
  }
  if (!t.is_declared()) return std::nullopt;
  const auto primary = t.primary_key();
  const auto is_key = [&](column_index column) { return std::ranges::find(primary, column) != primary.end(); };
  const std::size_t named = assigned_.size();
  for (const column_index column : t.all_columns()) {
    const auto end = assigned_.begin() + static_cast<std::ptrdiff_t>(named);
    if (column == id_column || std::find(assigned_.begin(), end, column) != end) continue;
    if (t.default_of(column) != nullptr) {
      defaulted_.push_back(column);
      assigned_.push_back(column);
    } else if (!t.is_nullable(column) && column != t.auto_increment_column() && !is_key(column)) {
      return no_default_value(t.name(), t.column_name(column));
    }
  }
  return std::nullopt;
}

executor::failure executor::publish_row(table& t, std::span<const parser::literal> row) {
  begin_row(t);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (auto failed = write_value(t, assigned_[i], row[i], {})) return failed;
  }
  if (auto failed = write_defaults(t)) return failed;
  if (auto failed = check_row(t)) return failed;
  constexpr row_position first = std::numeric_limits<row_position>::min();
  encode_published_row(first + static_cast<row_position>(++last_published_), values_, encoded_);
  bool met = false;
  if (auto failed = meets(t, parser::right::insert, row_view(encoded_.data()), met)) return failed;
  if (!met) return row_not_granted(who_.user->name(), t.name(), parser::right::insert);
  published_bytes_ += encoded_;
  published_ends_.push_back(published_bytes_.size());
  return std::nullopt;
}

executor::failure executor::run(const parser::publish_statement& s) {
  table* t = nullptr;
  if (auto failed = find_or_create(s.rows.table, t)) return failed;
  if (auto failed = check_writable(*t)) return failed;
  if (auto failed = resolve_published(*t, s.rows)) return failed;
  const std::span<const parser::literal> values = s.rows.values;
  for (std::size_t at = 0; at < values.size(); at += s.rows.width) {
    if (auto failed = publish_row(*t, values.subspan(at, s.rows.width))) return failed;
  }
  for (std::size_t begin = 0; const std::size_t end : published_ends_) {
    published_.emplace_back(published_bytes_.data() + begin);
    begin = end;
  }
  published_to_ = t;
  outcome_.kind = reply_kind::count;
  outcome_.about = t;
  outcome_.action = "publish";
  outcome_.rows = published_.size();
  return std::nullopt;
}

void executor::forget_published() {
  published_to_ = nullptr;
  published_.clear();
  published_ends_.clear();
  published_bytes_.clear();
  if (published_bytes_.capacity() > kept_published_bytes_max) published_bytes_.shrink_to_fit();
}

void executor::derive_published() {
  subscriptions& all = published_to_->subscribers();
  all.begin_statement(who_.now_us, limits_.filter_steps_max);
  const std::size_t first = events_.size();
  for (const row_view row : published_) all.on_publish(row, published_to_->all_columns(), events_);
  note_costly(*published_to_);
  // They are no changes: whoever gets them stays where it is.
  for (event& e : std::span(events_).subspan(first)) e.sequence = published_to_->sequence();
}

// What goes into queues

executor::failure executor::copy_to_queues(const table& t, row_view row) {
  queues_.clear();
  t.bindings()->find_queues(row, who_.now_us, budget_, queues_, bindings_met_);
  if (auto failed = check_steps()) return failed;
  for (const std::string_view queue : queues_) {
    const auto [at, is_new] = copies_of_.try_emplace(queue, copies_.size());
    if (is_new) copies_.push_back({.queue = queue, .rows = {}});
    copies_[at->second].rows.push_back(row);
  }
  copied_bytes_ += queues_.size() * sizeof row;
  if (copied_bytes_ > limits_.statement_memory_max) return to_error(sql::too_much_held(limits_.statement_memory_max));
  return std::nullopt;
}

/// What a store made of rows that came in before has been copied then.
executor::failure executor::derive_copies() {
  const table* const t = published_to_ != nullptr ? published_to_ : log_.about();
  if (t == nullptr || t->bindings() == nullptr || leaving_ != nullptr || who_.corrections != nullptr) {
    return std::nullopt;
  }
  bindings_met_.assign(t->bindings()->all().size(), 0);
  copied_bytes_ = 0;
  for (const change& c : log_.changes()) {
    if (c.kind != change_kind::insert_row) continue;
    if (auto failed = copy_to_queues(*t, c.after)) return failed;
  }
  for (const row_view row : published_) {
    if (auto failed = copy_to_queues(*t, row)) return failed;
  }
  if (copies_.empty()) return std::nullopt;
  std::ranges::copy_if(assigned_, std::back_inserter(copied_columns_),
                       [&](column_index column) { return column != id_column && !t->is_own(column); });
  if (copied_columns_.empty()) return nothing_to_copy(t->name(), copies_.front().queue);
  for (std::size_t i = 0; i < bindings_met_.size(); ++i) {
    if (bindings_met_[i] > 0) copied_.push_back({.counter = t->bindings()->all()[i].copied, .rows = bindings_met_[i]});
  }
  outcome_.copied = copied_;
  outcome_.copies = copies_;
  outcome_.copied_columns = copied_columns_;
  return std::nullopt;
}

// bind, unbind

executor::failure executor::run(const parser::bind_statement& s) {
  for (const std::string_view name : {s.table, s.queue}) {
    if (name.starts_with(own_tables)) return reserved_name(name);
  }
  if (s.queue == s.table) {
    return error{error_code::unsupported,
                 "table " + std::string(s.table) + " cannot be bound to itself; bind another table to it"};
  }
  using parser::right;
  if (is_guarded(s.table, {right::create, right::select}) || is_guarded(s.queue, {right::insert})) {
    return binding_of_some(s.queue, s.table);
  }
  table* t = nullptr;
  if (auto failed = find_or_create(s.table, t)) return failed;
  if (auto failed = check_writable(*t)) return failed;
  outcome_.kind = reply_kind::done;
  outcome_.about = t;
  outcome_.action = "bind";
  const binding_description what{.queue = std::string(s.queue), .where = text_of(s.where)};
  const auto all = t->bindings() == nullptr ? std::span<const binding>() : t->bindings()->all();
  if (const auto same = std::ranges::find(all, what, &binding::what); same != all.end()) {
    t->bindings()->renumber(static_cast<std::size_t>(same - all.begin()), who_.binding);
    return std::nullopt;
  }
  if (all.size() >= limits_.bindings_max) return too_many_bindings(t->name(), limits_.bindings_max);
  return log_.add_binding(*t, {.what = what, .number = who_.binding, .copied = {}});
}

executor::failure executor::run(const parser::unbind_statement& s) {
  table* const t = find_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  const std::string where = text_of(s.where);
  for (std::size_t i = t->bindings() == nullptr ? 0 : t->bindings()->all().size(); i-- > 0;) {
    const binding& b = t->bindings()->all()[i];
    if (b.what.queue != s.queue || (s.where && b.what.where != where)) continue;
    if (b.number > who_.bindings_until.value_or(b.number)) continue;
    log_.drop_binding(*t, i);
    ++outcome_.rows;
    if (t->bindings() == nullptr) break;
  }
  outcome_.kind = reply_kind::count;
  outcome_.about = t;
  outcome_.action = "unbind";
  return std::nullopt;
}

const outcome& executor::make_table(std::string_view name, std::int64_t now_us) {
  reclaim();
  begin();
  who_ = {.now_us = now_us};
  table* t = nullptr;
  if (auto failed = find_or_create(name, t)) {
    outcome_.failure = std::move(failed);
    return outcome_;
  }
  outcome_.kind = reply_kind::done;
  outcome_.about = t;
  outcome_.action = "create";
  outcome_.changes = log_.changes();
  return outcome_;
}

}  // namespace pubsubsql::storage
