#include "storage/sql/arithmetic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

namespace pubsubsql::storage::sql {

namespace {

__extension__ using wide_integer = __int128;

/// For a message: the operation with its values.
std::string shown_operation(const datum& a, std::string_view op, const datum& b) {
  std::string out;
  const auto append = [&](const datum& d) {
    if (d.is_text()) out += '\'';
    append_text(out, d);
    if (d.is_text()) out += '\'';
  };
  append(a);
  out.append(" ").append(op).append(" ");
  append(b);
  return out;
}

datum too_large(evaluation& e, std::string_view type, const datum& a, std::string_view op, const datum& b) {
  return e.fail(result_out_of_range(type, shown_operation(a, op, b)));
}

wide_integer wide_of(const datum& d) {
  return d.kind() == datum_kind::unsigned_integer ? wide_integer{d.unsigned_integer()} : wide_integer{d.integer()};
}

datum integer_result(evaluation& e, wide_integer n, const datum& a, std::string_view op, const datum& b) {
  const bool is_unsigned = a.kind() == datum_kind::unsigned_integer || b.kind() == datum_kind::unsigned_integer;
  if (is_unsigned) {
    if (n < 0 || n > std::numeric_limits<std::uint64_t>::max()) return too_large(e, "BIGINT UNSIGNED", a, op, b);
    return datum::unsigned_integer(static_cast<std::uint64_t>(n));
  }
  if (n < std::numeric_limits<std::int64_t>::min() || n > std::numeric_limits<std::int64_t>::max()) {
    return too_large(e, "BIGINT", a, op, b);
  }
  return datum::integer(static_cast<std::int64_t>(n));
}

datum floating_result(evaluation& e, double n, const datum& a, std::string_view op, const datum& b) {
  if (!std::isfinite(n)) return too_large(e, "DOUBLE", a, op, b);
  return datum::floating(n);
}

datum decimal_result(evaluation& e, const std::optional<decimal>& n, const datum& a, std::string_view op,
                     const datum& b) {
  return n ? e.keep(*n) : too_large(e, "DECIMAL", a, op, b);
}

datum by_zero(evaluation& e) {
  return e.is_strict() ? e.fail(division_by_zero()) : datum{};
}

bool is_floating(const datum& d) {
  return d.kind() == datum_kind::floating;
}

bool is_day(const datum& d) {
  return d.kind() == datum_kind::date || d.kind() == datum_kind::datetime;
}

bool is_interval(const datum& d) {
  return d.kind() == datum_kind::interval;
}

// Intervals

datum interval_result(wide_integer months, wide_integer microseconds, std::uint8_t fraction_digits, bool of_day) {
  constexpr wide_integer months_max = 1'000'000;  // as microseconds they still fit
  constexpr wide_integer microseconds_max = std::numeric_limits<std::int64_t>::max() / 4;
  if (months > months_max || months < -months_max || microseconds > microseconds_max ||
      microseconds < -microseconds_max) {
    return {};
  }
  return datum::interval(static_cast<std::int32_t>(months), static_cast<std::int64_t>(microseconds), fraction_digits,
                         of_day);
}

/// a + sign * b; NULL where there is no such date.
datum shift(evaluation& e, const datum& a, const datum& interval, int sign) {
  const std::int64_t us = sign * interval.microseconds();
  const std::int64_t months = sign * std::int64_t{interval.months()};
  const std::uint8_t digits = std::max(a.is_text() ? std::uint8_t{0} : a.scale(), interval.scale());
  if (is_interval(a)) {
    return interval_result(a.months() + months, wide_integer{a.microseconds()} + us, digits,
                           a.is_of_day() || interval.is_of_day());
  }
  if (a.kind() == datum_kind::time) {
    const std::int64_t sum = a.microseconds() + us;
    if (months != 0 || sum > time_max_us || sum < -time_max_us) return {};
    return datum::time(sum, digits);
  }
  const std::optional<parsed_datetime> start = datetime_of(e, a);
  if (!start) return {};
  const std::optional<std::int64_t> moved = add_months(start->microseconds, months);
  if (!moved || !is_datetime(*moved) || !is_datetime(*moved + us)) return {};
  const bool of_day = interval.is_of_day() || us % day_us != 0;
  if (!of_day && (a.kind() == datum_kind::date || (a.kind() != datum_kind::datetime && !start->has_time))) {
    return datum::date(*moved + us);
  }
  return datum::datetime(*moved + us, std::max(start->fraction_digits, interval.scale()));
}

/// The difference of two days, at least one of which is a date or datetime; nothing when the other is none.
std::optional<datum> difference(evaluation& e, const datum& a, const datum& b) {
  const auto may_be_day = [](const datum& d) { return is_day(d) || d.is_text(); };
  if ((!is_day(a) && !is_day(b)) || !may_be_day(a) || !may_be_day(b)) return std::nullopt;
  const auto x = datetime_of(e, a);
  const auto y = datetime_of(e, b);
  if (!x || !y) return datum{};
  return datum::interval(0, x->microseconds - y->microseconds, std::max(x->fraction_digits, y->fraction_digits), true);
}

datum scale_interval(const datum& interval, const datum& factor, bool dividing) {
  const double number = double_of(factor);
  if (dividing && number == 0) return {};
  const double by = dividing ? 1 / number : number;
  const double months = std::trunc(interval.months() * by);
  const double us = std::nearbyint(static_cast<double>(interval.microseconds()) * by);
  if (!std::isfinite(months) || !std::isfinite(us) || std::fabs(months) > 1e9 || std::fabs(us) > 1e18) return {};
  return interval_result(static_cast<std::int64_t>(months), static_cast<std::int64_t>(us), interval.scale(),
                         interval.is_of_day());
}

}  // namespace

datum add(evaluation& e, const datum& a, const datum& b) {
  if (a.is_null() || b.is_null()) return {};
  if (a.is_integer() && b.is_integer()) return integer_result(e, wide_of(a) + wide_of(b), a, "+", b);
  if (is_interval(b)) return shift(e, a, b, 1);
  if (is_interval(a)) return shift(e, b, a, 1);
  const datum x = number_of(e, a);
  const datum y = number_of(e, b);
  if (x.is_null() || y.is_null()) return {};
  if (is_floating(x) || is_floating(y)) return floating_result(e, double_of(x) + double_of(y), a, "+", b);
  if (x.is_integer() && y.is_integer()) return integer_result(e, wide_of(x) + wide_of(y), a, "+", b);
  std::int64_t sum = 0;
  if (x.is_short_decimal() && y.is_short_decimal() && x.scale() == y.scale() &&
      !__builtin_add_overflow(x.coefficient(), y.coefficient(), &sum)) {
    return datum::short_decimal(sum, x.scale());
  }
  return decimal_result(e, sql::add(*decimal_of(x), *decimal_of(y)), a, "+", b);
}

datum subtract(evaluation& e, const datum& a, const datum& b) {
  if (a.is_null() || b.is_null()) return {};
  if (a.is_integer() && b.is_integer()) return integer_result(e, wide_of(a) - wide_of(b), a, "-", b);
  if (is_interval(b)) return shift(e, a, b, -1);
  if (is_interval(a)) return {};
  if (const std::optional<datum> interval = difference(e, a, b)) return *interval;
  const datum x = number_of(e, a);
  const datum y = number_of(e, b);
  if (x.is_null() || y.is_null()) return {};
  if (is_floating(x) || is_floating(y)) return floating_result(e, double_of(x) - double_of(y), a, "-", b);
  if (x.is_integer() && y.is_integer()) return integer_result(e, wide_of(x) - wide_of(y), a, "-", b);
  std::int64_t rest = 0;
  if (x.is_short_decimal() && y.is_short_decimal() && x.scale() == y.scale() &&
      !__builtin_sub_overflow(x.coefficient(), y.coefficient(), &rest)) {
    return datum::short_decimal(rest, x.scale());
  }
  return decimal_result(e, sql::add(*decimal_of(x), sql::negate(*decimal_of(y))), a, "-", b);
}

datum multiply(evaluation& e, const datum& a, const datum& b) {
  if (a.is_null() || b.is_null()) return {};
  if (is_interval(a) && !is_interval(b)) return scale_interval(a, b, false);
  if (is_interval(b)) return is_interval(a) ? datum{} : scale_interval(b, a, false);
  const datum x = number_of(e, a);
  const datum y = number_of(e, b);
  if (x.is_null() || y.is_null()) return {};
  if (is_floating(x) || is_floating(y)) return floating_result(e, double_of(x) * double_of(y), a, "*", b);
  if (x.is_integer() && y.is_integer()) {
    wide_integer product = 0;
    if (__builtin_mul_overflow(wide_of(x), wide_of(y), &product)) return too_large(e, "BIGINT", a, "*", b);
    return integer_result(e, product, a, "*", b);
  }
  return decimal_result(e, sql::multiply(*decimal_of(x), *decimal_of(y)), a, "*", b);
}

datum divide(evaluation& e, const datum& a, const datum& b) {
  if (a.is_null() || b.is_null()) return {};
  if (is_interval(a)) return is_interval(b) ? datum{} : scale_interval(a, b, true);
  if (is_interval(b)) return {};
  const datum x = number_of(e, a);
  const datum y = number_of(e, b);
  if (x.is_null() || y.is_null()) return {};
  if (is_floating(x) || is_floating(y)) {
    const double divisor = double_of(y);
    if (divisor == 0) return by_zero(e);
    return floating_result(e, double_of(x) / divisor, a, "/", b);
  }
  const decimal divisor = *decimal_of(y);
  if (divisor.is_zero()) return by_zero(e);
  const decimal dividend = *decimal_of(x);
  return decimal_result(e, sql::divide(dividend, divisor, dividend.scale + 0U + division_digits, rounding::half_up), a,
                        "/", b);
}

datum divide_whole(evaluation& e, const datum& a, const datum& b) {
  if (a.is_null() || b.is_null() || is_interval(a) || is_interval(b)) return {};
  const datum x = number_of(e, a);
  const datum y = number_of(e, b);
  if (x.is_null() || y.is_null()) return {};
  if (x.is_integer() && y.is_integer()) {
    if (wide_of(y) == 0) return by_zero(e);
    return integer_result(e, wide_of(x) / wide_of(y), x, "DIV", y);
  }
  const std::optional<decimal> dividend = decimal_of(x);
  const std::optional<decimal> divisor = decimal_of(y);
  if (divisor && divisor->is_zero()) return {};
  if (!dividend || !divisor) {
    const double quotient = std::trunc(double_of(x) / double_of(y));
    if (!(std::fabs(quotient) < 9223372036854775808.0)) return too_large(e, "BIGINT", a, "DIV", b);
    return datum::integer(static_cast<std::int64_t>(quotient));
  }
  const std::optional<decimal> quotient = sql::divide(*dividend, *divisor, 0, rounding::down);
  const std::optional<std::int64_t> whole = quotient ? small_coefficient(*quotient) : std::nullopt;
  return whole ? datum::integer(*whole) : too_large(e, "BIGINT", a, "DIV", b);
}

datum remainder(evaluation& e, const datum& a, const datum& b) {
  if (a.is_null() || b.is_null() || is_interval(a) || is_interval(b)) return {};
  const datum x = number_of(e, a);
  const datum y = number_of(e, b);
  if (x.is_null() || y.is_null()) return {};
  if (is_floating(x) || is_floating(y)) {
    const double divisor = double_of(y);
    if (divisor == 0) return by_zero(e);
    return floating_result(e, std::fmod(double_of(x), divisor), a, "%", b);
  }
  if (x.is_integer() && y.is_integer()) {
    if (wide_of(y) == 0) return by_zero(e);
    const wide_integer rest = wide_of(x) % wide_of(y);
    if (x.kind() == datum_kind::unsigned_integer) return datum::unsigned_integer(static_cast<std::uint64_t>(rest));
    return datum::integer(static_cast<std::int64_t>(rest));
  }
  const decimal divisor = *decimal_of(y);
  if (divisor.is_zero()) return by_zero(e);
  return e.keep(sql::remainder(*decimal_of(x), divisor));
}

datum negate(evaluation& e, const datum& a) {
  switch (a.kind()) {
    case datum_kind::null:
      return {};
    case datum_kind::integer:
      if (a.integer() == std::numeric_limits<std::int64_t>::min()) {
        return e.fail(result_out_of_range("BIGINT", "-(-9223372036854775808)"));
      }
      return datum::integer(-a.integer());
    case datum_kind::unsigned_integer:
      if (a.unsigned_integer() <= std::uint64_t{1} << 63U) {
        return datum::integer(static_cast<std::int64_t>(0 - a.unsigned_integer()));
      }
      return e.keep(negate(to_decimal(a.unsigned_integer())));
    case datum_kind::decimal:
      return e.keep(negate(*decimal_of(a)));
    case datum_kind::interval:
      return datum::interval(-a.months(), -a.microseconds(), a.scale(), a.is_of_day());
    case datum_kind::floating:
      return datum::floating(-a.floating());
    case datum_kind::text:
      break;
    case datum_kind::date:
    case datum_kind::time:
    case datum_kind::datetime:
      break;
  }
  const datum number = number_of(e, a);
  return number.is_null() ? datum{} : negate(e, number);
}

datum concat(evaluation& e, const datum& a, const datum& b) {
  if (a.is_null() || b.is_null()) return {};
  const std::string_view x = text_of(e, a);
  const std::string_view y = text_of(e, b);
  if (!e.can_allocate(x.size() + y.size())) return {};
  char* out = e.allocate(x.size() + y.size());
  std::ranges::copy(y, std::ranges::copy(x, out).out);
  return datum::text({out, x.size() + y.size()});
}

std::optional<interval_unit> find_interval_unit(std::string_view word) {
  constexpr std::array<std::string_view, 9> names = {"microsecond", "second", "minute",  "hour", "day",
                                                     "week",        "month",  "quarter", "year"};
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; };
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::equal(word.begin(), word.end(), names[i].begin(), names[i].end(), same)) {
      return static_cast<interval_unit>(i);
    }
  }
  return std::nullopt;
}

datum make_interval(evaluation& e, const datum& amount, interval_unit unit) {
  constexpr std::array<std::int64_t, 6> unit_us = {1, second_us, 60 * second_us, 3600 * second_us, day_us, 7 * day_us};
  if (amount.is_null() || is_interval(amount)) return {};
  const datum number = amount.is_text() ? e.keep(decimal_of(amount).value_or(decimal{})) : number_of(e, amount);
  if (unit >= interval_unit::month || unit == interval_unit::day || unit == interval_unit::week) {
    const wide_integer whole = integer_of(number);
    if (unit < interval_unit::month) {
      return interval_result(0, whole * unit_us[static_cast<std::size_t>(unit)], 0, false);
    }
    const int months = unit == interval_unit::month ? 1 : unit == interval_unit::quarter ? 3 : 12;
    return interval_result(whole * months, 0, 0, false);
  }
  const std::int64_t size = unit_us[static_cast<std::size_t>(unit)];
  if (unit == interval_unit::second && !number.is_integer()) {
    const std::optional<decimal> exact = decimal_of(number);
    const auto us = exact ? sql::multiply(*exact, to_decimal(size)) : std::nullopt;
    const auto whole = us ? to_integer(*us) : std::nullopt;
    const auto digits = static_cast<std::uint8_t>(exact ? std::min<unsigned>(exact->scale, fraction_digits_max) : 0U);
    return whole ? interval_result(0, *whole, digits, true) : datum{};
  }
  const std::uint8_t digits = unit == interval_unit::microsecond ? fraction_digits_max : 0;
  return interval_result(0, wide_integer{integer_of(number)} * size, digits, true);
}

std::optional<parsed_datetime> datetime_of(evaluation& e, const datum& d) {
  switch (d.kind()) {
    case datum_kind::date:
      return parsed_datetime{d.microseconds(), false, 0};
    case datum_kind::datetime:
      return parsed_datetime{d.microseconds(), true, d.scale()};
    case datum_kind::time:
      return parsed_datetime{start_of_day(e.now_us()) + d.microseconds(), true, d.scale()};
    case datum_kind::text: {
      const auto parsed = parse_datetime(d.text());
      if (!parsed && e.is_strict() && !d.is_untyped()) e.fail(truncated_value("datetime", d.text()));
      return parsed;
    }
    case datum_kind::integer:
    case datum_kind::unsigned_integer:
    case datum_kind::decimal:
    case datum_kind::floating:
      return number_to_datetime(integer_of(d), 0);
    case datum_kind::null:
    case datum_kind::interval:
      break;
  }
  return std::nullopt;
}

}  // namespace pubsubsql::storage::sql
