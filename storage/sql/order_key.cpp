#include "storage/sql/order_key.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <limits>

#include "storage/sql/calendar.hpp"
#include "storage/sql/number_text.hpp"

namespace pubsubsql::storage::sql {

namespace {

// The first byte of a key: what kind of value, in order.
constexpr char null_mark = 0x01;
constexpr char odd_mark = 0x05;  // a text where the type has none
constexpr char negative_mark = 0x10;
constexpr char zero_mark = 0x11;
constexpr char positive_mark = 0x12;
constexpr char temporal_mark = 0x20;
constexpr char text_mark = 0x30;

constexpr std::int64_t short_exponent_max = 100;

void append_big_endian(std::string& out, std::uint64_t bits, unsigned bytes) {
  for (unsigned i = bytes; i > 0; --i) out += static_cast<char>(bits >> (8 * (i - 1)) & 0xffU);
}

/// One byte as a rule; five where the number is extremely large or small.
void append_exponent(std::string& out, std::int64_t exponent) {
  constexpr std::int64_t bias = 128;
  if (exponent >= -short_exponent_max && exponent <= short_exponent_max) {
    out += static_cast<char>(bias + exponent);
    return;
  }
  out += exponent < 0 ? '\x01' : '\xff';
  append_big_endian(out, static_cast<std::uint64_t>(exponent + (std::int64_t{1} << 31U)), 4);
}

/// The sign, the exponent, then two digits to a byte and a zero byte; all inverted for what is negative. `digit(i)`
/// gives the i-th digit and 0 beyond the last; the first and the last are not 0.
template <typename Digit>
void append_number(std::string& out, bool negative, std::int64_t exponent, std::size_t digits, Digit digit) {
  if (digits == 0) {
    out += zero_mark;
    return;
  }
  out += negative ? negative_mark : positive_mark;
  const std::size_t start = out.size();
  append_exponent(out, exponent);
  for (std::size_t i = 0; i < digits; i += 2) out += static_cast<char>(digit(i) * 10 + digit(i + 1) + 1);
  out += '\0';
  if (!negative) return;
  for (std::size_t i = start; i < out.size(); ++i) out[i] = static_cast<char>(~out[i]);
}

void append_parts(std::string& out, const number_parts& n) {
  append_number(out, n.negative, n.exponent, n.digit_count, [&](std::size_t i) { return n.digit(i); });
}

/// magnitude / 10^scale.
void append_integer(std::string& out, bool negative, std::uint64_t magnitude, unsigned scale) {
  std::array<char, 24> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), magnitude);
  auto count = static_cast<std::size_t>(written.ptr - digits.data());
  const auto exponent = static_cast<std::int64_t>(count) - static_cast<std::int64_t>(scale);
  if (magnitude == 0) count = 0;
  while (count > 0 && digits[count - 1] == '0') --count;
  append_number(out, negative, exponent, count, [&](std::size_t i) { return i < count ? digits[i] - '0' : 0; });
}

void append_signed(std::string& out, std::int64_t number, unsigned scale) {
  const auto bits = static_cast<std::uint64_t>(number);
  append_integer(out, number < 0, number < 0 ? 0 - bits : bits, scale);
}

void append_text_bytes(std::string& out, char mark, std::string_view text) {
  out += mark;
  for (std::size_t zero = text.find('\0'); zero != std::string_view::npos; zero = text.find('\0')) {
    out.append(text.substr(0, zero)).append(std::string_view("\0\xff", 2));
    text.remove_prefix(zero + 1);
  }
  out.append(text).append(2, '\0');
}

void append_temporal(std::string& out, std::int64_t microseconds) {
  out += temporal_mark;
  append_big_endian(out, static_cast<std::uint64_t>(microseconds) ^ (std::uint64_t{1} << 63U), 8);
}

void append_untyped(std::string& out, std::string_view text) {
  if (looks_like_number(text)) {
    append_parts(out, *read_number(text));
  } else {
    append_text_bytes(out, text_mark, text);
  }
}

/// The text of a number; where a typed column has something else, that.
void append_number_text(std::string& out, std::string_view text) {
  constexpr std::size_t integer_digits_max = 18;
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  if (text.size() <= integer_digits_max) {
    const auto [stop, code] = std::from_chars(text.data(), end, number);
    if (code == std::errc{} && stop == end) return append_signed(out, number, 0);
  }
  if (const std::optional<number_parts> parts = read_number(text)) {
    append_parts(out, *parts);
  } else {
    append_text_bytes(out, odd_mark, text);
  }
}

void append_temporal_text(std::string& out, const column_type& type, std::string_view text) {
  if (type.kind == type_kind::time) {
    if (const auto parsed = parse_time(text)) return append_temporal(out, parsed->microseconds);
  } else if (const auto parsed = parse_datetime(text)) {
    return append_temporal(out, parsed->microseconds);
  }
  append_text_bytes(out, odd_mark, text);
}

/// The label's index; of a set the sum of its members' bits.
void append_labels(std::string& out, const column_type& type, std::string_view text) {
  if (type.kind == type_kind::enumeration) {
    const std::uint32_t index = type.label_index(text);
    if (index == 0 && !text.empty()) return append_text_bytes(out, odd_mark, text);
    return append_integer(out, false, index, 0);
  }
  std::uint64_t members = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::uint32_t index = type.label_index(text.substr(at, end - at));
    if (index == 0) return append_text_bytes(out, odd_mark, text);
    members |= std::uint64_t{1} << (index - 1);
    at = end + 1;
  }
  append_integer(out, false, members, 0);
}

void append_datum(std::string& out, const datum& d) {
  switch (d.kind()) {
    case datum_kind::null:
      out += null_mark;
      break;
    case datum_kind::integer:
      append_signed(out, d.integer(), 0);
      break;
    case datum_kind::unsigned_integer:
      append_integer(out, false, d.unsigned_integer(), 0);
      break;
    case datum_kind::decimal:
      if (d.is_short_decimal()) {
        append_signed(out, d.coefficient(), d.scale());
        break;
      }
      [[fallthrough]];
    case datum_kind::floating: {
      std::string text;
      append_text(text, d);
      append_number_text(out, text);
      break;
    }
    case datum_kind::text:
      if (d.is_untyped()) {
        append_untyped(out, d.text());
      } else {
        append_text_bytes(out, text_mark, d.text());
      }
      break;
    case datum_kind::date:
    case datum_kind::time:
    case datum_kind::datetime:
      append_temporal(out, d.microseconds());
      break;
    case datum_kind::interval:
      append_temporal(out, interval_microseconds(d.months(), d.microseconds()));
      break;
  }
}

}  // namespace

void append_order_key(std::string& out, const column_type* type, const value& stored) {
  if (!stored) {
    out += null_mark;
  } else if (type == nullptr || type->is_untyped()) {
    append_untyped(out, *stored);
  } else if (type->is_number()) {
    append_number_text(out, *stored);
  } else if (type->is_temporal()) {
    append_temporal_text(out, *type, *stored);
  } else if (type->has_labels()) {
    append_labels(out, *type, *stored);
  } else {
    append_text_bytes(out, text_mark, *stored);
  }
}

void append_order_key(std::string& out, const column_type* type, const datum& d) {
  if (d.is_text() && type != nullptr && !type->is_untyped()) {
    append_order_key(out, type, value(d.text()));
  } else {
    append_datum(out, d);
  }
}

void append_identity_key(std::string& out, const datum& d) {
  append_datum(out, d.is_untyped() ? datum::text(d.text()) : d);
}

std::strong_ordering compare_in_order(const datum& a, const datum& b) {
  if (a.kind() == datum_kind::integer && b.kind() == datum_kind::integer) return a.integer() <=> b.integer();
  if (a.is_short_decimal() && b.is_short_decimal() && a.scale() == b.scale())
    return a.coefficient() <=> b.coefficient();
  if (a.kind() == datum_kind::floating && b.kind() == datum_kind::floating) {
    return a.floating() < b.floating()   ? std::strong_ordering::less
           : a.floating() > b.floating() ? std::strong_ordering::greater
                                         : std::strong_ordering::equal;
  }
  if (a.is_text() && b.is_text() && !a.is_untyped() && !b.is_untyped()) return a.text().compare(b.text()) <=> 0;
  if (a.is_temporal() && b.is_temporal()) return a.microseconds() <=> b.microseconds();
  std::string x;
  std::string y;
  append_datum(x, a);
  append_datum(y, b);
  return x.compare(y) <=> 0;
}

}  // namespace pubsubsql::storage::sql
