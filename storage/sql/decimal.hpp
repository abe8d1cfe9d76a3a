#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pubsubsql::storage::sql {

/// An exact number: the magnitude divided by 10^scale, perhaps negative. Zero is never negative.
struct decimal {
  static constexpr unsigned digits_max = 65;
  static constexpr unsigned scale_max = 38;

  std::array<std::uint64_t, 4> magnitude{};  ///< least part first; below 10^digits_max
  std::uint8_t scale = 0;                    ///< at most scale_max
  bool negative = false;

  [[nodiscard]] bool is_zero() const { return magnitude == std::array<std::uint64_t, 4>{}; }
};

enum class rounding : std::uint8_t { half_up, down, floor, ceiling };

[[nodiscard]] decimal to_decimal(std::int64_t number, std::uint8_t scale = 0);
[[nodiscard]] decimal to_decimal(std::uint64_t number);
/// The number that a text is: sign, digits, fraction, exponent, and nothing else. Rounded to scale_max; nothing when
/// it is no number or has too many digits.
[[nodiscard]] std::optional<decimal> parse_decimal(std::string_view text);
/// The shortest decimal that gives the same double; nothing when it has too many digits.
[[nodiscard]] std::optional<decimal> to_decimal(double number);
[[nodiscard]] double to_double(const decimal& d);
/// Rounded half up; nothing when out of range.
[[nodiscard]] std::optional<std::int64_t> to_integer(const decimal& d);
[[nodiscard]] std::optional<std::uint64_t> to_unsigned(const decimal& d);
/// The coefficient when it fits.
[[nodiscard]] std::optional<std::int64_t> small_coefficient(const decimal& d);
void append_text(std::string& out, const decimal& d);
/// Digits of the magnitude, without leading zeros; 0 for zero.
[[nodiscard]] unsigned digit_count(const decimal& d);

[[nodiscard]] std::strong_ordering compare(const decimal& a, const decimal& b);
[[nodiscard]] decimal negate(decimal d);
/// Nothing when there are too many digits; the scale is cut to scale_max first.
[[nodiscard]] std::optional<decimal> add(const decimal& a, const decimal& b);
[[nodiscard]] std::optional<decimal> multiply(const decimal& a, const decimal& b);
/// The quotient with `scale` digits after the point, rounded as asked. REQUIRES: b is not zero.
[[nodiscard]] std::optional<decimal> divide(const decimal& a, const decimal& b, unsigned scale, rounding how);
/// What is left of dividing to a whole number, with a's sign. REQUIRES: b is not zero.
[[nodiscard]] decimal remainder(const decimal& a, const decimal& b);
/// With that many digits after the point; negative: zeros before it. Nothing when there are too many digits.
[[nodiscard]] std::optional<decimal> round_to(const decimal& d, int scale, rounding how);

}  // namespace pubsubsql::storage::sql
