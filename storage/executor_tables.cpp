// Tables with declared columns and indexes, and the end of tables.

#include <algorithm>
#include <utility>

#include "parser/keywords.hpp"
#include "storage/errors.hpp"
#include "storage/executor.hpp"
#include "storage/sql/stored_value.hpp"

namespace pubsubsql::storage {

namespace {

bool is_integer_type(std::string_view type) {
  const auto parsed = sql::parse_column_type(type, {});
  return parsed && parsed->is_integer();
}

/// As MySQL compares names of columns, as far as they are ASCII.
bool is_same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// A default value is everybody's: it is computed when nobody asks, too.
bool names_user(const parser::expression& e) {
  return (e.op == parser::operation::call && parser::equals_keyword(e.text, "current_user")) ||
         std::ranges::any_of(e.operands, [](const parser::expression* operand) { return names_user(*operand); });
}

/// What MySQL gives the rows that are there when a column comes that is NOT NULL and has no default; nothing: it
/// refuses the column. nullptr: a column without a type.
std::optional<std::string_view> value_without_default(const sql::column_type* type) {
  if (type == nullptr) return "";
  if (type->is_number()) return "0";
  switch (type->kind) {
    case sql::type_kind::enumeration:
      return type->labels->front();
    case sql::type_kind::time:
      return "00:00:00";
    case sql::type_kind::set:
    case sql::type_kind::bytes:
      return "";
    default:
      return type->is_text() && type->kind != sql::type_kind::json ? std::optional<std::string_view>("") : std::nullopt;
  }
}

}  // namespace

/// What a column is declared to be; `facts` is left empty for one without a type.
executor::failure executor::describe_column(const parser::column_definition& d, std::optional<column_facts>& facts) {
  if (d.name.size() > limits_.name_bytes_max) return name_too_long(d.name, limits_.name_bytes_max);
  const bool is_plain = d.type.empty() && !d.not_null && !d.default_value && !d.auto_increment;
  if (is_plain) return std::nullopt;
  column_facts& f = facts.emplace();
  f.nullable = !d.not_null;
  if (!d.type.empty()) {
    const auto type = sql::parse_column_type(d.type, d.name);
    if (!type) return to_error(type.error());
    f.type = sql::to_text(*type);
    if (d.auto_increment && !type->is_integer()) return wrong_column_specifier(d.name);
  } else if (d.auto_increment) {
    return wrong_column_specifier(d.name);
  }
  if (d.auto_increment) {
    f.extra = column_facts::counted;
    f.nullable = false;
    if (d.default_value) return invalid_default(d.name);
  }
  if (d.default_value) return describe_default(d, f);
  return std::nullopt;
}

executor::failure executor::describe_default(const parser::column_definition& d, column_facts& f) {
  const parser::literal& given = *d.default_value;
  if (given.is_null) return f.nullable ? std::nullopt : failure(invalid_default(d.name));
  if (given.computed != nullptr) {
    if (names_user(*given.computed)) return invalid_default(d.name);
    f.default_text = std::string(given.computed->source);
    f.extra = column_facts::computed_default;
    return std::nullopt;
  }
  f.default_text = std::string(given.text);
  if (f.type.empty()) return std::nullopt;
  row_memory_.release();
  sql::evaluation e(row_memory_, who_.now_us, &budget_);
  const auto type = sql::parse_column_type(f.type, d.name);
  const std::string_view number_or_text = type->is_number() ? number_of_word(given) : given.text;
  const std::string_view text = sql::canonical_text(e, *type, number_or_text, {.table = {}, .column = d.name});
  if (e.failure()) return invalid_default(d.name);
  f.default_text = std::string(text);
  return std::nullopt;
}

/// The columns of a declared table; one called `id` becomes the engine's own when it is an integer and the primary key,
/// as in tables of MySQL.
executor::failure executor::describe_columns(const parser::create_table_statement& s, table_description& out) {
  const auto is_primary = [&](std::string_view column) {
    return std::ranges::any_of(s.indexes, [&](const parser::index_definition& i) {
      return i.type == parser::index_type::primary && i.columns.size() == 1 && i.columns.front() == column;
    });
  };
  if (s.columns.size() >= limits_.columns_max) return too_many_columns(s.table, limits_.columns_max);
  for (const parser::column_definition& d : s.columns) {
    std::optional<column_facts> facts;
    if (auto failed = describe_column(d, facts)) return failed;
    const auto same_name = [&](const table_description::column& c) { return is_same_name(c.name, d.name); };
    const bool is_called_id = parser::equals_keyword(d.name, "id");
    if (std::ranges::any_of(out.columns, same_name) || (out.id_facts && is_called_id)) return duplicate_column(d.name);
    if (is_called_id && d.name != "id" && is_primary(d.name) && is_integer_type(d.type)) return misspelt_id(d.name);
    if (d.name == "id" && is_primary("id") && is_integer_type(d.type)) {
      if (!out.columns.empty()) return id_must_be_first(s.table);
      out.id_facts = std::move(facts);
      out.id_facts->nullable = false;
      out.next_id = 1;
      continue;
    }
    if (d.name == "id") out.hides_id = true;
    if (is_primary(d.name)) {
      if (!facts) facts.emplace();
      facts->nullable = false;
    }
    out.columns.push_back({.name = std::string(d.name), .facts = std::move(facts)});
  }
  const auto counts = [](const table_description::column& c) {
    return c.facts && c.facts->extra == column_facts::counted;
  };
  if (std::ranges::count_if(out.columns, counts) + (out.id_facts ? 1 : 0) > 1) return one_auto_increment();
  return std::nullopt;
}

/// The places of an index's columns in the table; `id` is 0.
executor::failure executor::describe_index(const parser::index_definition& d, const table_description& of,
                                           index_description& out) const {
  if (of.indexes.size() >= limits_.indexes_max) return too_many_indexes(of.name, limits_.indexes_max);
  out.type = d.type;
  for (const std::string_view name : d.columns) {
    const auto it = std::ranges::find_if(
        of.columns, [&](const table_description::column& c) { return !c.dropped && c.name == name; });
    const bool is_id = it == of.columns.end() && name == "id" && !of.hides_id;
    if (it == of.columns.end() && !is_id) return missing_key_column(name);
    const auto column = is_id ? id_column : static_cast<column_index>(it - of.columns.begin() + 1);
    if (std::ranges::find(out.columns, column) != out.columns.end()) return duplicate_column(name);
    out.columns.push_back(column);
  }
  out.name = d.type == parser::index_type::primary ? "PRIMARY" : std::string(d.name);
  const auto is_taken = [&](std::string_view name) {
    return std::ranges::any_of(of.indexes, [&](const index_description& i) { return i.name == name; });
  };
  if (out.name.empty()) {
    // As in MySQL: called like its first column, with a number when that is taken.
    out.name = d.columns.front();
    for (unsigned n = 2; is_taken(out.name); ++n) out.name = std::string(d.columns.front()) + "_" + std::to_string(n);
  } else if (is_taken(out.name)) {
    return d.type == parser::index_type::primary ? several_primary_keys() : duplicate_index(out.name);
  }
  if (out.name.size() > limits_.name_bytes_max) return name_too_long(out.name, limits_.name_bytes_max);
  return std::nullopt;
}

executor::failure executor::describe_table(const parser::create_table_statement& s, table_description& out) {
  out.name = s.table;
  out.declared = true;
  if (auto failed = describe_columns(s, out)) return failed;
  for (const parser::index_definition& d : s.indexes) {
    index_description index;
    if (auto failed = describe_index(d, out, index)) return failed;
    if (index.columns.size() == 1 && index.columns.front() == id_column) continue;  // the table finds rows by id anyway
    if (index.type == parser::index_type::primary) {
      for (const column_index column : index.columns) {
        if (column == id_column) continue;
        auto& facts = out.columns[column - 1].facts;
        if (!facts) facts.emplace();
        facts->nullable = false;
      }
    }
    out.indexes.push_back(std::move(index));
  }
  return std::nullopt;
}

executor::failure executor::run(const parser::create_table_statement& s) {
  table* t = find_table(s.table);
  if (t != nullptr && !t->is_bare()) {
    return s.if_not_exists ? finish_schema(*t, "create") : table_exists(s.table);
  }
  if (auto failed = check_new_table(s.table)) return failed;
  table_description& d = declared_.emplace();
  if (auto failed = describe_table(s, d)) return failed;
  return make_declared(d);
}

executor::failure executor::check_new_table(std::string_view name) const {
  if (name.size() > limits_.name_bytes_max) return name_too_long(name, limits_.name_bytes_max);
  if (name.starts_with(own_tables)) return reserved_name(name);
  return std::nullopt;
}

/// REQUIRES: there is no table of the name, or it is nothing but a name; `d` stays valid until begin().
executor::failure executor::make_declared(table_description& d) {
  if (table* const t = find_table(d.name)) {
    std::vector<binding> bound;
    if (t->bindings() != nullptr) bound.assign(t->bindings()->all().begin(), t->bindings()->all().end());
    replace(*t, std::make_unique<table>(d));
    log_.created(*following_, &d);
    follow_history(*t);
    // What was bound to the name stays with it, as its subscribers do.
    for (const binding& b : bound) {
      if (auto failed = log_.add_binding(*following_, b)) return failed;
    }
    for (const auto& [name, s] : t->named()) {
      log_.add_subscription(*following_, s.what);
      following_->find_named(name)->taken_by = s.taken_by;
    }
    return finish_schema(*following_, "create");
  }
  d.sequence = first_number();
  table& made = restore(d);
  log_.created(made, &d);
  return finish_schema(made, "create");
}

/// The table goes, and `by` has its name, its subscribers and the numbering of its changes then.
void executor::replace(table& t, std::unique_ptr<table> by) {
  log_.dropped(t);
  leaving_ = &t;
  following_ = std::move(by);
  if (!following_) return;
  following_->continue_numbers(t.sequence());
  following_->count_history(history_totals_);
}

/// The table that has the name then keeps its changes as the one before did: some who have subscribed may come back.
void executor::follow_history(const table& t) {
  if (t.history_setting()) log_.set_history(*following_, t.history_setting());
}

/// Once the events are known, which those have to get who have subscribed to the table that goes.
void executor::finish_replacing() {
  const auto it = tables_.find(leaving_->name());
  std::erase(to_maintain_, leaving_);
  gone_ = std::move(it->second);
  ++tables_version_;
  numbers_used_ = std::max(numbers_used_, gone_->sequence());
  if (!following_) {
    tables_.erase(it);
    return;
  }
  move_subscribers(*gone_, *following_);
  it->second = std::move(following_);
}

void executor::move_subscribers(table& from, table& to) {
  to.take_subscribers(from);
  for (auto& [subscriber, all] : by_subscriber_) {
    for (auto& [pubsubid, of] : all) {
      if (of == &from) of = &to;
    }
  }
}

void executor::undo_replacing(std::string_view name, std::span<const change> changes) {
  const auto dropped = std::ranges::find(changes, change_kind::drop_table, &change::kind);
  auto before = std::make_unique<table>(*dropped->declared);
  before->count_history(history_totals_);
  table& t = *before;
  if (const auto it = tables_.find(name); it != tables_.end()) {
    std::erase(to_maintain_, it->second.get());
    move_subscribers(*it->second, t);
    gone_ = std::exchange(it->second, std::move(before));
  } else {
    tables_.emplace(std::string(name), std::move(before));
  }
  ++tables_version_;
  const auto rows = changes.first(static_cast<std::size_t>(dropped - changes.begin()) + 1);
  erased_rows_ -= rows.size() - 1;
  statement_log::undo(t, rows);
  t.subscribers().rows_taken_back();
}

executor::failure executor::run(const parser::drop_table_statement& s) {
  table* t = find_table(s.table);
  if (t == nullptr) {
    if (!s.if_exists) return s.is_queue ? unknown_queue(s.table) : unknown_table(s.table);
    outcome_.kind = reply_kind::done;
    outcome_.action = "drop";
    return std::nullopt;
  }
  if (s.table.starts_with(own_tables)) return reserved_name(s.table);
  if (s.is_queue && t->queue() == nullptr) return no_queue(s.table);
  if (auto failed = check_writable(*t)) return failed;
  t->find_all(found_);
  for (const row_number row : found_) log_.erase(*t, row);
  // Subscribers stay with the name, as if they had come when the table was not there yet.
  const bool is_followed = t->subscribers().size() > 0;
  replace(*t, is_followed ? std::make_unique<table>(t->name()) : nullptr);
  if (is_followed) {
    log_.created(*following_);
    follow_history(*t);
  }
  return finish_schema(*t, "drop");
}

/// What rows that are there get in a new column: its default, or what MySQL takes for one where it cannot be NULL. In a
/// table of a database outside, which gives later rows theirs itself, as well: it fills the column alike, and tells
/// nobody.
executor::failure executor::fill_column(table& t, column_index column) {
  const column_facts* const facts = t.facts_of(column);
  if (t.row_count() == 0 || facts == nullptr) return std::nullopt;
  const std::unique_ptr<const sql::bound_expression> given = table::read_default(*facts);
  const bool has_default = given != nullptr;
  if (!has_default && facts->nullable) return std::nullopt;
  if (facts->extra == column_facts::counted) return counter_on_rows(t.name(), t.column_name(column));
  const sql::column_type* const type = t.type_of(column);
  const std::optional<std::string_view> implied = value_without_default(type);
  if (!has_default && !implied) return to_error(sql::no_default({.table = t.name(), .column = t.column_name(column)}));
  updated_.push_back(column);
  send_updated(t);
  t.find_all(found_);
  for (const row_number row : found_) {
    if (auto failed = compute_update(t, row)) return failed;
    if (has_default) {
      if (auto failed = write_computed(t, column, *given, {})) return failed;
    } else if (auto failed = write_text(t, column, *implied)) {
      return failed;
    }
    if (auto failed = store_update(t, row)) return failed;
  }
  return std::nullopt;
}

executor::failure executor::run(const parser::add_column_statement& s) {
  table* t = find_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = check_writable(*t)) return failed;
  const auto has_name = [&](column_index column) {
    return column != id_column && is_same_name(t->column_name(column), s.column.name);
  };
  if (t->find_column(s.column.name) || (t->is_declared() && std::ranges::any_of(t->all_columns(), has_name))) {
    return duplicate_column(s.column.name);
  }
  if (t->column_count() >= limits_.columns_max) return too_many_columns(t->name(), limits_.columns_max);
  if (s.column.auto_increment && t->auto_increment_column()) return one_auto_increment();
  const bool has_rules =
      !s.column.type.empty() || s.column.not_null || s.column.default_value || s.column.auto_increment;
  if (has_rules && !t->is_declared() && !t->is_typed()) return undeclared_table(t->name());
  auto& facts = column_declared_;
  facts.reset();
  if (auto failed = describe_column(s.column, facts)) return failed;
  const column_index column = log_.add_column(*t, s.column.name, facts ? &*facts : nullptr);
  if (auto failed = fill_column(*t, column)) return failed;
  if (s.index) {
    if (auto failed = add_ordered_index(*t, *s.index)) return failed;
  }
  return finish_schema(*t, "alter");
}

executor::failure executor::run(const parser::drop_column_statement& s) {
  table* t = find_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = check_writable(*t)) return failed;
  const auto column = t->find_column(s.column);
  if (!column) return cannot_drop(s.column);
  if (*column == id_column) return read_only_id(t->name());
  if (t->is_own(*column)) return own_column(t->name(), s.column);
  if (t->queue() != nullptr && *column == t->queue()->settings().priority) return priority_column(t->name(), s.column);
  if (t->all_columns().size() == 1) return last_column(t->name());
  for (std::size_t i = t->ordered_indexes().size(); i-- > 0;) {
    const ordered_index& index = *t->ordered_indexes()[i];
    if (!index.has(*column)) continue;
    if (index.columns().size() > 1) return column_of_index(s.column, index.name());
    log_.drop_ordered_index(*t, index);
  }
  t->subscribers().column_is_dropped(*column, who_.now_us, budget_);
  if (auto failed = check_steps()) return failed;
  log_.drop_column(*t, *column);
  return finish_schema(*t, "alter");
}

executor::failure executor::add_ordered_index(table& t, const parser::index_definition& d) {
  const bool has_primary = t.takes_ids() || (!t.primary_key().empty() && t.primary_key().front() != id_column);
  if (d.type == parser::index_type::primary && has_primary) return several_primary_keys();
  index_description index;
  if (auto failed = describe_index(d, t.description(), index)) return failed;
  if (d.type == parser::index_type::primary) {
    for (const column_index column : index.columns) {
      if (t.is_nullable(column)) return nullable_primary_key(t.column_name(column));
    }
  }
  const std::string name = index.name;
  if (const auto shared = log_.add_ordered_index(t, std::move(index))) return duplicate_key(t.name(), name, *shared);
  return std::nullopt;
}

executor::failure executor::run(const parser::create_index_statement& s) {
  table* t = find_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = check_writable(*t)) return failed;
  if (auto failed = add_ordered_index(*t, s.index)) return failed;
  return finish_schema(*t, "create");
}

executor::failure executor::run(const parser::drop_index_statement& s) {
  table* t = find_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (auto failed = check_writable(*t)) return failed;
  const ordered_index* const index = t->find_ordered_index(s.index);
  if (index == nullptr) return cannot_drop(s.index);
  log_.drop_ordered_index(*t, *index);
  return finish_schema(*t, "drop");
}

executor::failure executor::finish_schema(const table& t, std::string_view action) {
  outcome_.kind = reply_kind::done;
  outcome_.about = &t;
  outcome_.action = action;
  return std::nullopt;
}

}  // namespace pubsubsql::storage
