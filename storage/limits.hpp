#pragma once

#include <cstddef>
#include <cstdint>

namespace pubsubsql::storage {

/// What one database accepts at most; a statement that would go beyond is refused with a message naming the limit.
struct limits {
  /// Columns of a table, `id` included. An event of all columns names each of them, so wide tables cost everybody.
  std::uint32_t columns_max = 10'000;
  /// Bytes of a row as stored: the texts of its columns and a few bytes around each.
  std::size_t row_bytes_max = 64U << 20;
  /// Bytes of the rows that one statement may show, as they are shown (see shown_bytes.hpp). The reply is built in
  /// memory before it is sent.
  std::size_t result_bytes_max = 256U << 20;
  /// What a statement may cost in steps, each about one node of an expression computed once (see sql::work_budget):
  /// some ten seconds of a core, during which the tables of a worker serve nobody else.
  std::uint64_t statement_steps_max = 1'000'000'000;
  /// What the filters of all subscriptions to a table may take together for one row that changes, in the same steps
  /// (see matching::match_budget): some tenth of a second.
  std::uint64_t filter_steps_max = 10'000'000;
  /// Bytes that a statement may hold to group, sort and tell rows apart.
  std::size_t statement_memory_max = std::size_t{1} << 30U;
  /// Rows of a table. Rows are numbered with 32 bits inside.
  std::uint32_t rows_max = 4'000'000'000U;
  /// Bytes of a table or column name. MySQL allows 64 characters of up to 4 bytes.
  std::size_t name_bytes_max = 256;
  /// Declared indexes of a table, as in MySQL: each costs every change of a row.
  std::size_t indexes_max = 64;
  /// Bytes of the latest changes that a table keeps for subscribers that come back, and their age.
  std::size_t history_bytes_max = 4U << 20;
  std::uint32_t history_seconds_max = 600;
  /// Bytes of those of all tables: where there would be more, the largest histories become shorter.
  std::size_t history_total_bytes_max = 256U << 20;
  /// Bindings of a table. Each is kept in memory with its predicate, and in the stores.
  std::size_t bindings_max = 10'000;
  /// Named subscriptions to a table. Each is kept in memory and in the stores, whether anybody has it or not.
  std::size_t named_subscriptions_max = 10'000;
  /// Rows of a subscription to the first rows in an order: those it shows are all sent when it begins.
  std::uint64_t window_rows_max = 10'000;
};

}  // namespace pubsubsql::storage
