#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Dates and times of day as MySQL reads, writes and reckons with them; always UTC.
///
/// A date or datetime is a number of microseconds since 1970, from the year 0 to 9999. A time is a number of
/// microseconds up to 838:59:59.999999 either way.
namespace pubsubsql::storage::sql {

inline constexpr std::int64_t second_us = 1'000'000;
inline constexpr std::int64_t day_us = 86'400 * second_us;
inline constexpr std::int64_t time_max_us = (838 * 3600 + 59 * 60 + 59) * second_us + 999'999;
inline constexpr unsigned fraction_digits_max = 6;

struct calendar_fields {
  int year = 0;
  unsigned month = 1;
  unsigned day = 1;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  unsigned microsecond = 0;
};

/// Nothing when there is no such day or time of day.
[[nodiscard]] std::optional<std::int64_t> to_microseconds(const calendar_fields& f);
[[nodiscard]] calendar_fields to_fields(std::int64_t microseconds);
[[nodiscard]] unsigned days_of_month(int year, unsigned month);
/// Whether MySQL's range, the years 0 to 9999, has it.
[[nodiscard]] bool is_datetime(std::int64_t microseconds);
/// Midnight before.
[[nodiscard]] std::int64_t start_of_day(std::int64_t microseconds);
/// Some months later or earlier; at the end of a month that is too short, its last day. Nothing when out of range.
[[nodiscard]] std::optional<std::int64_t> add_months(std::int64_t microseconds, std::int64_t months);
/// Without what more than that many digits tell of a second.
[[nodiscard]] std::int64_t cut_fraction(std::int64_t microseconds, unsigned digits);

/// An interval as one number, for comparing: a month counts 30 days.
[[nodiscard]] constexpr std::int64_t interval_microseconds(std::int32_t months, std::int64_t microseconds) {
  constexpr std::int64_t month_days = 30;
  return months * month_days * day_us + microseconds;
}

struct parsed_datetime {
  std::int64_t microseconds = 0;
  bool has_time = false;
  std::uint8_t fraction_digits = 0;
};

/// A date or datetime in one of the forms that MySQL takes: 2026-01-02, 26.1.2, 20260102, 2026-01-02 03:04:05.678,
/// 2026-01-02T03:04, 20260102030405, with an offset such as +01:00 at the end. Nothing when it is none.
[[nodiscard]] std::optional<parsed_datetime> parse_datetime(std::string_view text);
/// The same of a number: 20260102, 20260102030405.
[[nodiscard]] std::optional<parsed_datetime> number_to_datetime(std::int64_t number, std::uint32_t microsecond);

struct parsed_time {
  std::int64_t microseconds = 0;
  std::uint8_t fraction_digits = 0;
};

/// A time: 3:04, 03:04:05.678, 030405, 2 03:04:05 (two days), or that of a datetime. Nothing when it is none.
[[nodiscard]] std::optional<parsed_time> parse_time(std::string_view text);
[[nodiscard]] std::optional<parsed_time> number_to_time(std::int64_t number, std::uint32_t microsecond);

void append_date(std::string& out, std::int64_t microseconds);
void append_datetime(std::string& out, std::int64_t microseconds, unsigned fraction_digits);
void append_time(std::string& out, std::int64_t microseconds, unsigned fraction_digits);

}  // namespace pubsubsql::storage::sql
