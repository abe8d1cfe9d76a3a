#include "tools/bench/bare_mysql.hpp"

#include <stdexcept>

#include <cppconn/connection.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>
#include <mysql_driver.h>

#include "storage/durable/mysql_address.hpp"

namespace bench {

namespace {

std::string insert_sql(const std::string& table, std::size_t rows) {
  std::string sql = "INSERT INTO `" + table + "` (id, ticker, sector, price, note) VALUES ";
  for (std::size_t i = 0; i < rows; ++i) sql += i == 0 ? "(?, ?, ?, ?, ?)" : ", (?, ?, ?, ?, ?)";
  return sql;
}

unsigned bind_row(sql::PreparedStatement& s, unsigned parameter, std::uint64_t id, const sample_row& r) {
  s.setInt64(parameter++, static_cast<std::int64_t>(id));
  for (const std::string* text : {&r.ticker, &r.sector, &r.price, &r.note}) s.setString(parameter++, *text);
  return parameter;
}

}  // namespace

bare_mysql::bare_mysql(const std::string& url) {
  const auto address = pubsubsql::storage::durable::parse_mysql_address(url);
  if (!address) throw std::runtime_error("--mysql: " + address.error());
  sql::ConnectOptionsMap options;
  options["hostName"] = address->socket.empty() ? "tcp://" + address->host + ":" + std::to_string(address->port)
                                                : "unix://" + address->socket;
  options["userName"] = address->user;
  options["password"] = address->password;
  options["schema"] = address->database;
  options["OPT_CHARSET_NAME"] = "utf8mb4";
  connection_.reset(sql::mysql::get_mysql_driver_instance()->connect(options));
  connection_->setAutoCommit(true);
}

bare_mysql::~bare_mysql() = default;

void bare_mysql::run(const std::string& sql) {
  const std::unique_ptr<sql::Statement> s(connection_->createStatement());
  s->execute(sql);
}

std::string bare_mysql::query(const std::string& sql) {
  const std::unique_ptr<sql::Statement> s(connection_->createStatement());
  const std::unique_ptr<sql::ResultSet> result(s->executeQuery(sql));
  return result->next() ? result->getString(1).asStdString() : std::string();
}

void bare_mysql::use(const std::string& table) {
  insert_.reset(connection_->prepareStatement(insert_sql(table, batch_rows)));
  upsert_.reset(connection_->prepareStatement(insert_sql(table, batch_rows) +
                                              " ON DUPLICATE KEY UPDATE price = VALUES(price), note = VALUES(note)"));
  insert_one_.reset(connection_->prepareStatement(insert_sql(table, 1)));
}

void bare_mysql::insert(std::span<const sample_row> rows) {
  run_batches(*insert_, rows);
}

void bare_mysql::update(std::span<const sample_row> rows) {
  run_batches(*upsert_, rows);
}

/// With autocommit on, each statement is a transaction: a COMMIT of its own would be one more round trip.
void bare_mysql::run_batches(sql::PreparedStatement& s, std::span<const sample_row> rows) {
  for (std::size_t at = 0; at < rows.size(); at += batch_rows) {
    unsigned parameter = 1;
    for (std::size_t i = 0; i < batch_rows; ++i) parameter = bind_row(s, parameter, at + i, rows[at + i]);
    s.executeUpdate();
  }
}

void bare_mysql::insert_one(std::uint64_t id, const sample_row& r) {
  bind_row(*insert_one_, 1, id, r);
  insert_one_->executeUpdate();
}

}  // namespace bench
