#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "storage/durable/mysql_schema.hpp"
#include "storage/durable/statement_changes.hpp"

namespace pubsubsql::storage::durable {

/// What has to happen to one row so that many changes of it have happened.
struct row_operation {
  enum class kind : std::uint8_t { none, insert, update, erase };
  kind what = kind::none;
  std::uint32_t assigned = 0;  ///< which of the folding's column sets were named: insert, update
  row_view before;             ///< as the store has it: update, erase
  row_view after;              ///< insert, update
};

/// Many changes of one table's rows, each row at most once. The changes must outlive it.
class row_folding {
 public:
  /// `changes`: how many there will be at most, if that is known.
  explicit row_folding(const mysql_table& t, std::size_t changes = 0);

  /// Returns false when the changes cannot be folded but have to be made one after the other: a row's address changed,
  /// MySQL gives the address, or an address was freed and taken again.
  [[nodiscard]] bool add(const change& c);

  [[nodiscard]] std::span<const row_operation> operations() const { return operations_; }
  /// Whether all do the same to their row, with the same columns.
  [[nodiscard]] bool operations_are_alike() const;

  /// Rows as they were in between: the operations do not write them.
  [[nodiscard]] std::span<const row_view> passed_over() const { return passed_over_; }

  /// The sets of columns that were named, each rising; operations refer to them by number.
  using column_set = std::vector<column_index>;
  [[nodiscard]] std::span<const column_set> column_sets() const { return sets_; }

 private:
  /// Writes the values that address the row, unless one of them is NULL.
  [[nodiscard]] bool write_address(row_view row, std::string& out) const;
  /// The operation of the row: one that is there, or a new one of the kind `none`. nullptr: the row has no address.
  [[nodiscard]] row_operation* find_or_add(row_view row, bool& is_new);
  [[nodiscard]] bool keeps_address(const change& c);
  [[nodiscard]] bool add_update(const change& c);

  [[nodiscard]] std::uint32_t set_of(std::span<const column_index> named);
  [[nodiscard]] std::uint32_t united(std::uint32_t a, std::uint32_t b);
  [[nodiscard]] std::uint32_t number_of(column_set rising);

  const mysql_table& table_;
  std::vector<row_operation> operations_;
  std::vector<row_view> passed_over_;
  absl::flat_hash_map<std::uint64_t, std::uint32_t> by_id_;  // with an own id, otherwise the other
  absl::flat_hash_map<std::string, std::uint32_t> by_address_;
  std::vector<column_set> sets_;
  std::map<column_set, std::uint32_t> set_numbers_;
  // Most statements name what the one before them named.
  column_set last_named_;
  std::optional<std::uint32_t> last_set_;
  std::string address_;      // scratch
  std::string new_address_;  // scratch
};

}  // namespace pubsubsql::storage::durable
