#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "storage/durable/mysql_address.hpp"
#include "storage/row.hpp"

namespace pubsubsql::storage::durable {

/// What MySQL, or the way to it, says went wrong. Thrown by mysql_connection, caught at the edge of the store.
class mysql_error : public std::runtime_error {
 public:
  static constexpr int command_denied = 1142;  ///< a right that the login has not got, also that to create a table
  static constexpr int no_such_column = 1054;
  static constexpr int read_only_table = 1036;

  mysql_error(int code, std::string sqlstate, const std::string& message)
      : std::runtime_error(message), code_(code), sqlstate_(std::move(sqlstate)) {}
  [[nodiscard]] int code() const { return code_; }
  [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }

  /// Whether the server as a whole is not available to us, so that any statement would fail: unreachable, gone, login
  /// or rights refused, out of disk or connections. Otherwise the statement itself was refused.
  [[nodiscard]] bool is_outage() const;
  /// Whether the same transaction may succeed when tried again at once: deadlock, lock wait timeout.
  [[nodiscard]] bool is_transient() const;

 private:
  int code_;
  std::string sqlstate_;
};

/// What goes into a placeholder: NULL, a whole number, or text (bytes alike), which MySQL converts as it needs.
using mysql_parameter = std::variant<std::monostate, std::int64_t, std::string_view>;

/// A connection to a MySQL or MariaDB server through MySQL Connector/C++. Used by one thread at a time. Once a call
/// threw an outage, the connection is of no more use; make another. It has a thread of its own as soon as something is
/// run ahead.
///
/// The session is set up so that values survive: utf8mb4, strict SQL mode (what does not fit is an error, never cut),
/// time zone UTC, autocommit off, READ COMMITTED.
class mysql_connection {
 public:
  struct settings {
    std::chrono::milliseconds connect_timeout{5'000};
    /// Without an answer for so long, the server counts as hung. Waiting for a lock ends before (1205). Changing a
    /// large table may take longer: give a connection for that more time.
    std::chrono::milliseconds answer_timeout{30'000};
  };

  /// Connects. Throws mysql_error.
  mysql_connection(const mysql_address& address, const settings& s);
  ~mysql_connection();
  mysql_connection(const mysql_connection&) = delete;
  mysql_connection& operator=(const mysql_connection&) = delete;

  /// Runs SQL that has no result. Transactions are begun with `START TRANSACTION` and ended with `COMMIT` or `ROLLBACK`
  /// as statements: the connector's own commit() says nothing when the connection is dead.
  void run(const std::string& sql);

  /// Runs a query whose result is small enough to be held. NULL is nullopt. Values are MySQL's own text, but for BIT,
  /// which comes as a decimal number.
  [[nodiscard]] std::vector<std::vector<std::optional<std::string>>> query(const std::string& sql);

  /// Runs a query and hands over row after row as they arrive, without holding them. The views are valid during the
  /// call. Nothing else may be run on the connection inside `on_row`.
  void stream(const std::string& sql, const std::function<void(std::span<const value> row)>& on_row);

  /// Runs a prepared statement with these parameters. Prepared once for each SQL text
  /// and kept, the least recently used given up when there are more than `prepared_max`. Returns MySQL's count of
  /// affected rows, in which a row that an UPDATE found counts even when nothing in it changed; with ON DUPLICATE KEY
  /// UPDATE a row counts 1 if inserted or left as it was, 2 if changed.
  ///
  /// The SQL of statements with parameters must have no comments to the end of the line (`--`, `#`).
  std::uint64_t execute(const std::string& sql, std::span<const mysql_parameter> parameters);

  /// The same, but returns while the server is still at work, so that the next statement can be made ready meanwhile;
  /// the parameters are free at once. All other calls wait first until what was run ahead has finished, and throw what
  /// it came to if it failed; what had been run ahead behind it was left out then.
  void execute_ahead(const std::string& sql, std::span<const mysql_parameter> parameters);
  /// Waits for what was run ahead. Throws what it came to if it failed.
  void finish();

  /// A query with parameters whose result is small enough to be held. In the packet a parameter takes twice its bytes.
  [[nodiscard]] std::vector<std::vector<std::optional<std::string>>> query(const std::string& sql,
                                                                           std::span<const mysql_parameter> parameters);

  /// The id MySQL generated for the last insert.
  [[nodiscard]] std::uint64_t last_insert_id();

  [[nodiscard]] bool is_mariadb() const { return is_mariadb_; }
  /// major * 10000 + minor * 100 + patch, of the server's own numbering.
  [[nodiscard]] unsigned server_version() const { return server_version_; }
  /// The server's text for its version.
  [[nodiscard]] const std::string& version_text() const { return version_text_; }
  /// Bytes of one statement or parameter at most (max_allowed_packet).
  [[nodiscard]] std::size_t packet_bytes_max() const { return packet_bytes_max_; }

  /// Statements kept prepared on one connection.
  static constexpr std::size_t prepared_max = 256;

 private:
  struct state;
  /// Throws 1153 if so many bytes are more than the server takes. Nothing has been sent then.
  void require_fits(std::size_t bytes) const;

  std::unique_ptr<state> state_;
  bool is_mariadb_ = false;
  unsigned server_version_ = 0;
  std::string version_text_;
  std::size_t packet_bytes_max_ = 0;
};

/// A name as MySQL wants it in SQL: in backquotes, doubled inside.
[[nodiscard]] std::string quoted_name(std::string_view name);

}  // namespace pubsubsql::storage::durable
