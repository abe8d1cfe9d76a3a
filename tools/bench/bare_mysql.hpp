#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tools/bench/sample_rows.hpp"

namespace sql {
class Connection;
class PreparedStatement;
}  // namespace sql

namespace bench {

/// The peer: a loop over MySQL Connector/C++ with nothing around it. Statements are prepared once, parameters bound
/// straight to them. Everything throws std::exception.
class bare_mysql {
 public:
  /// Rows of one statement, and of one transaction.
  static constexpr std::size_t batch_rows = 1'000;

  explicit bare_mysql(const std::string& url);
  ~bare_mysql();
  bare_mysql(const bare_mysql&) = delete;
  bare_mysql& operator=(const bare_mysql&) = delete;

  void run(const std::string& sql);
  /// The first column of the first row; empty when there is none.
  [[nodiscard]] std::string query(const std::string& sql);

  /// The table that the following are about. It has the columns id, ticker, sector, price and note.
  void use(const std::string& table);
  /// Rows in batches, a commit for each; the row at `rows[i]` has the id `i`. REQUIRES: whole batches.
  void insert(std::span<const sample_row> rows);
  void update(std::span<const sample_row> rows);
  /// One row in a transaction of its own.
  void insert_one(std::uint64_t id, const sample_row& r);

 private:
  void run_batches(sql::PreparedStatement& s, std::span<const sample_row> rows);

  std::unique_ptr<sql::Connection> connection_;
  std::unique_ptr<sql::PreparedStatement> insert_;
  std::unique_ptr<sql::PreparedStatement> upsert_;
  std::unique_ptr<sql::PreparedStatement> insert_one_;
};

}  // namespace bench
