#include "storage/sql/number_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "parser/characters.hpp"

namespace pubsubsql::storage::sql {

namespace {

constexpr int exponent_digits_max = 4;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

const char* skip_digits(const char* at, const char* end) {
  while (at != end && is_digit(*at)) ++at;
  return at;
}

/// An exponent with at least one digit; returns `at` when there is none.
const char* skip_exponent(const char* at, const char* end) {
  if (at == end || (*at != 'e' && *at != 'E')) return at;
  const char* digits = at + 1;
  if (digits != end && (*digits == '+' || *digits == '-')) ++digits;
  const char* stop = skip_digits(digits, end);
  return stop == digits ? at : stop;
}

/// Digits with at most one point among them, at least one digit; returns `at` when there is none.
const char* skip_mantissa(const char* at, const char* end) {
  const char* whole = skip_digits(at, end);
  if (whole == end || *whole != '.') return whole;
  const char* fraction = skip_digits(whole + 1, end);
  return fraction - at == 1 ? at : fraction;
}

void append_scientific(std::string& out, std::string_view text) {
  constexpr int lowest_plain = -15;
  constexpr int highest_plain = 14;
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  const std::size_t sign = text[e + 1] == '+' ? 1 : 0;
  std::from_chars(text.data() + e + 1 + sign, text.data() + text.size(), exponent);
  const std::string_view mantissa = text.substr(0, e);
  std::string digits(mantissa.substr(0, 1));
  if (mantissa.size() > 1) digits.append(mantissa.substr(2));
  const bool has_fraction = exponent >= 0 && digits.size() > static_cast<std::size_t>(exponent) + 1;
  if (exponent < lowest_plain || (exponent > highest_plain && !has_fraction)) {
    out.append(mantissa).append("e").append(std::to_string(exponent));
    return;
  }
  if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
    return;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) {
    out.append(digits).append(whole - digits.size(), '0');
  } else {
    out.append(digits, 0, whole).append(".").append(digits, whole);
  }
}

template <typename Number>
void append_number(std::string& out, Number number) {
  if (!std::isfinite(number)) {
    out += std::isnan(number) ? "nan" : number < 0 ? "-inf" : "inf";
    return;
  }
  if (number == 0) {  // without a sign
    out += '0';
    return;
  }
  std::array<char, 64> buffer{};
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
  append_scientific(out, {buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data())});
}

}  // namespace

std::optional<number_parts> read_number(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  number_parts parts;
  if (at != end && (*at == '-' || *at == '+')) parts.negative = *at++ == '-';
  const char* first = at;
  const char* last = skip_mantissa(at, end);
  if (last == first) return std::nullopt;
  at = skip_exponent(last, end);
  if (at != end) return std::nullopt;
  std::int64_t exponent = 0;
  if (at != last) {
    const char* digits = last + 1;
    const bool negative = *digits == '-';
    if (*digits == '-' || *digits == '+') ++digits;
    if (end - digits > exponent_digits_max) return std::nullopt;
    std::from_chars(digits, end, exponent);
    if (negative) exponent = -exponent;
  }
  const char* point = std::find(first, last, '.');
  if (point != last) parts.written_scale = last - point - 1;
  parts.written_scale -= exponent;
  const auto is_dull = [](char c) { return c == '0' || c == '.'; };
  const char* begin = std::find_if_not(first, last, is_dull);
  if (begin == last) {
    parts.negative = false;
    return parts;
  }
  while (is_dull(last[-1])) --last;
  parts.digits = {begin, static_cast<std::size_t>(last - begin)};
  const bool inside = point > begin && point < last;
  parts.point = inside ? static_cast<std::size_t>(point - begin) : std::string_view::npos;
  parts.digit_count = parts.digits.size() - (inside ? 1 : 0);
  parts.exponent = exponent + (point > begin ? point - begin : point - begin + 1);
  return parts;
}

bool looks_like_number(std::string_view text) {
  if (text.empty()) return false;
  const char first = text.front();
  if (!is_digit(first) && first != '-' && first != '+' && first != '.') return false;
  return read_number(text).has_value();
}

std::strong_ordering compare(const number_parts& a, const number_parts& b) {
  const auto sign = [](const number_parts& n) { return n.is_zero() ? 0 : n.negative ? -1 : 1; };
  if (sign(a) != sign(b)) return sign(a) <=> sign(b);
  std::strong_ordering order = a.exponent <=> b.exponent;
  const std::size_t digits = std::max(a.digit_count, b.digit_count);
  for (std::size_t i = 0; i < digits && order == 0; ++i) order = a.digit(i) <=> b.digit(i);
  return a.negative ? 0 <=> order : order;
}

std::size_t number_prefix_bytes(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end && parser::is_white_space(*at)) ++at;
  if (at != end && (*at == '-' || *at == '+')) ++at;
  const char* stop = skip_mantissa(at, end);
  if (stop == at) return 0;
  return static_cast<std::size_t>(skip_exponent(stop, end) - text.data());
}

double text_to_double(std::string_view text) {
  text = text.substr(0, number_prefix_bytes(text));
  while (!text.empty() && (parser::is_white_space(text.front()) || text.front() == '+')) text.remove_prefix(1);
  if (text.empty()) return 0;
  double number = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code == std::errc::result_out_of_range) {
    const std::optional<number_parts> parts = read_number(text);
    if (parts && parts->exponent < 0) return 0;
    return text.front() == '-' ? std::numeric_limits<double>::lowest() : std::numeric_limits<double>::max();
  }
  return number;
}

void append_double(std::string& out, double number) {
  append_number(out, number);
}

void append_float(std::string& out, float number) {
  append_number(out, number);
}

bool is_number_with_blanks(std::string_view text) {
  const std::size_t bytes = number_prefix_bytes(text);
  const std::string_view rest = text.substr(bytes);
  return bytes > 0 && std::all_of(rest.begin(), rest.end(), parser::is_white_space);
}

}  // namespace pubsubsql::storage::sql
