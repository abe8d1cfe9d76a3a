#include "storage/sql/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <boost/multiprecision/cpp_int.hpp>

#include "storage/sql/number_text.hpp"

namespace pubsubsql::storage::sql {

namespace {

namespace mp = boost::multiprecision;

/// Wide enough for the product of two decimals and for a dividend with all the digits of a quotient.
using wide = mp::number<mp::cpp_int_backend<768, 768, mp::unsigned_magnitude, mp::unchecked, void>, mp::et_off>;

const wide& power_of_ten(unsigned exponent) {
  static const auto table = [] {
    std::array<wide, 2 * decimal::digits_max + decimal::scale_max + 1> out;
    out[0] = 1;
    for (std::size_t i = 1; i < out.size(); ++i) out[i] = out[i - 1] * 10U;
    return out;
  }();
  return table[exponent];
}

wide widen(const decimal& d) {
  wide out = d.magnitude[3];
  for (int i = 2; i >= 0; --i) out = (out << 64U) | d.magnitude[static_cast<std::size_t>(i)];
  return out;
}

std::optional<decimal> narrow(wide number, unsigned scale, bool negative) {
  if (number >= power_of_ten(decimal::digits_max)) return std::nullopt;
  decimal out;
  out.negative = negative && !number.is_zero();
  out.scale = static_cast<std::uint8_t>(scale);
  for (std::uint64_t& part : out.magnitude) {
    part = static_cast<std::uint64_t>(number & UINT64_MAX);
    number >>= 64U;
  }
  return out;
}

/// number / divisor to a whole number.
wide divided(const wide& number, const wide& divisor, bool negative, rounding how) {
  wide rest;
  wide quotient;
  mp::divide_qr(number, divisor, quotient, rest);
  switch (how) {
    case rounding::half_up:
      if (rest * 2U >= divisor) ++quotient;
      break;
    case rounding::down:
      break;
    case rounding::floor:
      if (negative && !rest.is_zero()) ++quotient;
      break;
    case rounding::ceiling:
      if (!negative && !rest.is_zero()) ++quotient;
      break;
  }
  return quotient;
}

bool is_small(const decimal& d) {
  return (d.magnitude[1] | d.magnitude[2] | d.magnitude[3]) == 0;
}

}  // namespace

decimal to_decimal(std::int64_t number, std::uint8_t scale) {
  decimal out;
  out.negative = number < 0;
  out.magnitude[0] = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  out.scale = scale;
  return out;
}

decimal to_decimal(std::uint64_t number) {
  decimal out;
  out.magnitude[0] = number;
  return out;
}

std::optional<decimal> parse_decimal(std::string_view text) {
  const std::optional<number_parts> parts = read_number(text);
  if (!parts) return std::nullopt;
  if (parts->is_zero()) return decimal{};
  // Digits after the point as they stand, an exponent counted in.
  const std::int64_t digits = static_cast<std::int64_t>(parts->digit_count);
  const std::int64_t scale = std::max<std::int64_t>(digits - parts->exponent, parts->written_scale);
  if (parts->exponent > static_cast<std::int64_t>(decimal::digits_max)) return std::nullopt;
  const auto kept_scale = static_cast<unsigned>(std::clamp<std::int64_t>(scale, 0, decimal::scale_max));
  if (parts->exponent < -static_cast<std::int64_t>(kept_scale))
    return decimal{{}, static_cast<std::uint8_t>(kept_scale)};
  // One digit more than is kept, for rounding.
  const auto wanted = static_cast<std::uint64_t>(parts->exponent + kept_scale);
  wide number = 0;
  for (std::uint64_t i = 0; i < wanted; ++i) number = number * 10U + static_cast<unsigned>(parts->digit(i));
  if (parts->digit(wanted) >= 5) ++number;
  return narrow(number, kept_scale, parts->negative);
}

std::optional<decimal> to_decimal(double number) {
  if (!std::isfinite(number)) return std::nullopt;
  std::array<char, 64> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return parse_decimal({buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data())});
}

double to_double(const decimal& d) {
  std::string text;
  append_text(text, d);
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::optional<std::int64_t> to_integer(const decimal& d) {
  const std::optional<decimal> whole = round_to(d, 0, rounding::half_up);
  return whole ? small_coefficient(*whole) : std::nullopt;
}

std::optional<std::uint64_t> to_unsigned(const decimal& d) {
  const std::optional<decimal> whole = round_to(d, 0, rounding::half_up);
  if (!whole || whole->negative || !is_small(*whole)) return std::nullopt;
  return whole->magnitude[0];
}

std::optional<std::int64_t> small_coefficient(const decimal& d) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 63U;
  const std::uint64_t size = d.magnitude[0];
  if (!is_small(d) || size > limit || (size == limit && !d.negative)) return std::nullopt;
  return static_cast<std::int64_t>(d.negative ? 0 - size : size);
}

void append_text(std::string& out, const decimal& d) {
  std::string digits = is_small(d) ? std::to_string(d.magnitude[0]) : widen(d).str();
  if (digits.size() <= d.scale) digits.insert(0, d.scale + 1U - digits.size(), '0');
  if (d.negative) out += '-';
  out.append(digits, 0, digits.size() - d.scale);
  if (d.scale > 0) out.append(".").append(digits, digits.size() - d.scale);
}

unsigned digit_count(const decimal& d) {
  const wide number = widen(d);
  unsigned count = 0;
  while (count < decimal::digits_max && number >= power_of_ten(count)) ++count;
  return count;
}

std::strong_ordering compare(const decimal& a, const decimal& b) {
  if (a.negative != b.negative) return a.negative ? std::strong_ordering::less : std::strong_ordering::greater;
  const unsigned scale = std::max(a.scale, b.scale);
  const wide x = widen(a) * power_of_ten(scale - a.scale);
  const wide y = widen(b) * power_of_ten(scale - b.scale);
  const int sign = a.negative ? -x.compare(y) : x.compare(y);
  return sign <=> 0;
}

decimal negate(decimal d) {
  d.negative = !d.negative && !d.is_zero();
  return d;
}

std::optional<decimal> add(const decimal& a, const decimal& b) {
  const unsigned scale = std::max(a.scale, b.scale);
  const wide x = widen(a) * power_of_ten(scale - a.scale);
  const wide y = widen(b) * power_of_ten(scale - b.scale);
  if (a.negative == b.negative) return narrow(x + y, scale, a.negative);
  if (x >= y) return narrow(x - y, scale, a.negative);
  return narrow(y - x, scale, b.negative);
}

std::optional<decimal> multiply(const decimal& a, const decimal& b) {
  unsigned scale = static_cast<unsigned>(a.scale) + b.scale;
  const bool negative = a.negative != b.negative;
  wide product = widen(a) * widen(b);
  if (scale > decimal::scale_max) {
    product = divided(product, power_of_ten(scale - decimal::scale_max), negative, rounding::half_up);
    scale = decimal::scale_max;
  }
  return narrow(product, scale, negative);
}

std::optional<decimal> divide(const decimal& a, const decimal& b, unsigned scale, rounding how) {
  scale = std::min(scale, decimal::scale_max);
  const bool negative = a.negative != b.negative;
  const int shift = static_cast<int>(scale) + b.scale - a.scale;
  wide x = widen(a);
  wide y = widen(b);
  if (shift >= 0) {
    x *= power_of_ten(static_cast<unsigned>(shift));
  } else {
    y *= power_of_ten(static_cast<unsigned>(-shift));
  }
  return narrow(divided(x, y, negative, how), scale, negative);
}

decimal remainder(const decimal& a, const decimal& b) {
  const unsigned scale = std::max(a.scale, b.scale);
  const wide x = widen(a) * power_of_ten(scale - a.scale);
  const wide y = widen(b) * power_of_ten(scale - b.scale);
  return narrow(x % y, scale, a.negative).value_or(decimal{});
}

std::optional<decimal> round_to(const decimal& d, int scale, rounding how) {
  scale = std::clamp(scale, -static_cast<int>(decimal::digits_max) - 1, static_cast<int>(decimal::scale_max));
  const int less = static_cast<int>(d.scale) - scale;
  const wide number = widen(d);
  if (less <= 0) {
    return narrow(number * power_of_ten(static_cast<unsigned>(-less)), static_cast<unsigned>(scale), d.negative);
  }
  const wide kept = divided(number, power_of_ten(static_cast<unsigned>(less)), d.negative, how);
  if (scale >= 0) return narrow(kept, static_cast<unsigned>(scale), d.negative);
  return narrow(kept * power_of_ten(static_cast<unsigned>(-scale)), 0, d.negative);
}

}  // namespace pubsubsql::storage::sql
