#include <algorithm>
#include <array>
#include <cmath>

#include "storage/sql/arithmetic.hpp"
#include "storage/sql/calendar.hpp"
#include "storage/sql/function_lists.hpp"

namespace pubsubsql::storage::sql {

namespace {

std::int64_t floor_divided(std::int64_t number, std::int64_t by) {
  return number / by - (number % by < 0 ? 1 : 0);
}

datum call_now(evaluation& e, arguments a) {
  std::int64_t digits = 0;
  if (!a.empty()) {
    digits = a[0].is_null() ? 0 : integer_of(a[0]);
    if (digits < 0 || digits > fraction_digits_max) {
      return e.fail({1426, "42000", "Too big precision specified for 'current_timestamp'. Maximum is 6"});
    }
  }
  return datum::datetime(cut_fraction(e.now_us(), static_cast<unsigned>(digits)), static_cast<std::uint8_t>(digits));
}

datum call_current_date(evaluation& e, arguments) {
  return datum::date(start_of_day(e.now_us()));
}

datum call_current_time(evaluation& e, arguments a) {
  const datum now = call_now(e, a);
  if (now.is_null()) return now;
  return datum::time(now.microseconds() - start_of_day(now.microseconds()), now.scale());
}

datum call_date(evaluation& e, arguments a) {
  const auto day = datetime_of(e, a[0]);
  return day ? datum::date(start_of_day(day->microseconds)) : datum{};
}

/// The time of day; of a time column the time itself, which may be longer than a day.
std::optional<parsed_time> time_of(evaluation& e, const datum& d) {
  if (d.kind() == datum_kind::time) return parsed_time{d.microseconds(), d.scale()};
  if (d.is_text()) return parse_time(d.text());
  if (d.is_number()) {
    const std::optional<decimal> exact = decimal_of(d);
    const auto whole = exact ? round_to(*exact, 0, rounding::down) : std::nullopt;
    const auto number = whole ? small_coefficient(*whole) : std::nullopt;
    if (const auto time = number ? number_to_time(*number, 0) : std::nullopt) return time;
  }
  const auto day = datetime_of(e, d);
  if (!day) return std::nullopt;
  return parsed_time{day->microseconds - start_of_day(day->microseconds), day->fraction_digits};
}

datum call_time(evaluation& e, arguments a) {
  const auto time = time_of(e, a[0]);
  return time ? datum::time(time->microseconds, time->fraction_digits) : datum{};
}

enum class part : std::uint8_t { year, quarter, month, day, weekday, day_of_week, day_of_year };

template <part Part>
datum call_date_part(evaluation& e, arguments a) {
  const auto day = datetime_of(e, a[0]);
  if (!day) return {};
  const calendar_fields f = to_fields(day->microseconds);
  const std::int64_t days = floor_divided(day->microseconds, day_us);
  const std::int64_t weekday = ((days + 3) % 7 + 7) % 7;  // Monday is 0; 1970-01-01 was a Thursday
  switch (Part) {
    case part::year:
      return datum::integer(f.year);
    case part::quarter:
      return datum::integer((f.month + 2) / 3);
    case part::month:
      return datum::integer(f.month);
    case part::day:
      return datum::integer(f.day);
    case part::weekday:
      return datum::integer(weekday);
    case part::day_of_week:
      return datum::integer((weekday + 1) % 7 + 1);
    case part::day_of_year: {
      const auto first = to_microseconds({f.year});
      return datum::integer(floor_divided(day->microseconds - *first, day_us) + 1);
    }
  }
  return {};
}

/// The part of a time of day that `size` microseconds make, of `count` such in the next larger one; 0: of any number.
template <std::int64_t Size, std::int64_t Count>
datum call_time_part(evaluation& e, arguments a) {
  const auto time = time_of(e, a[0]);
  if (!time) return {};
  const std::int64_t size = std::abs(time->microseconds) / Size;
  return datum::integer(Count == 0 ? size : size % Count);
}

datum call_last_day(evaluation& e, arguments a) {
  const auto day = datetime_of(e, a[0]);
  if (!day) return {};
  calendar_fields f = to_fields(start_of_day(day->microseconds));
  f.day = days_of_month(f.year, f.month);
  return datum::date(*to_microseconds(f));
}

/// Microseconds as seconds with that many digits.
datum seconds(evaluation& e, std::int64_t microseconds, std::uint8_t digits) {
  if (digits == 0) return datum::integer(floor_divided(microseconds, second_us));
  const auto exact = round_to(to_decimal(microseconds, fraction_digits_max), digits, rounding::down);
  return exact ? e.keep(*exact) : datum{};
}

datum call_unix_timestamp(evaluation& e, arguments a) {
  if (a.empty()) return seconds(e, e.now_us(), 0);
  const auto day = datetime_of(e, a[0]);
  if (!day || day->microseconds < 0) return {};
  return seconds(e, day->microseconds, day->fraction_digits);
}

datum call_from_unixtime(evaluation& e, arguments a) {
  if (a[0].is_null()) return {};
  const datum number = number_of(e, a[0]);
  const std::optional<decimal> exact = decimal_of(number);
  const auto us = exact ? multiply(*exact, to_decimal(second_us)) : std::nullopt;
  const auto whole = us ? to_integer(*us) : std::nullopt;
  if (!whole || *whole < 0 || !is_datetime(*whole)) return {};
  const auto digits = static_cast<std::uint8_t>(std::min<unsigned>(exact->scale, fraction_digits_max));
  return datum::datetime(cut_fraction(*whole, digits), digits);
}

datum call_datediff(evaluation& e, arguments a) {
  const auto x = datetime_of(e, a[0]);
  const auto y = datetime_of(e, a[1]);
  if (!x || !y) return {};
  return datum::integer(floor_divided(x->microseconds, day_us) - floor_divided(y->microseconds, day_us));
}

/// Whole months from `from` to `to`.
std::int64_t months_between(std::int64_t from, std::int64_t to) {
  if (to < from) return -months_between(to, from);
  const calendar_fields a = to_fields(from);
  const calendar_fields b = to_fields(to);
  const std::int64_t months = std::int64_t{b.year - a.year} * 12 + b.month - a.month;
  const std::int64_t into_a = from - start_of_day(from) + std::int64_t{a.day} * day_us;
  const std::int64_t into_b = to - start_of_day(to) + std::int64_t{b.day} * day_us;
  return into_b < into_a ? months - 1 : months;
}

datum call_timestampdiff(evaluation& e, arguments a) {
  if (a[0].is_null()) return {};
  const auto unit = find_interval_unit(text_of(e, a[0]));
  const auto from = datetime_of(e, a[1]);
  const auto to = datetime_of(e, a[2]);
  if (!unit || !from || !to) return {};
  const std::int64_t us = to->microseconds - from->microseconds;
  switch (*unit) {
    case interval_unit::microsecond:
      return datum::integer(us);
    case interval_unit::second:
      return datum::integer(us / second_us);
    case interval_unit::minute:
      return datum::integer(us / (60 * second_us));
    case interval_unit::hour:
      return datum::integer(us / (3600 * second_us));
    case interval_unit::day:
      return datum::integer(us / day_us);
    case interval_unit::week:
      return datum::integer(us / (7 * day_us));
    case interval_unit::month:
      return datum::integer(months_between(from->microseconds, to->microseconds));
    case interval_unit::quarter:
      return datum::integer(months_between(from->microseconds, to->microseconds) / 3);
    case interval_unit::year:
      return datum::integer(months_between(from->microseconds, to->microseconds) / 12);
  }
  return {};
}

datum as_interval(evaluation& e, const datum& d) {
  return d.kind() == datum_kind::interval ? d : make_interval(e, d, interval_unit::day);
}

datum call_date_add(evaluation& e, arguments a) {
  return add(e, a[0], as_interval(e, a[1]));
}

datum call_date_sub(evaluation& e, arguments a) {
  return subtract(e, a[0], as_interval(e, a[1]));
}

constexpr std::int64_t minute_us = 60 * second_us;
constexpr std::int64_t hour_us = 60 * minute_us;

constexpr std::array<function, 35> of_times = {{
    {"now", 0, 1, result_kind::datetime, true, call_now},
    {"current_timestamp", 0, 1, result_kind::datetime, true, call_now},
    {"localtime", 0, 1, result_kind::datetime, true, call_now},
    {"localtimestamp", 0, 1, result_kind::datetime, true, call_now},
    {"sysdate", 0, 1, result_kind::datetime, true, call_now},
    {"utc_timestamp", 0, 1, result_kind::datetime, true, call_now},
    {"curdate", 0, 0, result_kind::date, true, call_current_date},
    {"current_date", 0, 0, result_kind::date, true, call_current_date},
    {"utc_date", 0, 0, result_kind::date, true, call_current_date},
    {"curtime", 0, 1, result_kind::time, true, call_current_time},
    {"current_time", 0, 1, result_kind::time, true, call_current_time},
    {"utc_time", 0, 1, result_kind::time, true, call_current_time},
    {"date", 1, 1, result_kind::date, false, call_date},
    {"time", 1, 1, result_kind::time, false, call_time},
    {"year", 1, 1, result_kind::integer, false, call_date_part<part::year>},
    {"quarter", 1, 1, result_kind::integer, false, call_date_part<part::quarter>},
    {"month", 1, 1, result_kind::integer, false, call_date_part<part::month>},
    {"day", 1, 1, result_kind::integer, false, call_date_part<part::day>},
    {"dayofmonth", 1, 1, result_kind::integer, false, call_date_part<part::day>},
    {"weekday", 1, 1, result_kind::integer, false, call_date_part<part::weekday>},
    {"dayofweek", 1, 1, result_kind::integer, false, call_date_part<part::day_of_week>},
    {"dayofyear", 1, 1, result_kind::integer, false, call_date_part<part::day_of_year>},
    {"hour", 1, 1, result_kind::integer, false, call_time_part<hour_us, 0>},
    {"minute", 1, 1, result_kind::integer, false, call_time_part<minute_us, 60>},
    {"second", 1, 1, result_kind::integer, false, call_time_part<second_us, 60>},
    {"microsecond", 1, 1, result_kind::integer, false, call_time_part<1, second_us>},
    {"last_day", 1, 1, result_kind::date, false, call_last_day},
    {"unix_timestamp", 0, 1, result_kind::number, true, call_unix_timestamp},
    {"from_unixtime", 1, 1, result_kind::datetime, false, call_from_unixtime},
    {"datediff", 2, 2, result_kind::integer, false, call_datediff},
    {"timestampdiff", 3, 3, result_kind::integer, false, call_timestampdiff},
    {"date_add", 2, 2, result_kind::as_arguments, false, call_date_add},
    {"adddate", 2, 2, result_kind::as_arguments, false, call_date_add},
    {"date_sub", 2, 2, result_kind::as_arguments, false, call_date_sub},
    {"subdate", 2, 2, result_kind::as_arguments, false, call_date_sub},
}};

}  // namespace

std::span<const function> time_functions() {
  return of_times;
}

}  // namespace pubsubsql::storage::sql
