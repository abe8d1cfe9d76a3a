#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace pubsubsql::storage::durable {

/// What SQLite says went wrong. Thrown by everything here, caught where a store turns it into a result.
class sqlite_error : public std::runtime_error {
 public:
  sqlite_error(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  /// SQLite's extended result code.
  [[nodiscard]] int code() const { return code_; }
  /// Whether the file as a whole cannot be written, rather than one thing in it.
  [[nodiscard]] bool is_about_the_file() const;

 private:
  int code_;
};

/// A prepared statement: bind, step through the rows, and again. Used by one thread at a time.
class sqlite_statement {
 public:
  sqlite_statement() = default;
  sqlite_statement(sqlite3* db, std::string_view sql);

  // Parameters count from 1. Text and bytes must stay valid until the statement has run.
  sqlite_statement& bind(int parameter, std::int64_t number);
  sqlite_statement& bind_text(int parameter, std::string_view text);
  sqlite_statement& bind_bytes(int parameter, std::string_view bytes);
  sqlite_statement& bind_null(int parameter);

  /// Advances to the next row; false after the last, and the statement can be bound again.
  bool step();
  /// Runs a statement that has no rows.
  void run();

  // Columns of the row at hand count from 0. Views are valid until the next step.
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view bytes(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  struct finalizer {
    void operator()(sqlite3_stmt* s) const;
  };
  void check(int code) const;

  std::unique_ptr<sqlite3_stmt, finalizer> statement_;
};

/// A connection to a SQLite file. Not thread-safe.
class sqlite_database {
 public:
  /// Opens the file, making it when it is not there.
  explicit sqlite_database(const std::string& path);

  void run(std::string_view sql);
  [[nodiscard]] sqlite_statement prepare(std::string_view sql) const { return {db_.get(), sql}; }
  /// The first column of the first row.
  [[nodiscard]] std::int64_t number(std::string_view sql) const;
  [[nodiscard]] bool in_transaction() const;

 private:
  struct closer {
    void operator()(sqlite3* db) const;
  };
  std::unique_ptr<sqlite3, closer> db_;
};

}  // namespace pubsubsql::storage::durable
