#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/sql/calendar.hpp"
#include "storage/sql/datum.hpp"

/// The operators that reckon, with MySQL's result types: integers and decimals exactly, anything with a double or a
/// text as doubles; NULL with anything is NULL, and so is a division by zero. A result that does not fit fails with
/// 1690. Dates and intervals add and subtract; the difference of two dates or datetimes is an interval.
namespace pubsubsql::storage::sql {

[[nodiscard]] datum add(evaluation& e, const datum& a, const datum& b);
[[nodiscard]] datum subtract(evaluation& e, const datum& a, const datum& b);
[[nodiscard]] datum multiply(evaluation& e, const datum& a, const datum& b);
/// Digits after the point that a quotient, and an average, has more than what is divided.
inline constexpr std::uint8_t division_digits = 4;

/// `/`: of exact numbers a decimal with division_digits more than a has.
[[nodiscard]] datum divide(evaluation& e, const datum& a, const datum& b);
/// `div`: a whole number.
[[nodiscard]] datum divide_whole(evaluation& e, const datum& a, const datum& b);
[[nodiscard]] datum remainder(evaluation& e, const datum& a, const datum& b);
[[nodiscard]] datum negate(evaluation& e, const datum& a);
/// `||`
[[nodiscard]] datum concat(evaluation& e, const datum& a, const datum& b);

enum class interval_unit : std::uint8_t { microsecond, second, minute, hour, day, week, month, quarter, year };

/// In any case; nothing for what is no unit.
[[nodiscard]] std::optional<interval_unit> find_interval_unit(std::string_view word);
/// `interval amount unit`. NULL when the amount is NULL or beyond all dates.
[[nodiscard]] datum make_interval(evaluation& e, const datum& amount, interval_unit unit);

/// A value as a date or datetime: a date, datetime, time (of today), text or number that is one. Nothing otherwise.
[[nodiscard]] std::optional<parsed_datetime> datetime_of(evaluation& e, const datum& d);

}  // namespace pubsubsql::storage::sql
