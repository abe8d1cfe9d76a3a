#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Values, types and operators of SQL, with MySQL's rules.
namespace pubsubsql::storage::sql {

/// Why an expression or a value is refused, with MySQL's number, SQLSTATE and words.
struct sql_error {
  int code = 0;
  std::string_view sqlstate;  ///< a literal
  std::string message;
  std::string_view limit = {};  ///< the flag of the limit that was met, a literal; empty: none was
};

/// Where a value is to be stored, for messages.
struct column_label {
  std::string_view table;
  std::string_view column;
  std::size_t row = 1;  ///< of the statement, from 1
};

/// `type` in MySQL's words: integer, decimal, double, datetime ...
[[nodiscard]] sql_error incorrect_value(std::string_view type, std::string_view text, const column_label& where);
[[nodiscard]] sql_error incorrect_time_value(std::string_view type, std::string_view text, const column_label& where);
[[nodiscard]] sql_error out_of_range(const column_label& where);
[[nodiscard]] sql_error data_truncated(const column_label& where);
[[nodiscard]] sql_error data_too_long(const column_label& where);
[[nodiscard]] sql_error cannot_be_null(const column_label& where);
[[nodiscard]] sql_error no_default(const column_label& where);
[[nodiscard]] sql_error invalid_json(std::string_view what, std::size_t position, const column_label& where);
/// `type`: BIGINT, BIGINT UNSIGNED, DECIMAL, DOUBLE; `expression`: as it was computed, with its values.
[[nodiscard]] sql_error result_out_of_range(std::string_view type, std::string_view expression);
/// Where a number is needed, or a date, and the text is none.
[[nodiscard]] sql_error truncated_value(std::string_view type, std::string_view text);
[[nodiscard]] sql_error division_by_zero();
/// What a statement may cost.
[[nodiscard]] sql_error too_many_steps(std::uint64_t limit);
[[nodiscard]] sql_error too_much_held(std::uint64_t limit);
[[nodiscard]] sql_error too_many_aggregates(std::size_t limit);
[[nodiscard]] sql_error unknown_function(std::string_view name);
[[nodiscard]] sql_error wrong_argument_count(std::string_view name);

/// A text of the user in a message: cut where it is long.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace pubsubsql::storage::sql
