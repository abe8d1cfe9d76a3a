#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "storage/durable/sqlite_database.hpp"
#include "tools/bench/sample_rows.hpp"

namespace bench {

/// The peer of the data directory: a loop over SQLite in transactions of 1,000 rows, a prepared statement for each row.
/// As durable as the server's own file (WAL, synchronous = full); its table has no index but the primary key.
class bare_sqlite {
 public:
  static constexpr std::size_t batch_rows = 1'000;

  explicit bare_sqlite(const std::string& path);

  /// The row at `rows[i]` has the id `i`.
  void insert(std::span<const sample_row> rows);
  void update(std::span<const sample_row> rows);

 private:
  pubsubsql::storage::durable::sqlite_database db_;
};

}  // namespace bench
