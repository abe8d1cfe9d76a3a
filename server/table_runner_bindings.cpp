#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/bound_text.hpp"
#include "parser/print.hpp"
#include "server/shared_state.hpp"
#include "server/table_runner.hpp"
#include "server/worker.hpp"
#include "storage/table.hpp"

// The part of bindings at the tables: what is bound, and what rows go where.

namespace pubsubsql::server {

namespace {

using storage::change_kind;

bool has_any(std::span<const storage::change> changes, std::initializer_list<change_kind> kinds) {
  return std::ranges::any_of(changes,
                             [&](const storage::change& c) { return std::ranges::find(kinds, c.kind) != kinds.end(); });
}

void append_row(std::string& out, storage::row_view row, std::span<const storage::column_index> columns) {
  char separator = '(';
  for (const storage::column_index column : columns) {
    out += separator;
    separator = ',';
    if (const storage::value v = row.at(column)) {
      parser::append_quoted(out, *v);
    } else {
      out += "null";
    }
  }
  out += ')';
}

std::string copying_statement(const storage::row_copies& c, const storage::table& about,
                              std::span<const storage::column_index> columns) {
  std::string sql = "insert into " + parser::quote_name(c.queue);
  char separator = '(';
  for (const storage::column_index column : columns) {
    sql += separator;
    separator = ',';
    sql += parser::quote_name(about.column_name(column));
  }
  sql += ") values ";
  for (std::size_t i = 0; i < c.rows.size(); ++i) {
    if (i > 0) sql += ',';
    append_row(sql, c.rows[i], columns);
  }
  return sql;
}

}  // namespace

void table_runner::note_bindings(std::string_view table) {
  const storage::table* const t = database_.find(table);
  const bool has_some = t != nullptr && t->bindings() != nullptr;
  worker_.shared().bindings.set(table, has_some ? t->bindings()->all() : std::span<const storage::binding>());
}

/// Tells the other workers what concerns them of changes that were made, or taken back.
void table_runner::note_changes(std::string_view table, std::span<const storage::change> changes) {
  if (has_any(changes, {change_kind::add_binding, change_kind::drop_binding, change_kind::drop_table})) {
    note_bindings(table);
  }
  if (has_any(changes, {change_kind::add_subscription, change_kind::drop_subscription, change_kind::drop_table})) {
    note_subscriptions(table);
  }
}

/// The number that the binding is to have; false: it would close a circle, and the answer says so.
bool table_runner::claim_binding(const parser::bind_statement& s, transaction_answer& a, std::uint64_t& number,
                                 const reply_address& to) {
  const auto claimed = worker_.shared().bindings.claim(s.table, s.queue);
  if (claimed) {
    number = *claimed;
    return true;
  }
  const std::string queue(s.queue);
  const std::string table(s.table);
  a.what = transaction_answer::fate::failed;
  encode_error(a.reply, to,
               queue + " cannot be bound to " + table + ": rows of " + queue + " are copied to " + table +
                   ", so they would go round for ever; unbind one of the tables between");
  return false;
}

/// They count for what a transaction may come to. Beyond that it fails anyway, so there are no more of them then.
std::vector<wanted_copy> table_runner::wanted_copies(const storage::outcome& o) {
  std::vector<wanted_copy> all;
  std::size_t bytes = 0;
  for (const storage::row_copies& c : o.copies) {
    if (!bindings_.get().is_bound(o.about->name(), c.queue)) continue;  // it has just been dropped
    all.push_back({.from = std::string(o.about->name()),
                   .queue = std::string(c.queue),
                   .sql = copying_statement(c, *o.about, o.copied_columns)});
    bytes += all.back().sql.size();
    if (bytes > worker_.shared().settings.transaction_bytes_max) break;
  }
  return all;
}

/// What a queue has for itself is not copied from tables that have columns of the same names, nor is another `id` than
/// its own. Nothing: all columns are copied.
std::optional<parser::statement> table_runner::without_own_columns(const parser::statement& copying,
                                                                   const storage::table& queue) {
  const auto is_own = [&](std::string_view name) {
    const auto column = queue.find_column(name);
    return column && (queue.is_own(*column) || (*column == storage::id_column && !queue.takes_ids()));
  };
  const parser::row_source& rows = std::get<parser::insert_statement>(copying.body).rows;
  std::vector<std::size_t> copied;  // places in the row
  for (std::size_t i = 0; i < rows.width; ++i) {
    if (!is_own(rows.columns[i])) copied.push_back(i);
  }
  if (copied.size() == rows.width) return std::nullopt;
  parser::statement cut = copying;
  cut.form = 0;  // it has fewer names than others of the form
  parser::row_source& left = std::get<parser::insert_statement>(cut.body).rows;
  left.width = copied.size();
  left.columns.clear();
  left.values.clear();
  for (const std::size_t i : copied) left.columns.push_back(rows.columns[i]);
  for (std::size_t row = 0; row < rows.values.size(); row += rows.width) {
    for (const std::size_t i : copied) left.values.push_back(rows.values[row + i]);
  }
  return cut;
}

void table_runner::undo(table_queue& q, const storage::durable::statement_changes& changes) {
  database_.undo(q.table, changes.changes());
  note_changes(q.table, changes.changes());
}

/// Nothing is copied to a table that has been dropped, nor to one that is made under its name later.
void table_runner::unbind_everywhere(std::string_view name) {
  const std::string queue(name);  // what follows reads other statements
  const binding_directory::forgotten f = worker_.shared().bindings.forget_queue(queue);
  for (const std::string& table : f.tables) {
    const auto owner = worker_.shared().tables.find(table);
    if (!owner) continue;
    const auto unbind = [table, queue, until = f.until](table_runner& r) { r.unbind_dropped(table, queue, until); };
    if (*owner == worker_.index()) {
      unbind(*this);
    } else {
      worker_.send(*owner, table_work{.work = unbind});
    }
  }
}

void table_runner::unbind_dropped(std::string_view table, std::string_view queue, std::uint64_t until) {
  // It is nobody's statement: a slot that no session has.
  std::string sql = "stream unbind " + parser::quote_name(queue) + " from " + parser::quote_name(table);
  const std::string text = sql;
  run({.route = {.session = {}, .slot = 1, .address = {.stream = true}},
       .stream = true,
       .text = {},
       .sql = std::move(sql),
       .bindings_until = until},
      *statements_.parse(text));
}

}  // namespace pubsubsql::server
