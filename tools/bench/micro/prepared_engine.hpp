#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "parser/parser.hpp"
#include "storage/database.hpp"

namespace micro {

/// An engine with a table `t` of a key `k`, a tag `g` and two numbers, and statements for it that are parsed already.
class prepared_engine {
 public:
  explicit prepared_engine(std::size_t rows = 0);

  /// Runs a statement. Throws std::runtime_error when it fails.
  const pubsubsql::storage::outcome& run(const std::string& sql);
  const pubsubsql::storage::outcome& run(const pubsubsql::parser::statement& s);

  /// Parses a statement to be run later, by the number of those prepared before.
  void prepare(std::string sql);
  [[nodiscard]] const std::vector<pubsubsql::parser::statement>& statements() const { return statements_; }

  [[nodiscard]] pubsubsql::storage::database& database() { return database_; }

 private:
  pubsubsql::storage::database database_;
  std::uint64_t pubsubid_ = 0;
  pubsubsql::parser::statement_arena arena_;
  std::deque<std::string> texts_;  // what the statements point into
  pubsubsql::parser::statement_arena prepared_arena_;
  std::vector<pubsubsql::parser::statement> statements_;
};

/// The key of a row: 12 characters, as the numbers of all rows have the same length.
[[nodiscard]] std::string key_of(std::size_t row);
[[nodiscard]] std::string insert_of(std::size_t row);
/// Gives the row's `a` a value as long as the one before.
[[nodiscard]] std::string update_of(std::size_t row, std::size_t value);

}  // namespace micro
