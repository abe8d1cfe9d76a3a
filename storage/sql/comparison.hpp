#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/sql/datum.hpp"

/// Comparing values, and the logic of three values.
namespace pubsubsql::storage::sql {

enum class ternary : std::uint8_t { no, unknown, yes };

[[nodiscard]] constexpr ternary to_ternary(bool b) {
  return b ? ternary::yes : ternary::no;
}
[[nodiscard]] constexpr ternary logical_not(ternary a) {
  return static_cast<ternary>(2 - static_cast<int>(a));
}
[[nodiscard]] constexpr ternary logical_and(ternary a, ternary b) {
  return a < b ? a : b;
}
[[nodiscard]] constexpr ternary logical_or(ternary a, ternary b) {
  return a < b ? b : a;
}
[[nodiscard]] constexpr ternary logical_xor(ternary a, ternary b) {
  return a == ternary::unknown || b == ternary::unknown ? ternary::unknown : to_ternary(a != b);
}
[[nodiscard]] constexpr datum to_datum(ternary t) {
  return t == ternary::unknown ? datum{} : datum::boolean(t == ternary::yes);
}
/// Whether a value is true: a number other than 0, or a text that begins with one.
[[nodiscard]] ternary truth_of(const datum& d);

enum class comparison : std::uint8_t { equal, null_safe_equal, not_equal, less, less_equal, greater, greater_equal };

/// The comparison with its sides exchanged.
[[nodiscard]] comparison mirrored(comparison op);

/// Whether the comparison holds of values in that order.
[[nodiscard]] bool holds(comparison op, std::strong_ordering order);

/// The order of two values by MySQL's rules; nothing when one is NULL, or they have no order. For equality
/// untyped values compare by their texts; otherwise as numbers when both look like numbers.
[[nodiscard]] std::optional<std::strong_ordering> order_of(const evaluation& e, const datum& a, const datum& b,
                                                           bool for_equality);

/// Strict mode: a failure where comparing the two would make a number or a date of a text that is none.
void refuse_truncation(evaluation& e, const datum& a, const datum& b);

[[nodiscard]] ternary compare(const evaluation& e, comparison op, const datum& a, const datum& b);

/// Whether the whole text is of the pattern: `%` any text, `_` any character, `escape` before one of these takes it as
/// it is; empty: there is none. Texts compare by their bytes. REQUIRES: valid UTF-8.
[[nodiscard]] bool is_like(std::string_view text, std::string_view pattern, std::string_view escape = "\\");
/// The same, in so many steps, each about a character compared, of which those taken are subtracted; nothing when they
/// do not suffice. A pattern with several `%` can take the product of both lengths.
[[nodiscard]] std::optional<bool> is_like(std::uint64_t& steps_left, std::string_view text, std::string_view pattern,
                                          std::string_view escape);

/// What every text of a pattern begins with: the pattern up to its first mark, escapes resolved. `whole`: the pattern
/// has no mark; `rest_is_any`: nothing but one `%` follows.
struct like_prefix {
  std::string text;
  bool whole = false;
  bool rest_is_any = false;
};
[[nodiscard]] like_prefix prefix_of_pattern(std::string_view pattern, std::string_view escape = "\\");

}  // namespace pubsubsql::storage::sql
