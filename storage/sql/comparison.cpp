#include "storage/sql/comparison.hpp"

#include <array>
#include <cmath>

#include "parser/utf8.hpp"
#include "storage/sql/calendar.hpp"
#include "storage/sql/number_text.hpp"

namespace pubsubsql::storage::sql {

namespace {

using ordering = std::optional<std::strong_ordering>;

__extension__ using wide_integer = __int128;

ordering by_size(double a, double b) {
  if (a < b) return std::strong_ordering::less;
  if (a > b) return std::strong_ordering::greater;
  if (a == b) return std::strong_ordering::equal;
  return std::nullopt;
}

std::strong_ordering by_bytes(std::string_view a, std::string_view b) {
  return a.compare(b) <=> 0;
}

std::strong_ordering reversed(std::strong_ordering o) {
  return 0 <=> o;
}

/// An integer or short decimal as coefficient and scale.
struct short_number {
  wide_integer coefficient = 0;
  unsigned scale = 0;
};

std::optional<short_number> short_of(const datum& d) {
  if (d.kind() == datum_kind::integer) return short_number{d.integer(), 0};
  if (d.kind() == datum_kind::unsigned_integer) return short_number{d.unsigned_integer(), 0};
  if (d.is_short_decimal() && d.scale() <= 18) return short_number{d.coefficient(), d.scale()};
  return std::nullopt;
}

wide_integer scale_factor(unsigned exponent) {
  wide_integer out = 1;
  for (unsigned i = 0; i < exponent; ++i) out *= 10;
  return out;
}

std::strong_ordering exact_order(const datum& a, const datum& b) {
  const auto x = short_of(a);
  const auto y = short_of(b);
  if (x && y) {
    const wide_integer left = x->scale < y->scale ? x->coefficient * scale_factor(y->scale - x->scale) : x->coefficient;
    const wide_integer right =
        y->scale < x->scale ? y->coefficient * scale_factor(x->scale - y->scale) : y->coefficient;
    return left < right   ? std::strong_ordering::less
           : left > right ? std::strong_ordering::greater
                          : std::strong_ordering::equal;
  }
  return compare(*decimal_of(a), *decimal_of(b));
}

ordering text_order(std::string_view a, std::string_view b, bool as_numbers) {
  const std::optional<number_parts> x = as_numbers ? read_number(a) : std::nullopt;
  const std::optional<number_parts> y = x ? read_number(b) : std::nullopt;
  return y ? compare(*x, *y) : by_bytes(a, b);
}

ordering number_with_text(const datum& number, const datum& text) {
  if (!text.is_untyped()) return by_size(double_of(number), text_to_double(text.text()));
  std::string digits;
  append_text(digits, number);
  if (!looks_like_number(text.text())) return by_bytes(digits, text.text());
  if (number.kind() == datum_kind::floating) return by_size(number.floating(), text_to_double(text.text()));
  return compare(*read_number(digits), *read_number(text.text()));
}

/// A value as one that compares with a date or datetime: microseconds.
std::optional<std::int64_t> as_datetime(const evaluation& e, const datum& d) {
  if (d.kind() == datum_kind::time) return start_of_day(e.now_us()) + d.microseconds();
  if (d.is_temporal()) return d.microseconds();
  const auto parsed = d.is_text() ? parse_datetime(d.text()) : number_to_datetime(integer_of(d), 0);
  return parsed ? std::optional(parsed->microseconds) : std::nullopt;
}

/// A text that is no date counts as the date of zeros, which is before all others; one that is no time as no time.
ordering zero_order(const datum& temporal) {
  return temporal.kind() == datum_kind::time ? temporal.microseconds() <=> 0 : std::strong_ordering::greater;
}

ordering temporal_order(const evaluation& e, const datum& temporal, const datum& other) {
  if (temporal.kind() == datum_kind::time && other.kind() == datum_kind::time) {
    return temporal.microseconds() <=> other.microseconds();
  }
  if (temporal.kind() == datum_kind::time && !other.is_temporal()) {
    const auto parsed = other.is_text() ? parse_time(other.text()) : number_to_time(integer_of(other), 0);
    if (parsed) return temporal.microseconds() <=> parsed->microseconds;
  } else if (const auto us = as_datetime(e, other)) {
    return *as_datetime(e, temporal) <=> *us;
  }
  if (!other.is_text()) return by_size(double_of(temporal), double_of(other));
  if (!other.is_untyped()) return zero_order(temporal);
  std::string text;
  append_text(text, temporal);
  return by_bytes(text, other.text());
}

ordering interval_order(const datum& interval, const datum& other) {
  const std::int64_t us = interval_microseconds(interval.months(), interval.microseconds());
  if (other.kind() == datum_kind::interval) {
    return us <=> interval_microseconds(other.months(), other.microseconds());
  }
  if (other.kind() == datum_kind::time) return us <=> other.microseconds();
  if (other.is_text()) {
    const auto parsed = parse_time(other.text());
    return parsed ? ordering(us <=> parsed->microseconds) : std::nullopt;
  }
  return other.is_number() ? by_size(double_of(interval), double_of(other)) : std::nullopt;
}

/// Bytes of the character at the front.
std::size_t character_bytes(std::string_view text) {
  std::size_t n = 1;
  while (n < text.size() && parser::is_utf8_continuation(text[n])) ++n;
  return n;
}

}  // namespace

ternary truth_of(const datum& d) {
  switch (d.kind()) {
    case datum_kind::null:
      return ternary::unknown;
    case datum_kind::integer:
    case datum_kind::unsigned_integer:
      return to_ternary(d.integer() != 0);
    case datum_kind::decimal:
      return to_ternary(d.is_short_decimal() ? d.coefficient() != 0 : !d.long_decimal().is_zero());
    case datum_kind::date:
    case datum_kind::datetime:
      return ternary::yes;
    case datum_kind::floating:
    case datum_kind::text:
    case datum_kind::time:
    case datum_kind::interval:
      break;
  }
  return to_ternary(double_of(d) != 0);
}

comparison mirrored(comparison op) {
  switch (op) {
    case comparison::less:
      return comparison::greater;
    case comparison::less_equal:
      return comparison::greater_equal;
    case comparison::greater:
      return comparison::less;
    case comparison::greater_equal:
      return comparison::less_equal;
    case comparison::equal:
    case comparison::null_safe_equal:
    case comparison::not_equal:
      break;
  }
  return op;
}

bool holds(comparison op, std::strong_ordering order) {
  switch (op) {
    case comparison::equal:
    case comparison::null_safe_equal:
      return order == 0;
    case comparison::not_equal:
      return order != 0;
    case comparison::less:
      return order < 0;
    case comparison::less_equal:
      return order <= 0;
    case comparison::greater:
      return order > 0;
    case comparison::greater_equal:
      return order >= 0;
  }
  return false;
}

std::optional<std::strong_ordering> order_of(const evaluation& e, const datum& a, const datum& b, bool for_equality) {
  if (a.is_null() || b.is_null()) return std::nullopt;
  if (a.kind() == datum_kind::integer && b.kind() == datum_kind::integer) return a.integer() <=> b.integer();
  if (a.is_text() && b.is_text()) {
    return text_order(a.text(), b.text(), !for_equality && (a.is_untyped() || b.is_untyped()));
  }
  const auto flipped = [](ordering o) { return o ? ordering(reversed(*o)) : o; };
  if (a.kind() == datum_kind::interval) return interval_order(a, b);
  if (b.kind() == datum_kind::interval) return flipped(interval_order(b, a));
  if (a.is_temporal()) return temporal_order(e, a, b);
  if (b.is_temporal()) return flipped(temporal_order(e, b, a));
  if (a.is_text()) return flipped(number_with_text(b, a));
  if (b.is_text()) return number_with_text(a, b);
  if (a.kind() == datum_kind::floating || b.kind() == datum_kind::floating) return by_size(double_of(a), double_of(b));
  return exact_order(a, b);
}

void refuse_truncation(evaluation& e, const datum& a, const datum& b) {
  if (!b.is_text()) {
    if (a.is_text() && !b.is_null()) refuse_truncation(e, b, a);
    return;
  }
  if (b.is_untyped() || a.is_null() || a.is_text()) return;
  if (a.is_number() && !is_number_with_blanks(b.text())) e.fail(truncated_value("DECIMAL", b.text()));
  const bool is_day = a.kind() == datum_kind::date || a.kind() == datum_kind::datetime;
  if (is_day && !parse_datetime(b.text())) e.fail(truncated_value("datetime", b.text()));
  if (a.kind() == datum_kind::time && !parse_time(b.text())) e.fail(truncated_value("time", b.text()));
}

ternary compare(const evaluation& e, comparison op, const datum& a, const datum& b) {
  if (op == comparison::null_safe_equal && (a.is_null() || b.is_null())) return to_ternary(a.is_null() && b.is_null());
  const bool for_equality = op <= comparison::not_equal;
  const auto order = order_of(e, a, b, for_equality);
  if (!order) return ternary::unknown;
  return to_ternary(holds(op, *order));
}

bool is_like(std::string_view text, std::string_view pattern, std::string_view escape) {
  std::uint64_t steps_left = UINT64_MAX;
  return is_like(steps_left, text, pattern, escape).value_or(false);
}

std::optional<bool> is_like(std::uint64_t& steps_left, std::string_view text, std::string_view pattern,
                            std::string_view escape) {
  // Where to go on when what follows the last % does not fit: one character further.
  std::string_view text_after_any;
  std::string_view pattern_after_any;
  bool seen_any = false;
  for (;;) {
    if (steps_left-- == 0) return std::nullopt;
    bool fits = false;
    if (pattern.empty()) {
      fits = text.empty();
      if (fits) return true;
    } else if (pattern.front() == '%' && escape != "%") {
      pattern.remove_prefix(1);
      seen_any = true;
      text_after_any = text;
      pattern_after_any = pattern;
      continue;
    } else if (!text.empty()) {
      const bool escaped = !escape.empty() && pattern.starts_with(escape) && pattern.size() > escape.size();
      const std::string_view wanted = escaped ? pattern.substr(escape.size()) : pattern;
      const std::size_t wanted_bytes = character_bytes(wanted);
      const std::size_t bytes = character_bytes(text);
      fits = (!escaped && wanted.front() == '_') || text.substr(0, bytes) == wanted.substr(0, wanted_bytes);
      if (fits) {
        text.remove_prefix(bytes);
        pattern = wanted.substr(wanted_bytes);
        continue;
      }
    }
    if (!seen_any || text_after_any.empty()) return false;
    text_after_any.remove_prefix(character_bytes(text_after_any));
    text = text_after_any;
    pattern = pattern_after_any;
  }
}

like_prefix prefix_of_pattern(std::string_view pattern, std::string_view escape) {
  like_prefix out;
  while (!pattern.empty()) {
    if (!escape.empty() && pattern.starts_with(escape) && pattern.size() > escape.size()) {
      pattern.remove_prefix(escape.size());
    } else if (pattern.front() == '%' || pattern.front() == '_') {
      out.rest_is_any = pattern == "%";
      return out;
    }
    const std::size_t bytes = character_bytes(pattern);
    out.text += pattern.substr(0, bytes);
    pattern.remove_prefix(bytes);
  }
  out.whole = true;
  return out;
}

}  // namespace pubsubsql::storage::sql
