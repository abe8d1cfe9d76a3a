// Statements that add, change and remove rows.

#include <algorithm>

#include "storage/access/statement_needs.hpp"
#include "storage/errors.hpp"
#include "storage/executor.hpp"

namespace pubsubsql::storage {

executor::failure executor::check_writable(const table& t) const {
  if (t.read_only_reason().empty()) return std::nullopt;
  return read_only_table(t.name(), t.read_only_reason());
}

/// Makes `values_`, which are about to be stored, what the store has made of them: of each row that is stored, one
/// correction after the other.
void executor::correct_values(const table& t) {
  if (who_.corrections == nullptr || corrected_ >= who_.corrections->size()) return;
  const auto& row = (*who_.corrections)[corrected_++];
  for (column_index column = 1; column < t.column_count(); ++column) {
    values_[column] = column <= row.size() && row[column - 1] ? value{*row[column - 1]} : value{};
  }
}

/// Whether the row of the statement was stored when the statement ran first. Which rows are the same, or duplicates, it
/// knew by what they were then.
bool executor::was_stored() const {
  if (who_.corrections == nullptr) return true;
  return corrected_ < who_.corrected_inputs.size() && who_.corrected_inputs[corrected_] == row_of_statement_;
}

/// Columns that a store changed beside those of the statement are sent and indexed like those. REQUIRES: `updated_` has
/// room for all columns, since changes refer to it.
void executor::assign_corrected(const table& t, row_number row, std::size_t correction) {
  if (who_.corrections == nullptr || correction >= who_.corrections->size()) return;
  const auto& corrected = (*who_.corrections)[correction];
  row_view::cursor columns(t.get(row));
  for (column_index column = 1; column < t.column_count(); ++column) {
    const value stored = column <= corrected.size() && corrected[column - 1] ? value{*corrected[column - 1]} : value{};
    if (columns.at(column) == stored || std::ranges::find(updated_, column) != updated_.end()) continue;
    updated_.push_back(column);
  }
}

executor::failure executor::check_row(const table& t) const {
  const std::size_t bytes = encoded_row_bytes(values_);
  if (bytes > limits_.row_bytes_max) return row_too_large(t.name(), bytes, limits_.row_bytes_max);
  return std::nullopt;
}

namespace {

error shared_key(const table& t, std::string_view key, std::string_view text) {
  return t.is_declared() || t.is_typed() ? duplicate_entry(text, key) : duplicate_key(t.name(), key, text);
}

}  // namespace

executor::failure executor::check_keys(const table& t, std::span<const column_index> changed, row_number except) const {
  for (const column_index column : changed) {
    if (t.index_of(column) != index_kind::key || column == id_column || !values_[column]) continue;
    const auto holder = t.find_key(column, *values_[column]);
    if (holder && *holder != except) return shared_key(t, t.column_name(column), *values_[column]);
  }
  if (const ordered_index* index = t.find_violated(values_, changed, except)) {
    return shared_key(t, index->name(), index->show_values(values_));
  }
  return std::nullopt;
}

executor::failure executor::finish_rows(const table& t, const std::optional<parser::projection>& returning,
                                        std::string_view action) {
  outcome_.about = &t;
  outcome_.action = action;
  if (!returning) {
    outcome_.kind = reply_kind::count;
    return std::nullopt;
  }
  const bool adds = action == "insert" || action == "replace";
  for (const change& c : log_.changes()) {
    if (c.kind == change_kind::delete_row) {
      if (!adds) data_.push_back(c.before);  // a row that a replacing one takes away
    } else if (c.kind == change_kind::insert_row || c.kind == change_kind::update_row) {
      data_.push_back(c.after);
    }
  }
  if (!returning->items.empty()) return show_computed(t, *returning);
  if (auto failed = project(t, *returning)) return failed;
  outcome_.kind = reply_kind::rows;
  outcome_.data = data_;
  return check_result();
}

// insert, push, replace

executor::failure executor::resolve_inserted(table& t, const parser::row_source& source) {
  if (!source.columns.empty()) {
    for (const std::string_view name : source.columns) {
      if (auto failed = resolve_assigned(t, name)) return failed;
    }
  } else {
    for (const column_index column : t.all_columns()) {
      if (column != id_column || t.takes_ids()) assigned_.push_back(column);
    }
    std::erase_if(assigned_, [&](column_index column) { return t.is_own(column); });
    if (assigned_.size() != source.width) return wrong_value_count(t.name(), assigned_.size(), source.width);
  }
  if (t.queue() != nullptr) return resolve_pushed(t);
  return t.is_declared() ? find_defaults(t) : std::nullopt;
}

executor::failure executor::store_row(table& t, parser::queue_end end) {
  if (t.row_count() >= limits_.rows_max) return too_many_rows(t.name(), limits_.rows_max);
  correct_values(t);
  if (auto failed = check_row(t)) return failed;
  if (auto failed = check_keys(t, assigned_, no_row)) return failed;
  if (given_id_) {
    if (t.find_id(*given_id_)) return duplicate_entry(std::to_string(*given_id_), "PRIMARY");
    log_.insert_at(t, back_position(*given_id_), values_, assigned_);
  } else {
    log_.insert(t, end, values_, assigned_);
  }
  return std::nullopt;
}

void executor::begin_row(const table& t) {
  values_.assign(t.column_count(), std::nullopt);
  given_id_.reset();
  log_.come_of(++row_of_statement_);
  row_memory_.release();
}

executor::failure executor::add_row(table& t, std::span<const parser::literal> row, parser::queue_end end) {
  begin_row(t);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (auto failed = write_value(t, assigned_[i], row[i], {})) return failed;
  }
  return add_written_row(t, end);
}

/// The row of which `values_` has the columns that the statement names.
executor::failure executor::add_written_row(table& t, parser::queue_end end) {
  if (auto failed = write_defaults(t)) return failed;
  if (t.queue() != nullptr) write_pushed(t);
  if (duplicates_ == parser::duplicate_rule::refuse) {
    ++outcome_.rows;
    return store_row(t, end);
  }
  return was_stored() ? settle_duplicates(t, end) : std::nullopt;
}

/// The rows that keep `values_` out.
void executor::find_conflicts(const table& t) {
  conflicts_.clear();
  if (given_id_) {
    if (const auto holder = t.find_id(*given_id_)) conflicts_.push_back(*holder);
  }
  t.find_holders(values_, conflicts_);
}

/// Whether the rows that keep `values_` out may be replaced or updated, as the rule wants.
executor::failure executor::may_settle(const table& t, bool& out) {
  if (!has_row_filters() || duplicates_ == parser::duplicate_rule::ignore) return std::nullopt;
  const bool replaces = duplicates_ == parser::duplicate_rule::replace;
  const parser::right by = replaces ? parser::right::delete_rows : parser::right::update;
  for (const row_number row : conflicts_) {
    if (auto failed = meets(t, by, t.get(row), out)) return failed;
    if (out && !replaces) {
      // What it is set to may be computed from what it is.
      if (auto failed = meets(t, parser::right::select, t.get(row), out)) return failed;
    }
    if (!out || !replaces) break;  // the first one is updated
  }
  return std::nullopt;
}

executor::failure executor::settle_duplicates(table& t, parser::queue_end end) {
  find_conflicts(t);
  bool may_change = true;
  if (auto failed = may_settle(t, may_change)) return failed;
  if (!may_change) return store_row(t, end);  // which tells that there is such a row
  if (conflicts_.empty()) {
    ++outcome_.rows;
    return store_row(t, end);
  }
  switch (duplicates_) {
    case parser::duplicate_rule::replace:
      std::ranges::sort(conflicts_);
      conflicts_.erase(std::unique(conflicts_.begin(), conflicts_.end()), conflicts_.end());
      for (const row_number row : conflicts_) log_.erase(t, row);
      outcome_.rows += 1 + conflicts_.size();
      return store_row(t, end);
    case parser::duplicate_rule::update:
      return update_duplicate(t, conflicts_.front());
    default:
      return std::nullopt;
  }
}

/// `on duplicate key update`, which counts a row that it changes as two, as MySQL does.
executor::failure executor::update_duplicate(table& t, row_number row) {
  offered_.assign(values_.begin(), values_.end());
  if (auto failed = compute_update(t, row)) return failed;
  const row_view before = t.get(row);
  const bool changes =
      std::ranges::any_of(updated_, [&](column_index column) { return before.at(column) != values_[column]; });
  if (!changes && who_.corrections == nullptr) return std::nullopt;
  outcome_.rows += 2;
  const std::size_t before_correction = updated_.size();
  assign_corrected(t, row, corrected_);
  if (updated_.size() > before_correction) send_updated(t);
  return store_update(t, row);
}

executor::failure executor::add_rows(const parser::row_source& source, parser::queue_end end, std::string_view action) {
  table* t = nullptr;
  if (auto failed = find_or_create(source.table, t)) return failed;
  if (auto failed = check_writable(*t)) return failed;
  if (auto failed = resolve_inserted(*t, source)) return failed;
  const std::span<const parser::literal> values = source.values;
  for (std::size_t at = 0; at < values.size(); at += source.width) {
    if (auto failed = add_row(*t, values.subspan(at, source.width), end)) return failed;
  }
  return finish_rows(*t, source.returning, action);
}

executor::failure executor::add_selected_rows(const parser::insert_statement& s, std::string_view action) {
  const sql::inner_result& rows = result_of(s.query);
  table* t = nullptr;
  if (auto failed = find_or_create(s.rows.table, t)) return failed;
  if (auto failed = check_writable(*t)) return failed;
  const parser::row_source into{
      .table = s.rows.table, .columns = s.rows.columns, .width = rows.types.size(), .values = {}, .returning = {}};
  if (!into.columns.empty() && into.columns.size() != into.width) {
    return wrong_value_count(t->name(), into.columns.size(), into.width);
  }
  if (auto failed = resolve_inserted(*t, into)) return failed;
  if (auto failed = resolve_duplicate_updates(*t, s)) return failed;
  for (const auto& row : rows.rows) {
    begin_row(*t);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const parser::literal text{.text = row[i] ? std::string_view(*row[i]) : std::string_view(), .is_null = !row[i]};
      if (auto failed = write_value(*t, assigned_[i], text, {})) return failed;
    }
    if (auto failed = add_written_row(*t, parser::queue_end::back)) return failed;
  }
  return finish_rows(*t, s.rows.returning, action);
}

executor::failure executor::run(const parser::insert_statement& s) {
  duplicates_ = s.on_duplicate;
  const std::string_view action = s.on_duplicate == parser::duplicate_rule::replace ? "replace" : "insert";
  if (s.query != nullptr) return add_selected_rows(s, action);
  if (s.on_duplicate == parser::duplicate_rule::update) {
    table* t = nullptr;
    if (auto failed = find_or_create(s.rows.table, t)) return failed;
    if (auto failed = resolve_duplicate_updates(*t, s)) return failed;
  }
  return add_rows(s.rows, parser::queue_end::back, action);
}

executor::failure executor::run(const parser::push_statement& s) {
  const table* const t = named_table(s.rows.table);
  const bool is_queue = t != nullptr && t->queue() != nullptr;
  if (is_queue && s.end == parser::queue_end::front) return queue_has_no_front(s.rows.table);
  if (s.delay && !is_queue) return no_queue(s.rows.table);
  if (s.delay) delay_us_ = static_cast<std::int64_t>(*s.delay);
  return add_rows(s.rows, s.end, "push");
}

// update, delete, pop

/// Resolves what rows are set to, if they exist. `updated_` has the columns then.
executor::failure executor::resolve_set(table& t, const std::pmr::vector<parser::assignment>& set, bool offers_values) {
  sql::name_scope names = scope_of(&t);
  names.offers_values = offers_values;
  for (const parser::assignment& a : set) {
    column_index column = id_column;
    if (auto failed = resolve_written(t, a.column, updated_, column)) return failed;
    if (column == id_column) return read_only_id(t.name());
    assigned_value& v = set_.emplace_back();
    v.literal = &a.value;
    if (a.value.computed == nullptr) continue;
    if (auto failed = sql::bound_expression::bind(*a.value.computed, names, v.computed.emplace())) return failed;
  }
  return std::nullopt;
}

/// An update event shows what tells the row, and then what was set.
void executor::send_updated(const table& t) {
  sent_.assign(t.row_columns().begin(), t.row_columns().end());
  for (const column_index column : updated_) {
    if (t.shows_id() || std::ranges::find(sent_, column) == sent_.end()) sent_.push_back(column);
  }
}

executor::failure executor::resolve_duplicate_updates(table& t, const parser::insert_statement& s) {
  if (s.on_duplicate != parser::duplicate_rule::update) return std::nullopt;
  if (auto failed = resolve_set(t, s.updates, true)) return failed;
  updated_.reserve(t.column_count());
  send_updated(t);
  return std::nullopt;
}

/// Puts into `values_` what an update makes of a row. Assignments see what those before them have set, as in MySQL.
executor::failure executor::compute_update(const table& t, row_number row) {
  values_.resize(t.column_count());
  row_view::cursor columns(t.get(row));
  for (column_index column = 1; column < t.column_count(); ++column) values_[column] = columns.at(column);
  for (std::size_t i = 0; i < set_.size(); ++i) {
    const sql::expression_input in{.row = t.get(row), .values = values_, .offered = offered_};
    if (auto failed = write_assigned(t, updated_[i], set_[i], in)) return failed;
  }
  return std::nullopt;
}

executor::failure executor::store_update(table& t, row_number row) {
  if (who_.memory_exceeded != 0 && encoded_row_bytes(values_) > t.get(row).size()) {
    return out_of_memory(who_.memory_exceeded);
  }
  correct_values(t);
  if (auto failed = check_row(t)) return failed;
  if (auto failed = check_keys(t, updated_, row)) return failed;
  log_.update(t, row, values_, updated_);
  return std::nullopt;
}

executor::failure executor::run(const parser::update_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = check_writable(*t)) return failed;
  const auto& where = guard(s.table, access::finding_rights(s), s.where);
  const row_choice choice{.where = where, .order_by = &s.order_by, .limit = s.limit, .for_change = true};
  if (auto failed = find_rows(*t, choice)) return failed;
  if (!found_.empty()) {
    if (auto failed = resolve_set(*t, s.set, false)) return failed;
    for (std::size_t i = 0; i < found_.size(); ++i) assign_corrected(*t, found_[i], i);
    send_updated(*t);
  }
  for (const row_number row : found_) {
    log_.come_of(++row_of_statement_);
    row_memory_.release();
    if (auto failed = compute_update(*t, row)) return failed;
    if (auto failed = store_update(*t, row)) return failed;
  }
  outcome_.rows = found_.size();
  return finish_rows(*t, s.returning, "update");
}

executor::failure executor::run(const parser::delete_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  const auto& where = guard(s.table, access::finding_rights(s), s.where);
  const row_choice choice{.where = where, .order_by = &s.order_by, .limit = s.limit, .for_change = true};
  if (auto failed = find_rows(*t, choice)) return failed;
  if (auto failed = check_writable(*t)) return failed;
  for (const row_number row : found_) log_.erase(*t, row);
  outcome_.rows = found_.size();
  return finish_rows(*t, s.returning, "delete");
}

executor::failure executor::run(const parser::truncate_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = check_writable(*t)) return failed;
  if (is_guarded(s.table, {parser::right::delete_rows})) return truncate_of_some(s.table);
  t->find_all(found_);
  for (const row_number row : found_) log_.erase(*t, row);
  outcome_.rows = found_.size();
  return finish_rows(*t, std::nullopt, "truncate");
}

executor::failure executor::run(const parser::pop_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = check_writable(*t)) return failed;
  if (t->queue() != nullptr) return pop_of_queue(s.table);
  std::optional<row_number> row;
  if (auto failed = find_end(*t, s.end, access::finding_rights(s), row)) return failed;
  if (row) {
    log_.erase(*t, *row);
    outcome_.rows = 1;
  }
  return finish_rows(*t, s.columns, "pop");
}

}  // namespace pubsubsql::storage
