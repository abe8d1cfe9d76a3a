#pragma once

#include <string_view>

#include "storage/outcome.hpp"

/// The engine's error messages, each in one place: what is wrong and what to do about it.
namespace pubsubsql::storage {

[[nodiscard]] error unknown_table(std::string_view table);
[[nodiscard]] error unknown_column(std::string_view table, std::string_view column);
[[nodiscard]] error unknown_row(std::string_view table, std::string_view id);
[[nodiscard]] error unknown_subscription(std::string_view table, std::uint64_t pubsubid);
[[nodiscard]] error read_only_id(std::string_view table);
[[nodiscard]] error repeated_column(std::string_view column);
[[nodiscard]] error duplicate_key(std::string_view table, std::string_view column, std::string_view text);
[[nodiscard]] error already_indexed(std::string_view table, std::string_view column);
[[nodiscard]] error key_on_new_column(std::string_view table, std::string_view column);
[[nodiscard]] error key_over_duplicates(std::string_view table, std::string_view column, std::string_view text);
[[nodiscard]] error too_many_columns(std::string_view table, std::uint64_t limit);
[[nodiscard]] error too_many_rows(std::string_view table, std::uint64_t limit);
[[nodiscard]] error row_too_large(std::string_view table, std::uint64_t bytes, std::uint64_t limit);
[[nodiscard]] error result_too_large(std::uint64_t limit);
[[nodiscard]] error name_too_long(std::string_view name, std::uint64_t limit);
[[nodiscard]] error reserved_name(std::string_view table);
/// `why` is a table's read_only_reason().
[[nodiscard]] error read_only_table(std::string_view table, std::string_view why);
[[nodiscard]] error unsupported();

}  // namespace pubsubsql::storage
