// The latest changes of tables, for subscribers that come back after a restart.

#include <algorithm>
#include <array>

#include "storage/durable/description_coding.hpp"
#include "storage/durable/history_coding.hpp"
#include "storage/durable/mysql_positions.hpp"

namespace pubsubsql::storage::durable {

namespace {

constexpr std::string_view histories_table = "pubsubsql_histories";

/// Of one row of the table of histories. In the packet a parameter takes twice its bytes.
constexpr std::size_t part_bytes_max = 512U << 10;

// Part 0 of a table's history is its setting; the changes are cut into the others.
constexpr std::int64_t setting_part = 0;

constexpr const char* put_part = "REPLACE INTO pubsubsql_histories (table_name, part, bytes) VALUES (?, ?, ?)";

}  // namespace

void mysql_positions::make_histories() {
  if (has(histories_table)) return;
  try {
    connection_.run(
        "CREATE TABLE IF NOT EXISTS pubsubsql_histories (table_name VARCHAR(64) NOT NULL, part INT UNSIGNED NOT NULL, "
        "bytes MEDIUMBLOB NOT NULL, PRIMARY KEY (table_name, part)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE "
        "= utf8mb4_bin COMMENT = 'The latest changes of tables, as they were when the server stopped'");
  } catch (const mysql_error& e) {
    if (e.code() != mysql_error::command_denied) throw;
  }
}

void mysql_positions::store_history_setting(std::string_view table, const std::optional<parser::history_setting>& h) {
  if (!has(histories_table)) return;
  if (!h || !h->on) drop_parts(table);
  if (h) put_setting(table, h);
}

void mysql_positions::put_setting(std::string_view table, const std::optional<parser::history_setting>& h) {
  std::string bytes;
  put_history(bytes, h);
  const std::array<mysql_parameter, 3> values = {table, setting_part, std::string_view(bytes)};
  connection_.execute(put_part, values);
}

bool mysql_positions::store_history(const table& t) {
  if (!has(histories_table)) return false;
  drop_parts(t.name());
  put_setting(t.name(), t.history_setting());
  const change_history& kept = *t.history();
  history_head head{.sequence = t.sequence(), .begins_after = kept.begins_after(), .rows = sum_of(t)};
  for (column_index column = 1; column < t.column_count(); ++column) {
    if (t.is_dropped(column)) return false;
    head.columns.emplace_back(t.column_name(column));
  }
  std::string bytes;
  put_head(bytes, head);
  change_history::reader changes = kept.after(kept.begins_after());
  const std::size_t part_bytes = std::min(part_bytes_max, connection_.packet_bytes_max() / 4);
  std::int64_t part = setting_part;
  const auto write = [&](std::size_t least) {
    std::string_view rest = bytes;
    for (; rest.size() >= least; rest.remove_prefix(std::min(part_bytes, rest.size()))) {
      const std::array<mysql_parameter, 3> values = {t.name(), ++part, rest.substr(0, part_bytes)};
      connection_.execute(put_part, values);
    }
    bytes.erase(0, bytes.size() - rest.size());
  };
  while (const past_change* const c = changes.next()) {
    put_change(bytes, *c);
    write(part_bytes);
  }
  write(1);
  return true;
}

mysql_positions::history mysql_positions::read_history(std::string_view table) const {
  history found;
  if (!has(histories_table)) return found;
  const std::array<mysql_parameter, 1> which = {table};
  for (const auto& row :
       connection_.query("SELECT part, bytes FROM pubsubsql_histories WHERE table_name = ? ORDER BY part", which)) {
    const std::string& bytes = *row[1];
    if (row[0] == "0") {
      byte_reader in(bytes);
      found.setting = take_history(in);
      if (!in.good()) found.setting.reset();
    } else {
      found.changes += bytes;
    }
  }
  return found;
}

void mysql_positions::drop_parts(std::string_view table) {
  const std::array<mysql_parameter, 1> which = {table};
  connection_.execute("DELETE FROM pubsubsql_histories WHERE table_name = ?", which);
}

}  // namespace pubsubsql::storage::durable
