#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pubsubsql::storage::sql {

/// A number as its text has it, of any length: 0.d1d2d3... times 10^exponent. The digits stand in the text, with the
/// point among them.
struct number_parts {
  bool negative = false;
  std::string_view digits;      ///< from the first that is not 0 to the last that is not 0; empty: zero
  std::size_t point = 0;        ///< where in `digits` the point stands; npos: nowhere
  std::size_t digit_count = 0;  ///< the point not counted
  std::int64_t exponent = 0;
  std::int64_t written_scale = 0;  ///< digits that the text has after the point; an exponent moves the point

  [[nodiscard]] bool is_zero() const { return digits.empty(); }
  /// The i-th digit; 0 beyond the end.
  [[nodiscard]] int digit(std::size_t i) const {
    if (i >= digit_count) return 0;
    return digits[i < point ? i : i + 1] - '0';
  }
};

/// Reads a text that is a number and nothing else: an optional sign, digits, an optional fraction, an optional
/// exponent of at most four digits; no blanks. Nothing when it is not one.
[[nodiscard]] std::optional<number_parts> read_number(std::string_view text);

/// Whether read_number() takes it.
[[nodiscard]] bool looks_like_number(std::string_view text);

/// Exact, whatever the lengths.
[[nodiscard]] std::strong_ordering compare(const number_parts& a, const number_parts& b);

/// Bytes of the longest number at the start, blanks before it counted; 0: none.
[[nodiscard]] std::size_t number_prefix_bytes(std::string_view text);

/// The number at the start of a text as MySQL takes a text for a number; 0 where there is none.
[[nodiscard]] double text_to_double(std::string_view text);

/// As MySQL writes a double: the shortest text that gives it again, with an exponent only where it is far out.
void append_double(std::string& out, double number);
void append_float(std::string& out, float number);

/// Whether the whole text is a number, blanks around it left out.
[[nodiscard]] bool is_number_with_blanks(std::string_view text);

}  // namespace pubsubsql::storage::sql
