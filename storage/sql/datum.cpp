#include "storage/sql/datum.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "storage/sql/calendar.hpp"
#include "storage/sql/number_text.hpp"

namespace pubsubsql::storage::sql {

namespace {

template <typename Number>
void append_integer(std::string& out, Number number) {
  std::array<char, 24> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  out.append(buffer.data(), written.ptr);
}

void append_short_decimal(std::string& out, std::int64_t coefficient, unsigned scale) {
  std::uint64_t size = static_cast<std::uint64_t>(coefficient);
  if (coefficient < 0) {
    out += '-';
    size = 0 - size;
  }
  std::array<char, 64> buffer{};
  std::size_t at = buffer.size();
  for (unsigned written = 0; size != 0 || written <= scale; ++written) {
    if (written == scale && scale > 0) buffer[--at] = '.';
    buffer[--at] = static_cast<char>('0' + size % 10);
    size /= 10;
  }
  out.append(buffer.data() + at, buffer.size() - at);
}

/// 20260102030405 or 20260102 or 30405 as a whole number.
std::int64_t temporal_number(const datum& d) {
  if (d.kind() == datum_kind::time) {
    const std::int64_t size = d.microseconds() < 0 ? -d.microseconds() : d.microseconds();
    const std::int64_t seconds = size / second_us;
    const std::int64_t number = seconds / 3600 * 10'000 + seconds / 60 % 60 * 100 + seconds % 60;
    return d.microseconds() < 0 ? -number : number;
  }
  const calendar_fields f = to_fields(d.microseconds());
  const std::int64_t date = std::int64_t{f.year} * 10'000 + f.month * 100 + f.day;
  if (d.kind() == datum_kind::date) return date;
  return date * 1'000'000 + f.hour * 10'000 + f.minute * 100 + f.second;
}

std::int64_t fraction_of_second(const datum& d) {
  const std::int64_t rest = d.microseconds() % second_us;
  if (d.kind() == datum_kind::time) return rest < 0 ? -rest : rest;
  return rest < 0 ? rest + second_us : rest;
}

/// A time or datetime with the fraction it was made with.
decimal temporal_decimal(const datum& d) {
  const std::int64_t number = temporal_number(d);
  if (d.kind() == datum_kind::date || d.scale() == 0) return to_decimal(number);
  const std::int64_t fraction = fraction_of_second(d);
  const decimal whole = to_decimal(number);
  const decimal part = to_decimal(d.microseconds() < 0 && d.kind() == datum_kind::time ? -fraction : fraction, 6);
  const std::optional<decimal> sum = add(whole, part);
  return round_to(sum.value_or(whole), d.scale(), rounding::down).value_or(whole);
}

void append_interval(std::string& out, const datum& d) {
  if (d.months() != 0) {
    out.append(std::to_string(d.months())).append(d.months() == 1 || d.months() == -1 ? " month" : " months");
    if (d.microseconds() == 0) return;
    out += ' ';
  }
  append_time(out, d.microseconds(), d.microseconds() % second_us == 0 ? 0 : fraction_digits_max);
}

std::int64_t clamped(double number) {
  constexpr double limit = 9223372036854775808.0;
  if (std::isnan(number)) return 0;
  if (number >= limit) return std::numeric_limits<std::int64_t>::max();
  if (number < -limit) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(std::nearbyint(number));
}

}  // namespace

void evaluation::fail_for_memory() {
  fail({1301, "HY000", "Result of an expression was larger than " + std::to_string(bytes_max) + " bytes"});
}

bool evaluation::fail_for_steps() {
  budget_->steps_left = 0;  // or what comes behind would take as many again, each for itself
  fail(too_many_steps(budget_->steps_max));
  return false;
}

void evaluation::fail_for_held_bytes() {
  fail(too_much_held(budget_->bytes_max));
}

std::string_view evaluation::keep(std::string_view text) {
  char* bytes = allocate(text.size());
  std::ranges::copy(text, bytes);
  return {bytes, text.size()};
}

datum evaluation::keep(const decimal& d) {
  if (const std::optional<std::int64_t> coefficient = small_coefficient(d)) {
    return datum::short_decimal(*coefficient, d.scale);
  }
  void* at = memory_.allocate(sizeof(decimal), alignof(decimal));
  return datum::long_decimal(new (at) decimal(d));
}

void append_text(std::string& out, const datum& d) {
  switch (d.kind()) {
    case datum_kind::null:
      break;
    case datum_kind::integer:
      append_integer(out, d.integer());
      break;
    case datum_kind::unsigned_integer:
      append_integer(out, d.unsigned_integer());
      break;
    case datum_kind::decimal:
      if (d.is_short_decimal()) {
        append_short_decimal(out, d.coefficient(), d.scale());
      } else {
        append_text(out, d.long_decimal());
      }
      break;
    case datum_kind::floating:
      append_double(out, d.floating());
      break;
    case datum_kind::text:
      out += d.text();
      break;
    case datum_kind::date:
      append_date(out, d.microseconds());
      break;
    case datum_kind::time:
      append_time(out, d.microseconds(), d.scale());
      break;
    case datum_kind::datetime:
      append_datetime(out, d.microseconds(), d.scale());
      break;
    case datum_kind::interval:
      append_interval(out, d);
      break;
  }
}

std::string_view text_of(evaluation& e, const datum& d) {
  if (d.is_text()) return d.text();
  std::string text;
  append_text(text, d);
  return e.keep(text);
}

value value_of(evaluation& e, const datum& d) {
  if (d.is_null()) return std::nullopt;
  return text_of(e, d);
}

double double_of(const datum& d) {
  switch (d.kind()) {
    case datum_kind::integer:
      return static_cast<double>(d.integer());
    case datum_kind::unsigned_integer:
      return static_cast<double>(d.unsigned_integer());
    case datum_kind::floating:
      return d.floating();
    case datum_kind::text:
      return text_to_double(d.text());
    case datum_kind::interval:
      return static_cast<double>(interval_microseconds(d.months(), d.microseconds())) / second_us;
    case datum_kind::null:
      return 0;
    case datum_kind::decimal:
    case datum_kind::date:
    case datum_kind::time:
    case datum_kind::datetime:
      break;
  }
  return to_double(*decimal_of(d));
}

std::optional<decimal> decimal_of(const datum& d) {
  switch (d.kind()) {
    case datum_kind::null:
    case datum_kind::interval:
      return decimal{};
    case datum_kind::integer:
      return to_decimal(d.integer());
    case datum_kind::unsigned_integer:
      return to_decimal(d.unsigned_integer());
    case datum_kind::decimal:
      return d.is_short_decimal() ? to_decimal(d.coefficient(), d.scale()) : d.long_decimal();
    case datum_kind::floating:
      return to_decimal(d.floating());
    case datum_kind::text: {
      std::string_view number = d.text().substr(0, number_prefix_bytes(d.text()));
      while (!number.empty() && number.front() <= ' ') number.remove_prefix(1);
      return number.empty() ? decimal{} : parse_decimal(number);
    }
    case datum_kind::date:
    case datum_kind::time:
    case datum_kind::datetime:
      return temporal_decimal(d);
  }
  return decimal{};
}

std::int64_t integer_of(const datum& d) {
  switch (d.kind()) {
    case datum_kind::integer:
      return d.integer();
    case datum_kind::unsigned_integer:
      return static_cast<std::int64_t>(
          std::min<std::uint64_t>(d.unsigned_integer(), std::numeric_limits<std::int64_t>::max()));
    case datum_kind::decimal:
    case datum_kind::date:
    case datum_kind::time:
    case datum_kind::datetime: {
      const std::optional<decimal> exact = decimal_of(d);
      const std::optional<std::int64_t> whole = exact ? to_integer(*exact) : std::nullopt;
      if (whole) return *whole;
      break;
    }
    case datum_kind::null:
    case datum_kind::floating:
    case datum_kind::text:
    case datum_kind::interval:
      break;
  }
  return clamped(double_of(d));
}

datum number_of(evaluation& e, const datum& d) {
  if (d.is_null() || d.is_number()) return d;
  if (d.is_temporal()) {
    if (d.kind() == datum_kind::date || d.scale() == 0) return datum::integer(temporal_number(d));
    return e.keep(temporal_decimal(d));
  }
  if (e.is_strict() && d.is_text() && !d.is_untyped() && !is_number_with_blanks(d.text())) {
    return e.fail(truncated_value("DOUBLE", d.text()));
  }
  return datum::floating(double_of(d));
}

}  // namespace pubsubsql::storage::sql
