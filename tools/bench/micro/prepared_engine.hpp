#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "parser/statement_cache.hpp"
#include "storage/database.hpp"

namespace micro {

/// An engine with a table `t` of a key `k`, a tag `g` and two numbers, run by statements as the server reads them.
class prepared_engine {
 public:
  explicit prepared_engine(std::size_t rows = 0);

  /// Runs a statement. Throws std::runtime_error when it fails.
  const pubsubsql::storage::outcome& run(const std::string& sql);

  [[nodiscard]] pubsubsql::storage::database& database() { return database_; }

 private:
  pubsubsql::storage::database database_;
  std::uint64_t pubsubid_ = 0;
  pubsubsql::parser::statement_cache parser_;
};

/// The key of a row: 12 characters, as the numbers of all rows have the same length.
[[nodiscard]] std::string key_of(std::size_t row);
[[nodiscard]] std::string insert_of(std::size_t row);
/// Gives the row's `a` a value as long as the one before.
[[nodiscard]] std::string update_of(std::size_t row, std::size_t value);

}  // namespace micro
