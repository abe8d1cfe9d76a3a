#include "storage/sql/order_key.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace pubsubsql::storage::sql {

namespace {

// The first byte of a key.
constexpr char null_key = 1;
constexpr char negative_key = 2;
constexpr char zero_key = 3;
constexpr char positive_key = 4;
constexpr char text_key = 5;

constexpr std::int64_t exponent_max = 1'000'000'000'000;

struct number {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

std::string_view take_digits(std::string_view& in) {
  const std::size_t end = std::min(in.find_first_not_of("0123456789"), in.size());
  const std::string_view digits = in.substr(0, end);
  in.remove_prefix(end);
  return digits;
}

bool take_sign(std::string_view& in) {
  if (in.empty() || (in.front() != '-' && in.front() != '+')) return false;
  const bool negative = in.front() == '-';
  in.remove_prefix(1);
  return negative;
}

std::optional<number> parse_number(std::string_view in) {
  number n;
  n.negative = take_sign(in);
  n.whole = take_digits(in);
  if (n.whole.empty()) return std::nullopt;
  if (in.starts_with('.')) {
    in.remove_prefix(1);
    n.fraction = take_digits(in);
    if (n.fraction.empty()) return std::nullopt;
  }
  if (in.starts_with('e') || in.starts_with('E')) {
    in.remove_prefix(1);
    const bool negative = take_sign(in);
    const std::string_view digits = take_digits(in);
    if (digits.empty()) return std::nullopt;
    for (const char c : digits) n.exponent = std::min(n.exponent * 10 + (c - '0'), exponent_max);
    if (negative) n.exponent = -n.exponent;
  }
  if (!in.empty()) return std::nullopt;
  return n;
}

/// Sign, where the first digit stands, then the digits without zeros around them.
void append_number(std::string& out, const number& n) {
  std::string digits(n.whole);
  digits += n.fraction;
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  if (first == digits.size()) {
    out += zero_key;
    return;
  }
  const std::int64_t place = static_cast<std::int64_t>(n.whole.size()) - static_cast<std::int64_t>(first) + n.exponent;
  digits.erase(digits.find_last_not_of('0') + 1);
  digits.erase(0, first);
  const unsigned char flip = n.negative ? 0xff : 0;
  out += n.negative ? negative_key : positive_key;
  const auto biased = static_cast<std::uint64_t>(place) ^ (std::uint64_t{1} << 63U);
  for (int shift = 56; shift >= 0; shift -= 8)
    out += static_cast<char>((biased >> static_cast<unsigned>(shift)) ^ flip);
  for (const char c : digits) out += static_cast<char>(static_cast<unsigned char>(c) ^ flip);
  out += static_cast<char>(flip);
}

/// A zero byte of the text is followed by 255, the end is two zero bytes.
void append_text(std::string& out, std::string_view text) {
  out += text_key;
  for (const char c : text) {
    out += c;
    if (c == '\0') out += '\xff';
  }
  out.append(2, '\0');
}

}  // namespace

void append_order_key(std::string& out, const column_type* /*type*/, const std::optional<std::string_view>& text) {
  if (!text) {
    out += null_key;
  } else if (const auto n = parse_number(*text)) {
    append_number(out, *n);
  } else {
    append_text(out, *text);
  }
}

}  // namespace pubsubsql::storage::sql
