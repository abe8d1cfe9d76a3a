#include "storage/durable/mysql_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <absl/container/flat_hash_set.h>

#include "storage/durable/defaulted_columns.hpp"
#include "storage/durable/read_back_rule.hpp"
#include "storage/durable/value_text.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// Rows of one statement. More gain nothing measurable and make the statement longer to prepare. Each of the sizes is
/// about half of the one before it: what is left over after the large pieces then takes few statements.
constexpr std::array<std::size_t, 11> piece_rows = {1000, 500, 250, 125, 64, 32, 16, 8, 4, 2, 1};
/// Fewer rows are written sooner than another thread takes them over.
constexpr std::size_t rows_ahead_min = 100;
/// Statements whose changes are on the way into the processor's cache while one is folded.
constexpr std::size_t fetched_ahead = 8;
/// What MySQL allows in a prepared statement.
constexpr std::size_t parameters_max = 65'535;

/// Rows read back in one query, whose parameters are all in its text.
constexpr std::size_t rows_read_at_once = 500;

constexpr int address_is_null = 1048;
constexpr int duplicate_entry = 1062;

std::string column_list(const mysql_table& t, std::span<const column_index> columns, bool with_id) {
  std::string list = with_id ? "`id`" : "";
  for (const column_index column : columns) {
    if (!list.empty()) list += ", ";
    list += quoted_name(t.columns[column - 1].name);
  }
  return list;
}

std::string repeated(std::string_view item, std::size_t count, std::string_view between = ", ") {
  std::string list;
  list.reserve((item.size() + between.size()) * count);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) list += between;
    list += item;
  }
  return list;
}

std::string in_parentheses(std::string_view list) {
  return "(" + std::string(list) + ")";
}

std::size_t address_size(const mysql_table& t) {
  return t.own_id ? 1 : t.address.size();
}

/// One row, for a statement about it.
std::string where_address(const mysql_table& t) {
  return " WHERE " + address_condition(t);
}

/// Many rows.
std::string where_addresses(const mysql_table& t, std::size_t rows) {
  if (t.own_id) return " WHERE `id` IN " + in_parentheses(repeated("?", rows));
  return " WHERE " + repeated(in_parentheses(address_condition(t)), rows, " OR ");
}

/// What stands for one row among the VALUES.
std::string values_of_row(const mysql_table& t, std::span<const column_index> columns) {
  std::string one = t.own_id ? "?" : "";
  for (const column_index column : columns) {
    if (!one.empty()) one += ", ";
    one += placeholder(t.columns[column - 1]);
  }
  return in_parentheses(one);
}

bool contains(std::span<const column_index> columns, column_index column) {
  return std::ranges::find(columns, column) != columns.end();
}

/// Columns of an insert: those that were named, and those that address the row.
std::vector<column_index> inserted_columns(const mysql_table& t, std::span<const column_index> assigned,
                                           row_view after) {
  std::vector<column_index> columns;
  for (column_index column = 1; column <= t.columns.size(); ++column) {
    if (t.columns[column - 1].dropped) continue;
    const bool addresses = contains(t.address, column) && after.at(column);
    if (contains(assigned, column) || addresses) columns.push_back(column);
  }
  return columns;
}

/// What came back from MySQL names also what it computes.
std::vector<column_index> writable_of(const mysql_table& t, std::span<const column_index> columns) {
  std::vector<column_index> writable;
  for (const column_index column : columns) {
    if (column != id_column && is_writable(t.columns[column - 1])) writable.push_back(column);
  }
  return writable;
}

std::string set_list(const mysql_table& t, std::span<const column_index> columns) {
  std::string list;
  for (const column_index column : columns) {
    if (!list.empty()) list += ", ";
    list += quoted_name(t.columns[column - 1].name) + " = ";
    list += placeholder(t.columns[column - 1]);
  }
  return list;
}

/// Another row, which others have put there, may have the new row's value of a unique index while the row itself is
/// missing. An upsert would then change that one. This makes its address NULL instead, which MySQL refuses.
template <typename Given>
std::string only_same_row(const mysql_table& t, Given&& given) {
  std::vector<std::string> names;
  if (t.own_id) names.emplace_back("`id`");
  bool assignable = true;
  for (const column_index column : t.address) {
    names.push_back(quoted_name(t.columns[column - 1].name));
    assignable = assignable && !t.columns[column - 1].generated;
  }
  if (!assignable) return {};
  std::string same;
  for (const std::string& name : names) same += (same.empty() ? "" : " AND ") + name + " = " + given(name);
  return names.front() + " = IF(" + same + ", " + names.front() + ", NULL)";
}

/// The part of an upsert that says what changes in a row that is there. MySQL from 8.0.19 on wants the new row to have
/// a name; MariaDB and older ones know only VALUES().
std::string on_duplicate(const mysql_connection& c, const mysql_table& t, std::span<const column_index> assigned) {
  const bool by_name = !c.is_mariadb() && c.server_version() >= 80'019;
  std::string sql = by_name ? " AS new_row ON DUPLICATE KEY UPDATE " : " ON DUPLICATE KEY UPDATE ";
  const auto given = [&](const std::string& name) { return by_name ? "new_row." + name : "VALUES(" + name + ")"; };
  sql += only_same_row(t, given);
  for (const column_index column : assigned) {
    if (t.columns[column - 1].dropped) continue;
    const std::string name = quoted_name(t.columns[column - 1].name);
    if (!sql.ends_with("UPDATE ")) sql += ", ";
    sql += name + " = " + given(name);
  }
  return sql;
}

/// What was run ahead ends with the work it belongs to, also when that is given up for another reason.
class ahead_guard {
 public:
  explicit ahead_guard(mysql_connection& c) : connection_(c) {}
  ~ahead_guard() {
    try {
      connection_.finish();
    } catch (const mysql_error&) {
      // The work has failed already, and an outage shows again with the next call.
      return;
    }
  }
  ahead_guard(const ahead_guard&) = delete;
  ahead_guard& operator=(const ahead_guard&) = delete;

 private:
  mysql_connection& connection_;
};

}  // namespace

/// Somebody may have dropped columns in MySQL: a value for one of them must not vanish unseen.
void mysql_writer::require_writable(const mysql_table& t, const change& c) {
  if (!t.read_only_reason.empty()) {
    throw mysql_error(mysql_error::read_only_table, "HY000",
                      "table " + t.name + " cannot be written: " + t.read_only_reason);
  }
  if (std::ranges::any_of(c.assigned, [&](column_index column) { return column > t.columns.size(); })) {
    throw_column_is_gone(t);
  }
}

// Parameters

void mysql_writer::bind(parameter_list& out, const mysql_column& c, const value& v) {
  if (!v) {
    out.emplace_back(std::monostate{});
    return;
  }
  if (c.form == mysql_form::text) {
    out.emplace_back(*v);
    return;
  }
  std::string& made = scratch_.emplace_back();
  const value given = to_mysql(c.form, v, made);
  out.emplace_back(*given);
}

void mysql_writer::bind_address(parameter_list& out, const mysql_table& t, row_view row) {
  if (t.own_id) {
    out.emplace_back(static_cast<std::int64_t>(row.id()));
    return;
  }
  for (const column_index column : t.address) bind(out, t.columns[column - 1], row.at(column));
}

void mysql_writer::bind_columns(parameter_list& out, const mysql_table& t, std::span<const column_index> columns,
                                row_view row) {
  if (t.own_id) out.emplace_back(static_cast<std::int64_t>(row.id()));
  row_view::cursor values(row);
  for (const column_index column : columns) bind(out, t.columns[column - 1], values.at(column));
}

template <typename Sql, typename BindRow>
void mysql_writer::execute_in_pieces(std::span<const row_view> rows, std::size_t parameters_per_row, Sql&& sql,
                                     BindRow&& bind_row) {
  // Half of what fits leaves room for the statement's text and the parameters' headers.
  const std::size_t bytes_max = connection_.packet_bytes_max() / 2;
  while (!rows.empty()) {
    std::size_t fit = 0;
    for (std::size_t bytes = 0; fit < rows.size() && fit < piece_rows.front(); ++fit) {
      bytes += rows[fit].size();
      if (fit > 0 && bytes > bytes_max) break;
    }
    fit = std::max<std::size_t>(1, std::min(fit, parameters_max / std::max<std::size_t>(1, parameters_per_row)));
    const std::size_t piece = *std::ranges::find_if(piece_rows, [&](std::size_t n) { return n <= fit; });
    parameters_.clear();
    scratch_.clear();
    for (const row_view row : rows.first(piece)) bind_row(row, parameters_);
    if (piece < rows_ahead_min) {
      connection_.execute(sql(piece), parameters_);
    } else {
      connection_.execute_ahead(sql(piece), parameters_);
    }
    rows = rows.subspan(piece);
  }
}

// Many rows

bool mysql_writer::write_folded(std::string_view table, std::span<const change> changes) {
  const mysql_table& t = catalog_.get(connection_, table);
  const ahead_guard guard(connection_);
  row_folding folding(t, changes.size());
  for (const change& c : changes) {
    require_writable(t, c);
    if (!folding.add(c)) return false;
  }
  if (!write_operations(t, folding)) return false;
  connection_.finish();
  return true;
}

bool mysql_writer::fold_some(const mysql_table& t, std::span<const statement_changes* const>& statements,
                             row_folding& folding) {
  std::size_t changes = 0;
  bool may_end = true;
  while (!statements.empty()) {
    // Another processor has written these, so they are not at hand: first the statement, then what it points to.
    if (statements.size() > 2 * fetched_ahead) {
      __builtin_prefetch(statements[2 * fetched_ahead]);
      __builtin_prefetch(statements[fetched_ahead]->changes().data());
      __builtin_prefetch(statements[fetched_ahead]->changes().data() + 1);
    }
    for (const change& c : statements.front()->changes()) {
      if (!is_about_rows(c.kind)) continue;
      require_writable(t, c);
      if (!folding.add(c)) return false;
      ++changes;
    }
    statements = statements.subspan(1);
    const std::size_t rows = folding.operations().size();
    if (may_end && rows >= piece_rows.front()) {
      // While MySQL is at work on these rows the next are folded. Where rows come again, or not all in one statement,
      // the more are folded together the fewer statements they take.
      if (changes == rows && folding.operations_are_alike()) return true;
      may_end = false;
    }
  }
  return true;
}

bool mysql_writer::write_folded(std::string_view table, std::span<const statement_changes* const> statements,
                                bool awaited) {
  const mysql_table& t = catalog_.get(connection_, table);
  const read_back_rule rule(t);
  const auto certain = [&](row_view row) { return is_certain_to_be_stored(t, rule, row); };
  const ahead_guard guard(connection_);
  while (!statements.empty()) {
    row_folding folding(t, std::min(statements.size(), piece_rows.front()));
    if (!fold_some(t, statements, folding)) return false;
    if (awaited && !std::ranges::all_of(folding.passed_over(), certain)) return false;
    if (!write_operations(t, folding)) return false;
  }
  connection_.finish();
  return true;
}

bool mysql_writer::write_operations(const mysql_table& t, const row_folding& folding) {
  if (t.has_triggers) return false;  // an upsert of a row that is there would run the triggers of inserts
  const auto sets = folding.column_sets();
  std::vector<row_view> erased;
  std::vector<std::vector<row_view>> inserted(sets.size());
  std::vector<std::vector<row_view>> updated(sets.size());
  for (const row_operation& o : folding.operations()) {
    switch (o.what) {
      case row_operation::kind::none:
        break;
      case row_operation::kind::insert:
        inserted[o.assigned].push_back(o.after);
        break;
      case row_operation::kind::update:
        updated[o.assigned].push_back(o.after);
        break;
      case row_operation::kind::erase:
        erased.push_back(o.before);
        break;
    }
  }
  // Rows go before others may take their keys.
  erase_rows(t, erased);
  for (std::size_t set = 0; set < sets.size(); ++set) update_rows(t, sets[set], updated[set]);
  for (std::size_t set = 0; set < sets.size(); ++set) insert_rows(t, sets[set], inserted[set]);
  write_fronts(t, folding.operations());
  return stored_as_given(t, folding.operations());
}

void mysql_writer::erase_rows(const mysql_table& t, std::span<const row_view> rows) {
  execute_in_pieces(
      rows, address_size(t),
      [&](std::size_t n) { return "DELETE FROM " + quoted_name(t.name) + where_addresses(t, n); },
      [&](row_view row, parameter_list& out) { bind_address(out, t, row); });
}

void mysql_writer::insert_rows(const mysql_table& t, std::span<const column_index> assigned,
                               std::span<const row_view> rows) {
  if (rows.empty()) return;
  const std::vector<column_index> columns = inserted_columns(t, assigned, rows.front());
  const std::string head =
      "INSERT INTO " + quoted_name(t.name) + " " + in_parentheses(column_list(t, columns, t.own_id)) + " VALUES ";
  const std::string one = values_of_row(t, columns);
  execute_in_pieces(
      rows, columns.size() + 1, [&](std::size_t n) { return head + repeated(one, n); },
      [&](row_view row, parameter_list& out) { bind_columns(out, t, columns, row); });
}

void mysql_writer::update_rows(const mysql_table& t, std::span<const column_index> assigned,
                               std::span<const row_view> rows) {
  if (rows.empty()) return;
  const std::string tail = on_duplicate(connection_, t, assigned);
  for (const defaulted_columns::alike& of : defaulted_columns(t, assigned).group(rows)) {
    const std::string head =
        "INSERT INTO " + quoted_name(t.name) + " " + in_parentheses(column_list(t, of.columns, t.own_id)) + " VALUES ";
    const std::string one = values_of_row(t, of.columns);
    execute_in_pieces(
        of.rows, of.columns.size() + 1, [&](std::size_t n) { return head + repeated(one, n) + tail; },
        [&](row_view row, parameter_list& out) { bind_columns(out, t, of.columns, row); });
  }
}

bool mysql_writer::stored_as_given(const mysql_table& t, std::span<const row_operation> operations) {
  const read_back_rule rule(t);
  std::vector<row_view> rows;
  for (const row_operation& o : operations) {
    const bool written = o.what == row_operation::kind::insert || o.what == row_operation::kind::update;
    if (written && rule.concerns(o.after)) rows.push_back(o.after);
  }
  for (std::size_t at = 0; at < rows.size(); at += rows_read_at_once) {
    const auto piece = std::span(rows).subspan(at, std::min(rows_read_at_once, rows.size() - at));
    if (!stored_as_given(t, piece)) return false;
  }
  return true;
}

bool mysql_writer::stored_as_given(const mysql_table& t, std::span<const row_view> rows) {
  parameters_.clear();
  scratch_.clear();
  for (const row_view row : rows) bind_address(parameters_, t, row);
  const auto found = connection_.query(
      "SELECT " + select_list(t) + " FROM " + quoted_name(t.name) + where_addresses(t, rows.size()), parameters_);
  if (found.size() != rows.size()) return false;
  // Rows come in MySQL's order. Those it stored as they are wanted are as many as there are wanted: then all are.
  absl::flat_hash_set<std::string> wanted;
  std::string made;
  for (const row_view row : rows) {
    std::string text = t.own_id ? std::to_string(row.id()) : std::string();
    row_view::cursor values(row);
    for (column_index column = 1; column <= t.columns.size(); ++column) {
      append_value(text, t.columns[column - 1].dropped ? value{} : values.at(column));
    }
    wanted.insert(std::move(text));
  }
  for (const auto& stored : found) {
    std::string text = t.own_id ? stored.front().value_or("") : std::string();
    for (std::size_t i = 0; i < t.columns.size(); ++i) {
      const std::optional<std::string>& cell = stored[i + (t.own_id ? 1 : 0)];
      append_value(text, from_mysql(t.columns[i].form, cell ? value{*cell} : value{}, made));
    }
    if (wanted.erase(text) == 0) return false;
  }
  return true;
}

// Rows that stand at the front: MySQL's tables have no order of their own, so a table beside them says which.

void mysql_writer::set_front(const mysql_table& t, row_view row, bool there) {
  if (!t.own_id || row.position() >= 0) return;
  const std::array<mysql_parameter, 2> which = {std::string_view(t.name), static_cast<std::int64_t>(row.id())};
  connection_.execute(there ? "INSERT IGNORE INTO pubsubsql_fronts (table_name, id) VALUES (?, ?)"
                            : "DELETE FROM pubsubsql_fronts WHERE table_name = ? AND id = ?",
                      which);
}

void mysql_writer::write_fronts(const mysql_table& t, std::span<const row_operation> operations) {
  for (const row_operation& o : operations) {
    if (o.what == row_operation::kind::insert) set_front(t, o.after, true);
    if (o.what == row_operation::kind::erase) set_front(t, o.before, false);
  }
}

// One statement

/// What MySQL's columns have in memory.
mysql_writer::stored_row mysql_writer::as_given(const mysql_table& t, row_view row) {
  stored_row given;
  row_view::cursor values(row);
  for (column_index column = 1; column <= t.columns.size(); ++column) {
    const value v = values.at(column);
    given.push_back(v ? std::optional<std::string>(*v) : std::nullopt);
  }
  return given;
}

bool mysql_writer::differs(const mysql_table& t, row_view row, const stored_row& stored) {
  row_view::cursor values(row);
  for (column_index column = 1; column <= t.columns.size(); ++column) {
    const auto& there = stored[column - 1];
    if (t.columns[column - 1].dropped) continue;
    if (values.at(column) != (there ? value{*there} : value{})) return true;
  }
  return false;
}

std::optional<corrected_rows> mysql_writer::write(const statement_changes& s, bool may_be_there) {
  const mysql_table& t = catalog_.get(connection_, s.table_name());
  const read_back_rule rule(t);
  corrected_rows rows;
  bool corrected = false;
  for (const change& c : s.changes()) {
    if (!is_about_rows(c.kind)) continue;
    require_writable(t, c);
    if (c.kind == change_kind::delete_row) {
      erase_row(t, c.before);
      continue;
    }
    const bool generated_address = c.kind == change_kind::insert_row && !t.own_id &&
                                   std::ranges::any_of(t.address, [&](column_index a) { return !c.after.at(a); });
    if (c.kind == change_kind::insert_row) {
      insert_row(t, c, may_be_there);
    } else {
      update_row(t, c, may_be_there);
    }
    auto stored = rule.concerns(c.after) ? read_back(t, c.after, generated_address) : std::nullopt;
    corrected = corrected || stored.has_value();
    rows.push_back(stored ? std::move(*stored) : as_given(t, c.after));
  }
  if (!corrected) return std::nullopt;
  return rows;
}

void mysql_writer::erase_row(const mysql_table& t, row_view row) {
  parameters_.clear();
  scratch_.clear();
  bind_address(parameters_, t, row);
  connection_.execute("DELETE FROM " + quoted_name(t.name) + where_address(t), parameters_);
  set_front(t, row, false);
}

void mysql_writer::insert_row(const mysql_table& t, const change& c, bool may_be_there) {
  try {
    insert_rows(t, may_be_there ? writable_of(t, c.assigned) : std::vector(c.assigned.begin(), c.assigned.end()),
                {&c.after, 1});
  } catch (const mysql_error& e) {
    if (!may_be_there || e.code() != duplicate_entry || !has_row(t, c)) throw;
  }
  set_front(t, c.after, true);
}

/// Whether the row is there with all values that it was given.
bool mysql_writer::has_row(const mysql_table& t, const change& inserted) {
  const bool has_address =
      std::ranges::all_of(t.address, [&](column_index column) { return inserted.after.at(column).has_value(); });
  if (!has_address) return false;
  const auto stored = read_row(t, inserted.after);
  return stored && std::ranges::all_of(inserted.assigned, [&](column_index column) {
           if (column == id_column) return true;
           const auto& there = (*stored)[column - 1];
           return inserted.after.at(column) == (there ? value{*there} : value{});
         });
}

void mysql_writer::update_row(const mysql_table& t, const change& c, bool may_be_there) {
  std::vector<column_index> assigned =
      may_be_there ? writable_of(t, c.assigned) : std::vector(c.assigned.begin(), c.assigned.end());
  std::ranges::sort(assigned);
  std::erase_if(assigned, [&](column_index column) { return t.columns[column - 1].dropped; });
  if (assigned.empty()) return;
  parameters_.clear();
  scratch_.clear();
  for (const column_index column : assigned) bind(parameters_, t.columns[column - 1], c.after.at(column));
  bind_address(parameters_, t, c.before);
  const std::string sql = "UPDATE " + quoted_name(t.name) + " SET " + set_list(t, assigned) + where_address(t);
  if (connection_.execute(sql, parameters_) > 0) return;
  // Nothing changed, or the row is missing there: then it is made.
  if (!t.has_triggers) put_row(t, c.after);
}

void mysql_writer::put_row(const mysql_table& t, row_view row) {
  try {
    update_rows(t, defaulted_columns(t).group({&row, 1}).front().columns, {&row, 1});
  } catch (const mysql_error& e) {
    if (e.code() != address_is_null) throw;
    throw mysql_error(duplicate_entry, "23000",
                      "table " + t.name +
                          " has got another row with the same value of a unique index in MySQL; mysql "
                          "repair " +
                          t.name + " from mysql takes it over");
  }
  set_front(t, row, true);
}

std::optional<mysql_writer::stored_row> mysql_writer::read_back(const mysql_table& t, row_view row,
                                                                bool generated_address) {
  parameters_.clear();
  scratch_.clear();
  if (generated_address) {
    if (t.address.size() != 1) {
      throw mysql_error(address_is_null, "23000",
                        "give every column of the primary key of table " + t.name + " a value");
    }
    parameters_.emplace_back(static_cast<std::int64_t>(connection_.last_insert_id()));
  } else {
    bind_address(parameters_, t, row);
  }
  auto stored = read_bound_row(t);
  if (!stored) {
    throw mysql_error(
        0, "HY000",
        "MySQL has changed the key of the row it was given in table " + t.name + "; write the key as MySQL shows it");
  }
  if (!differs(t, row, *stored)) return std::nullopt;
  return stored;
}

/// The row whose address is bound, or nothing when there is none.
std::optional<mysql_writer::stored_row> mysql_writer::read_bound_row(const mysql_table& t) {
  const auto found =
      connection_.query("SELECT " + select_list(t) + " FROM " + quoted_name(t.name) + where_address(t), parameters_);
  if (found.size() != 1) return std::nullopt;
  const std::size_t first = t.own_id ? 1 : 0;
  stored_row stored;
  std::string made;
  for (std::size_t i = 0; i < t.columns.size(); ++i) {
    const std::optional<std::string>& cell = found.front()[first + i];
    const value v = from_mysql(t.columns[i].form, cell ? value{*cell} : value{}, made);
    stored.push_back(v ? std::optional<std::string>(*v) : std::nullopt);
  }
  return stored;
}

std::optional<mysql_writer::stored_row> mysql_writer::read_row(const mysql_table& t, row_view row) {
  parameters_.clear();
  scratch_.clear();
  bind_address(parameters_, t, row);
  return read_bound_row(t);
}

// What arrived before

std::optional<corrected_rows> mysql_writer::read_back(const statement_changes& s) {
  const mysql_table& t = catalog_.get(connection_, s.table_name());
  const read_back_rule rule(t);
  corrected_rows rows;
  bool corrected = false;
  for (const change& c : s.changes()) {
    if (c.kind != change_kind::insert_row && c.kind != change_kind::update_row) continue;
    auto stored = rule.concerns(c.after) ? read_row(t, c.after) : std::nullopt;
    corrected = corrected || (stored && differs(t, c.after, *stored));
    rows.push_back(stored ? std::move(*stored) : as_given(t, c.after));
  }
  if (!corrected) return std::nullopt;
  return rows;
}

}  // namespace pubsubsql::storage::durable
