#include "storage/durable/table_comparison.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "storage/durable/defaulted_columns.hpp"
#include "storage/durable/mysql_store.hpp"
#include "storage/durable/mysql_writer.hpp"
#include "storage/durable/value_text.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// Finds the rows of memory by what addresses them in MySQL.
class row_finder {
 public:
  row_finder(const mysql_table& theirs, const table& ours) : theirs_(theirs), ours_(ours) {
    if (theirs.own_id || theirs.address.empty()) return;
    std::vector<row_number> rows;
    ours.find_all(rows);
    by_address_.reserve(rows.size());
    std::string address;
    for (const row_number row : rows) {
      address.clear();
      for (const column_index column : theirs.address) append_value(address, ours.get(row).at(column));
      by_address_.emplace(address, row);
    }
  }

  [[nodiscard]] std::optional<row_number> find(row_position position, std::span<const value> values) const {
    if (theirs_.own_id) return ours_.find_id(id_of(position));
    if (theirs_.address.empty()) return std::nullopt;  // no row can be told from another
    std::string address;
    for (const column_index column : theirs_.address) append_value(address, values[column]);
    const auto it = by_address_.find(address);
    if (it == by_address_.end()) return std::nullopt;
    return it->second;
  }

 private:
  const mysql_table& theirs_;
  const table& ours_;
  absl::flat_hash_map<std::string, row_number> by_address_;
};

bool is_same(const table& ours, row_view row, std::span<const value> values) {
  row_view::cursor columns(row);
  for (column_index column = 1; column < values.size(); ++column) {
    // A row may still have what it had in a dropped column.
    if (column < ours.column_count() && ours.is_dropped(column)) continue;
    if (columns.at(column) != values[column]) return false;
  }
  return true;
}

table_differences::outside_row keep(row_position position, row_number here, std::span<const value> values) {
  table_differences::outside_row kept{.position = position, .here = here, .values = {}};
  kept.values.reserve(values.size());
  for (const value& v : values) kept.values.push_back(v ? std::optional<std::string>(*v) : std::nullopt);
  return kept;
}

/// How often rows are written that MySQL could not write for the sake of others.
constexpr int attempts_max = 5;

/// What made it fail is to be told, not that the connection is gone.
void give_up_transaction(mysql_connection& c) {
  try {
    c.run("ROLLBACK");
  } catch (const mysql_error&) {
  }
}

/// Changes that are tried together.
constexpr std::size_t changes_per_piece = 10'000;

/// What MySQL has stored otherwise than it was given.
struct stored_otherwise {
  std::shared_ptr<const statement_changes> written;
  corrected_rows stored;
};

/// Inside a transaction.
std::vector<stored_otherwise> write_all(mysql_connection& c, mysql_catalog& catalog, const table& ours,
                                        std::span<const change> changes) {
  mysql_writer writer(c, catalog);
  std::vector<stored_otherwise> corrections;
  for (std::size_t at = 0; at < changes.size(); at += changes_per_piece) {
    const auto piece = changes.subspan(at, std::min(changes_per_piece, changes.size() - at));
    c.run("SAVEPOINT before_piece");
    if (writer.write_folded(ours.name(), piece)) continue;
    c.run("ROLLBACK TO SAVEPOINT before_piece");
    auto written = std::make_shared<const statement_changes>(ours, piece);
    if (auto stored = writer.write(*written)) corrections.push_back({std::move(written), std::move(*stored)});
  }
  return corrections;
}

void copy_values(const table_differences::outside_row& row, std::vector<value>& values) {
  values.assign(1, std::nullopt);
  for (std::size_t column = 1; column < row.values.size(); ++column) {
    values.push_back(row.values[column] ? value{*row.values[column]} : value{});
  }
}

/// Which columns are written of memory's rows.
class row_columns {
 public:
  row_columns(const mysql_table& theirs, const table& ours) : defaulted_(theirs), ours_(ours) {}

  /// Valid as long as this.
  [[nodiscard]] std::span<const column_index> of(row_view row) {
    std::vector<column_index> left_out = defaulted_.of(row);
    const auto known = by_left_out_.find(left_out);
    if (known != by_left_out_.end()) return known->second;
    std::vector<column_index> others = defaulted_.others(left_out);
    std::erase_if(others, [&](column_index column) { return column >= ours_.column_count(); });
    return by_left_out_.emplace(std::move(left_out), std::move(others)).first->second;
  }

 private:
  defaulted_columns defaulted_;
  const table& ours_;
  std::map<std::vector<column_index>, std::vector<column_index>> by_left_out_;
};

/// Rows that differ in a key may have exchanged them, and MySQL looks at each row by itself: they give up their keys
/// before others take them. A key that cannot be NULL stays; see rows_to_make_anew().
/// `gone`: rows that have been taken out, by their place in `d.different`.
void give_up_keys(mysql_connection& c, mysql_catalog& catalog, const table& ours, const table_differences& d,
                  const std::vector<bool>& gone) {
  const mysql_table& theirs = catalog.get(c, ours.name());
  std::vector<column_index> keys;
  for (column_index column = 1; column <= theirs.columns.size(); ++column) {
    const mysql_column& k = theirs.columns[column - 1];
    if (k.index == index_kind::key && k.facts.nullable && is_writable(k)) keys.push_back(column);
  }
  std::vector<std::string> rows;
  std::vector<value> values;
  for (std::size_t i = 0; i < d.different.size(); ++i) {
    if (gone[i]) continue;
    const table_differences::outside_row& row = d.different[i];
    copy_values(row, values);
    bool gives_up = false;
    for (const column_index column : keys) {
      if (!values[column] || values[column] == ours.get(row.here).at(column)) continue;
      values[column] = std::nullopt;
      gives_up = true;
    }
    // Without an id of MySQL's the row is found by its address, and the position does not matter.
    const row_position position = d.ids_are_outside ? row.position : ours.get(row.here).position();
    if (gives_up) encode_row(position, values, rows.emplace_back());
  }
  std::vector<change> changes;
  changes.reserve(rows.size());
  for (const std::string& row : rows) {
    const row_view view(row.data());
    changes.push_back({.kind = change_kind::update_row, .before = view, .after = view, .assigned = keys});
  }
  static_cast<void>(write_all(c, catalog, ours, changes));
}

/// Which of the rows that differ want a key that cannot be NULL and that another of them has still got: they are taken
/// out and put in anew. By their place in `d.different`.
std::vector<bool> rows_to_make_anew(const mysql_table& theirs, const table& ours, const table_differences& d) {
  std::vector<bool> anew(d.different.size());
  for (column_index column = 1; column <= theirs.columns.size(); ++column) {
    const mysql_column& k = theirs.columns[column - 1];
    if (k.index != index_kind::key || k.facts.nullable || !is_writable(k)) continue;
    absl::flat_hash_map<std::string_view, std::size_t> holders;
    for (std::size_t i = 0; i < d.different.size(); ++i) {
      if (const auto& held = d.different[i].values[column]) holders.emplace(*held, i);
    }
    for (std::size_t i = 0; i < d.different.size(); ++i) {
      const value wanted = ours.get(d.different[i].here).at(column);
      const auto holder = wanted ? holders.find(*wanted) : holders.end();
      if (holder == holders.end() || holder->second == i) continue;
      anew[i] = true;
      anew[holder->second] = true;
    }
  }
  return anew;
}

}  // namespace

table_differences still_as_written(const table& ours, const statement_changes& written, const corrected_rows& stored) {
  table_differences d;
  std::size_t next = 0;
  for (const change& c : written.changes()) {
    if (c.kind != change_kind::insert_row && c.kind != change_kind::update_row) continue;
    if (next == stored.size()) break;
    const auto& theirs = stored[next++];
    const auto here = ours.find_id(c.after.id());
    std::vector<value> values(1);
    row_view::cursor columns(c.after);
    for (column_index column = 1; column < ours.column_count(); ++column) values.push_back(columns.at(column));
    if (!here || !is_same(ours, ours.get(*here), values)) continue;
    // A statement of which one row was stored otherwise has all its rows here.
    for (std::size_t i = 0; i < theirs.size() && i + 1 < values.size(); ++i) {
      values[i + 1] = theirs[i] ? value{*theirs[i]} : value{};
    }
    if (is_same(ours, ours.get(*here), values)) continue;
    table_differences::outside_row& row = d.different.emplace_back();
    row.here = *here;
    row.values.emplace_back();
    row.values.insert(row.values.end(), theirs.begin(), theirs.end());
  }
  return d;
}

namespace {

std::vector<stored_otherwise> write_in_order(mysql_connection& c, mysql_catalog& catalog, const table& ours,
                                             const table_differences& d) {
  std::vector<std::string> rows(d.only_outside.size() + d.different.size());
  std::vector<change> changes;
  std::vector<value> values;
  const mysql_table& theirs = catalog.get(c, ours.name());
  row_columns columns(theirs, ours);
  // Rows that are too many go first: others may want their keys.
  auto bytes = rows.begin();
  for (const table_differences::outside_row& row : d.only_outside) {
    copy_values(row, values);
    encode_row(row.position, values, *bytes);
    changes.push_back({.kind = change_kind::delete_row, .before = row_view((bytes++)->data())});
  }
  const std::vector<bool> anew = rows_to_make_anew(theirs, ours, d);
  for (std::size_t i = 0; i < anew.size(); ++i) {
    if (!anew[i]) continue;
    copy_values(d.different[i], values);
    encode_row(d.ids_are_outside ? d.different[i].position : ours.get(d.different[i].here).position(), values, *bytes);
    changes.push_back({.kind = change_kind::delete_row, .before = row_view((bytes++)->data())});
  }
  static_cast<void>(write_all(c, catalog, ours, changes));
  changes.clear();
  give_up_keys(c, catalog, ours, d, anew);
  for (std::size_t i = 0; i < anew.size(); ++i) {
    const row_view here = ours.get(d.different[i].here);
    if (anew[i]) {
      changes.push_back({.kind = change_kind::insert_row, .after = here, .assigned = columns.of(here)});
    } else {
      changes.push_back({.kind = change_kind::update_row, .before = here, .after = here, .assigned = columns.of(here)});
    }
  }
  for (const row_number row : d.only_here) {
    const row_view here = ours.get(row);
    changes.push_back({.kind = change_kind::insert_row, .after = here, .assigned = columns.of(here)});
  }
  return write_all(c, catalog, ours, changes);
}

}  // namespace

bool write_differences(mysql_connection& c, mysql_catalog& catalog, const table& ours, const table_differences& d,
                       const correction_handler& on_correction) {
  std::vector<stored_otherwise> corrections;
  for (int attempt = 1;; ++attempt) {
    try {
      c.run("START TRANSACTION");
      corrections = write_in_order(c, catalog, ours, d);
      c.run("COMMIT");
      break;
    } catch (const mysql_error& e) {
      give_up_transaction(c);
      if (!e.is_transient() || attempt == attempts_max) throw;
    }
  }
  if (on_correction) {
    for (const stored_otherwise& o : corrections) on_correction(o.written, o.stored);
  }
  return corrections.empty();
}

table_differences compare(mysql_connection& c, const mysql_table& theirs, const table& ours) {
  table_differences found;
  found.ids_are_outside = theirs.own_id;
  const row_finder finder(theirs, ours);
  std::vector<bool> seen;  // by row number
  read_rows(c, theirs, [&](row_position position, std::span<const value> values) {
    auto here = finder.find(position, values);
    // A place in the table does not change: a row at the other end of it is another row.
    if (here && theirs.own_id && ours.get(*here).position() != position) here.reset();
    if (!here) {
      found.only_outside.push_back(keep(position, no_row, values));
      return;
    }
    if (seen.size() <= *here) seen.resize(std::size_t{*here} + 1);
    seen[*here] = true;
    if (!is_same(ours, ours.get(*here), values)) found.different.push_back(keep(position, *here, values));
  });
  std::vector<row_number> rows;
  ours.find_all(rows);
  for (const row_number row : rows) {
    if (row >= seen.size() || !seen[row]) found.only_here.push_back(row);
  }
  return found;
}

}  // namespace pubsubsql::storage::durable
