#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/outcome.hpp"
#include "storage/table_description.hpp"

namespace pubsubsql::storage::durable {

/// What one statement did to one table, copied out of the engine: the worker keeps it for taking the statement back,
/// the stores write it down. Immutable once made, so threads share it freely.
class statement_changes {
 public:
  /// Copies. REQUIRES: `changes` is not empty and belongs to one statement on `t`, which is as the statement left it.
  statement_changes(const table& t, std::span<const change> changes);
  statement_changes(const statement_changes&) = delete;
  statement_changes& operator=(const statement_changes&) = delete;

  [[nodiscard]] std::string_view table_name() const { return table_; }
  /// In their order; every view inside lives as long as this.
  [[nodiscard]] std::span<const change> changes() const { return changes_; }
  /// The number of the last change.
  [[nodiscard]] std::uint64_t sequence() const { return changes_.back().sequence; }
  /// The id that the table's next row will have after the statement.
  [[nodiscard]] std::uint64_t next_id() const { return next_id_; }
  /// Whether it changes the table itself, not only rows or what is acknowledged.
  [[nodiscard]] bool changes_schema() const { return changes_schema_; }
  /// The key column of a row that it inserts without a value there, so that MySQL has to give it; empty: none. Not kept
  /// in a journal.
  [[nodiscard]] const std::string& wanted_key() const { return wanted_key_; }
  /// Whether it only acknowledges, so that its number is that of a statement before it. It may be written twice.
  [[nodiscard]] bool is_acknowledgement() const { return changes_.front().kind == change_kind::acknowledge; }
  /// Whether the table is gone afterwards; then that is its last change.
  [[nodiscard]] bool drops_table() const { return changes_.back().kind == change_kind::drop_table; }
  /// About how much memory it holds.
  [[nodiscard]] std::size_t memory_bytes() const { return memory_bytes_; }

  /// What of it is kept for subscribers that come back; not kept in a journal.
  struct history {
    std::int64_t time_us = 0;
    std::uint64_t begins_after = 0;  ///< changes up to this one are not kept any more
    std::uint32_t columns = 0;       ///< that the table has
  };
  /// Nothing: the table does not keep its changes.
  [[nodiscard]] const std::optional<history>& kept() const { return kept_; }

  // For a journal

  /// Begins what journals of the first versions have not: they begin with the length of a name. A byte follows that
  /// says what comes.
  static constexpr std::uint32_t later_format = 0xffff'ffff;
  static constexpr std::uint8_t described_format = 1;  ///< one statement, with the types of columns
  static constexpr std::uint8_t group_format = 2;      ///< see change_group.hpp

  /// Appends all of it as bytes (little-endian, self-delimiting).
  void encode(std::string& out) const;
  /// Reads what encode() wrote; nullptr when the bytes are damaged.
  [[nodiscard]] static std::shared_ptr<const statement_changes> decode(std::string_view bytes);

 private:
  statement_changes() = default;
  void own(std::string_view table, std::span<const change> changes);
  void own_descriptions(const table* t);
  void encode_changes(std::string& out, bool described) const;

  /// The changes, then the columns they name, then the texts: one block, since there is one of these for each
  /// statement.
  std::unique_ptr<std::byte[]> memory_;
  std::span<const change> changes_;  // in memory_
  std::string_view table_;           // in memory_
  std::uint64_t next_id_ = 0;
  std::size_t memory_bytes_ = 0;
  bool changes_schema_ = false;
  std::string wanted_key_;
  std::optional<history> kept_;
  struct descriptions;
  /// What changes_ refers to of tables and columns; nullptr: nothing, as with most statements.
  std::shared_ptr<const descriptions> descriptions_;
};

}  // namespace pubsubsql::storage::durable
