#include "storage/durable/mysql_positions.hpp"

#include <array>
#include <charconv>

namespace pubsubsql::storage::durable {

namespace {

constexpr std::string_view bindings_table = "pubsubsql_bindings";
constexpr std::string_view subscriptions_table = "pubsubsql_subscriptions";

std::uint64_t to_number(const std::optional<std::string>& text) {
  std::uint64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

void mysql_positions::make_tables() {
  const auto there = connection_.query(
      "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN "
      "('pubsubsql_tables', 'pubsubsql_fronts')");
  if (to_number(there.front().front()) == 2) return;
  try {
    connection_.run(
        "CREATE TABLE IF NOT EXISTS pubsubsql_tables (table_name VARCHAR(64) NOT NULL PRIMARY KEY, next_id BIGINT "
        "UNSIGNED NOT NULL, sequence BIGINT UNSIGNED NOT NULL, ack TINYINT, origin CHAR(32)) ENGINE = InnoDB DEFAULT "
        "CHARSET = utf8mb4 "
        "COLLATE = utf8mb4_bin COMMENT = 'How far pubsubsqld has got with each table'");
    connection_.run(
        "CREATE TABLE IF NOT EXISTS pubsubsql_fronts (table_name VARCHAR(64) NOT NULL, id BIGINT NOT NULL, PRIMARY KEY "
        "(table_name, id)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin COMMENT = 'Rows that were "
        "pushed to the front of their table'");
  } catch (const mysql_error& e) {
    if (e.code() != mysql_error::command_denied) throw;
    throw mysql_error(e.code(), e.sqlstate(),
                      std::string(e.what()) + "; grant CREATE, or make the tables as docs/operations.md shows");
  }
}

bool mysql_positions::has(std::string_view own_table) const {
  const std::array<mysql_parameter, 1> which = {own_table};
  const auto there = connection_.query(
      "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?", which);
  return to_number(there.front().front()) > 0;
}

void mysql_positions::make_bindings() {
  if (has(bindings_table)) return;
  make(
      "CREATE TABLE IF NOT EXISTS pubsubsql_bindings (number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, "
      "table_name VARCHAR(64) NOT NULL, queue VARCHAR(256) NOT NULL, predicate LONGTEXT NOT NULL, KEY (table_name)) "
      "ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin COMMENT = 'What rows are copied to which "
      "queues'");
}

void mysql_positions::make_subscriptions() {
  if (has(subscriptions_table)) return;
  make(
      "CREATE TABLE IF NOT EXISTS pubsubsql_subscriptions (name VARCHAR(256) NOT NULL PRIMARY KEY, table_name "
      "VARCHAR(64) NOT NULL, owner VARCHAR(256) NOT NULL, statement LONGTEXT NOT NULL, guarded LONGTEXT NOT NULL, "
      "position BIGINT UNSIGNED, KEY (table_name)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin "
      "COMMENT = 'Named subscriptions, and how far they are acknowledged'");
}

void mysql_positions::make(const std::string& sql) {
  try {
    connection_.run(sql);
  } catch (const mysql_error& e) {
    if (e.code() != mysql_error::command_denied) throw;
    throw mysql_error(e.code(), e.sqlstate(),
                      std::string(e.what()) + "; grant CREATE, or make the table as docs/operations.md shows");
  }
}

void mysql_positions::require_writable() {
  connection_.run("DELETE FROM pubsubsql_tables WHERE table_name = ''");  // there is none
}

std::optional<mysql_positions::position> mysql_positions::read(std::string_view table) const {
  const std::array<mysql_parameter, 1> which = {table};
  const auto rows =
      connection_.query("SELECT next_id, sequence, ack, origin FROM pubsubsql_tables WHERE table_name = ?", which);
  if (rows.empty()) return std::nullopt;
  position p;
  p.next_id = to_number(rows.front()[0]);
  p.sequence = to_number(rows.front()[1]);
  if (rows.front()[2]) p.ack = static_cast<parser::ack_mode>(to_number(rows.front()[2]));
  p.origin = rows.front()[3].value_or("");
  return p;
}

void mysql_positions::claim(std::string_view table) {
  if (origin_.empty()) return;
  const std::array<mysql_parameter, 2> values = {std::string_view(origin_), table};
  connection_.execute("UPDATE pubsubsql_tables SET origin = ? WHERE table_name = ?", values);
}

bool mysql_positions::has_former(std::string_view table, std::uint64_t made_at) const {
  const auto p = read(table);
  // With 0 it is the new one, half made.
  return p && is_ours(*p) && p->sequence != 0 && p->sequence < made_at;
}

void mysql_positions::store(std::string_view table, std::uint64_t next_id, std::uint64_t sequence) {
  const std::array<mysql_parameter, 4> values = {
      table, static_cast<std::int64_t>(next_id), static_cast<std::int64_t>(sequence),
      origin_.empty() ? mysql_parameter(std::monostate{}) : mysql_parameter(std::string_view(origin_))};
  connection_.execute(
      "INSERT INTO pubsubsql_tables (table_name, next_id, sequence, origin) VALUES (?, ?, ?, ?) ON DUPLICATE KEY "
      "UPDATE next_id = "
      "VALUES(next_id), sequence = VALUES(sequence)",
      values);
}

void mysql_positions::store_ack(std::string_view table, std::optional<parser::ack_mode> ack) {
  const std::array<mysql_parameter, 2> values = {
      table, ack ? mysql_parameter(static_cast<std::int64_t>(*ack)) : mysql_parameter(std::monostate{})};
  connection_.execute(
      "INSERT INTO pubsubsql_tables (table_name, next_id, sequence, ack) VALUES (?, 0, 0, ?) ON DUPLICATE KEY UPDATE "
      "ack "
      "= VALUES(ack)",
      values);
}

std::vector<binding_description> mysql_positions::bindings(std::string_view table) const {
  std::vector<binding_description> all;
  if (!has(bindings_table)) return all;
  const std::array<mysql_parameter, 1> which = {table};
  for (const auto& row : connection_.query(
           "SELECT queue, predicate FROM pubsubsql_bindings WHERE table_name = ? ORDER BY number", which)) {
    all.push_back({.queue = row[0].value_or(""), .where = row[1].value_or("")});
  }
  return all;
}

void mysql_positions::add_binding(std::string_view table, const binding_description& b) {
  const std::array<mysql_parameter, 3> values = {table, std::string_view(b.queue), std::string_view(b.where)};
  connection_.execute("INSERT INTO pubsubsql_bindings (table_name, queue, predicate) VALUES (?, ?, ?)", values);
}

void mysql_positions::drop_binding(std::string_view table, const binding_description& b) {
  const std::array<mysql_parameter, 3> values = {table, std::string_view(b.queue), std::string_view(b.where)};
  connection_.execute("DELETE FROM pubsubsql_bindings WHERE table_name = ? AND queue = ? AND predicate = ?", values);
}

void mysql_positions::store_bindings(std::string_view table, const std::vector<binding_description>& all) {
  if (all.empty() && !has(bindings_table)) return;
  const std::array<mysql_parameter, 1> which = {table};
  connection_.execute("DELETE FROM pubsubsql_bindings WHERE table_name = ?", which);
  for (const binding_description& b : all) add_binding(table, b);
}

std::vector<subscription_description> mysql_positions::subscriptions(std::string_view table) const {
  std::vector<subscription_description> all;
  if (!has(subscriptions_table)) return all;
  const std::array<mysql_parameter, 1> which = {table};
  for (const auto& row : connection_.query("SELECT name, owner, statement, guarded, position FROM "
                                           "pubsubsql_subscriptions WHERE table_name = ? ORDER BY "
                                           "name",
                                           which)) {
    subscription_description& s = all.emplace_back();
    s.name = row[0].value_or("");
    s.owner = row[1].value_or("");
    s.statement = row[2].value_or("");
    s.guarded = row[3].value_or("");
    if (row[4]) s.position = to_number(row[4]);
  }
  return all;
}

void mysql_positions::add_subscription(std::string_view table, const subscription_description& s) {
  const std::array<mysql_parameter, 6> values = {
      std::string_view(s.name),
      table,
      std::string_view(s.owner),
      std::string_view(s.statement),
      std::string_view(s.guarded),
      s.position ? mysql_parameter(static_cast<std::int64_t>(*s.position)) : mysql_parameter(std::monostate{})};
  connection_.execute("REPLACE INTO pubsubsql_subscriptions VALUES (?, ?, ?, ?, ?, ?)", values);
}

void mysql_positions::drop_subscription(std::string_view name) {
  const std::array<mysql_parameter, 1> which = {name};
  connection_.execute("DELETE FROM pubsubsql_subscriptions WHERE name = ?", which);
}

void mysql_positions::acknowledge(std::string_view name, std::uint64_t up_to) {
  const std::array<mysql_parameter, 2> values = {static_cast<std::int64_t>(up_to), name};
  connection_.execute("UPDATE pubsubsql_subscriptions SET position = GREATEST(COALESCE(position, 0), ?) WHERE name = ?",
                      values);
}

void mysql_positions::store_subscriptions(std::string_view table, const std::vector<subscription_description>& all) {
  if (all.empty() && !has(subscriptions_table)) return;
  const std::array<mysql_parameter, 1> which = {table};
  connection_.execute("DELETE FROM pubsubsql_subscriptions WHERE table_name = ?", which);
  for (const subscription_description& s : all) add_subscription(table, s);
}

void mysql_positions::make_tables_for(const table_description& d) {
  if (!d.bindings.empty()) make_bindings();
  if (!d.subscriptions.empty()) make_subscriptions();
}

void mysql_positions::store_settings(const table_description& d) {
  store_bindings(d.name, d.bindings);
  store_subscriptions(d.name, d.subscriptions);
}

void mysql_positions::erase(std::string_view table) {
  const std::array<mysql_parameter, 1> which = {table};
  store_bindings(table, {});
  store_subscriptions(table, {});
  store_history_setting(table, {});
  connection_.execute("DELETE FROM pubsubsql_tables WHERE table_name = ?", which);
  connection_.execute("DELETE FROM pubsubsql_fronts WHERE table_name = ?", which);
}

}  // namespace pubsubsql::storage::durable
