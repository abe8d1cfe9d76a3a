#include "storage/sql/calendar.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "parser/characters.hpp"

namespace pubsubsql::storage::sql {

namespace {

constexpr std::int64_t minute_us = 60 * second_us;
constexpr std::int64_t hour_us = 60 * minute_us;

void append_padded(std::string& out, std::uint64_t number, unsigned digits) {
  std::array<char, 20> buffer{};
  std::size_t at = buffer.size();
  for (unsigned written = 0; number != 0 || written < digits; ++written) {
    buffer[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  out.append(buffer.data() + at, buffer.size() - at);
}

void append_fraction(std::string& out, unsigned microsecond, unsigned digits) {
  if (digits == 0) return;
  for (unsigned i = digits; i < fraction_digits_max; ++i) microsecond /= 10;
  out += '.';
  append_padded(out, microsecond, digits);
}

/// Reads a text from its front.
class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) { skip_blanks(); }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] char front() const { return rest_.empty() ? '\0' : rest_.front(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool at_digit() const { return front() >= '0' && front() <= '9'; }

  void skip_blanks() {
    while (!rest_.empty() && parser::is_white_space(front())) rest_.remove_prefix(1);
  }
  bool skip(char c) {
    if (front() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// One mark such as stands between the parts of a date.
  bool skip_mark() {
    const char c = front();
    const bool mark = c > ' ' && c < '\x7f' && !is_any_of(c, parser::character::name_part);
    if (mark) rest_.remove_prefix(1);
    return mark;
  }
  [[nodiscard]] std::size_t digits() const {
    std::size_t n = 0;
    while (n < rest_.size() && rest_[n] >= '0' && rest_[n] <= '9') ++n;
    return n;
  }
  /// REQUIRES: that many digits are at the front.
  unsigned number(std::size_t digit_count) {
    unsigned out = 0;
    for (const char c : rest_.substr(0, digit_count)) out = out * 10 + static_cast<unsigned>(c - '0');
    rest_.remove_prefix(digit_count);
    return out;
  }
  /// A number of one to `digits_max` digits.
  bool number(std::size_t digits_max, unsigned& out) {
    const std::size_t n = digits();
    if (n == 0 || n > digits_max) return false;
    out = number(n);
    return true;
  }
  /// A point and what stands behind it, if there is one. What is less than a microsecond is dropped.
  void fraction(unsigned& microsecond, std::uint8_t& fraction_digits) {
    if (front() != '.') return;
    rest_.remove_prefix(1);
    const std::size_t n = digits();
    const std::size_t used = std::min<std::size_t>(n, fraction_digits_max);
    microsecond = number(used);
    for (std::size_t i = used; i < fraction_digits_max; ++i) microsecond *= 10;
    fraction_digits = static_cast<std::uint8_t>(used);
    rest_.remove_prefix(n - used);
  }

 private:
  std::string_view rest_;
};

int full_year(unsigned year, std::size_t digits) {
  if (digits > 2) return static_cast<int>(year);
  return static_cast<int>(year < 70 ? 2000 + year : 1900 + year);
}

/// The parts of a date and time without marks between them; the number of digits tells which.
bool read_compact(reader& r, std::size_t digits, calendar_fields& f, bool& has_time) {
  const std::size_t year_digits = digits == 8 || digits == 14 ? 4 : 2;
  f.year = full_year(r.number(year_digits), year_digits);
  f.month = r.number(2);
  f.day = r.number(2);
  has_time = digits > 8;
  if (!has_time) return true;
  f.hour = r.number(2);
  f.minute = r.number(2);
  f.second = r.number(2);
  return true;
}

bool read_clock(reader& r, calendar_fields& f, std::uint8_t& fraction_digits) {
  if (!r.number(2, f.hour)) return false;
  if (!r.skip_mark()) return true;
  if (!r.number(2, f.minute)) return false;
  if (r.front() == '+' || r.front() == '-' || !r.skip_mark()) return true;
  if (!r.number(2, f.second)) return false;
  r.fraction(f.microsecond, fraction_digits);
  return true;
}

/// An offset from UTC: +01:00. Nothing: there is something else.
std::optional<std::int64_t> read_offset(reader& r) {
  if (r.front() != '+' && r.front() != '-') return 0;
  const bool negative = r.front() == '-';
  r.skip_mark();
  unsigned hours = 0;
  unsigned minutes = 0;
  if (r.digits() != 2 || !r.number(2, hours) || !r.skip(':') || r.digits() != 2 || !r.number(2, minutes) ||
      hours > 14 || minutes > 59) {
    return std::nullopt;
  }
  const std::int64_t offset = hours * hour_us + minutes * minute_us;
  return negative ? -offset : offset;
}

}  // namespace

std::optional<std::int64_t> to_microseconds(const calendar_fields& f) {
  if (f.month < 1 || f.month > 12 || f.day < 1 || f.day > days_of_month(f.year, f.month)) return std::nullopt;
  if (f.hour > 23 || f.minute > 59 || f.second > 59 || f.year < 0 || f.year > 9999) return std::nullopt;
  const std::chrono::year_month_day day(std::chrono::year(f.year), std::chrono::month(f.month),
                                        std::chrono::day(f.day));
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return days * day_us + f.hour * hour_us + f.minute * minute_us + f.second * second_us + f.microsecond;
}

calendar_fields to_fields(std::int64_t microseconds) {
  const std::int64_t midnight = start_of_day(microseconds);
  const std::chrono::sys_days days{std::chrono::days(midnight / day_us)};
  const std::chrono::year_month_day date(days);
  const auto of_day = static_cast<std::uint64_t>(microseconds - midnight);
  calendar_fields f;
  f.year = static_cast<int>(date.year());
  f.month = static_cast<unsigned>(date.month());
  f.day = static_cast<unsigned>(date.day());
  f.hour = static_cast<unsigned>(of_day / hour_us);
  f.minute = static_cast<unsigned>(of_day / minute_us % 60);
  f.second = static_cast<unsigned>(of_day / second_us % 60);
  f.microsecond = static_cast<unsigned>(of_day % second_us);
  return f;
}

unsigned days_of_month(int year, unsigned month) {
  const std::chrono::month_day_last last{std::chrono::month(month)};
  return static_cast<unsigned>(std::chrono::year_month_day_last(std::chrono::year(year), last).day());
}

bool is_datetime(std::int64_t microseconds) {
  constexpr std::int64_t lowest = -719'528 * day_us;    // 0000-01-01
  constexpr std::int64_t highest = 2'932'897 * day_us;  // 10000-01-01
  return microseconds >= lowest && microseconds < highest;
}

std::int64_t start_of_day(std::int64_t microseconds) {
  std::int64_t days = microseconds / day_us;
  if (microseconds % day_us < 0) --days;
  return days * day_us;
}

std::optional<std::int64_t> add_months(std::int64_t microseconds, std::int64_t months) {
  constexpr std::int64_t months_max = 12 * 10'000;
  if (months > months_max || months < -months_max) return std::nullopt;
  calendar_fields f = to_fields(microseconds);
  const std::int64_t total = std::int64_t{f.year} * 12 + f.month - 1 + months;
  if (total < 0 || total >= months_max) return std::nullopt;
  f.year = static_cast<int>(total / 12);
  f.month = static_cast<unsigned>(total % 12 + 1);
  f.day = std::min(f.day, days_of_month(f.year, f.month));
  return to_microseconds(f);
}

std::int64_t cut_fraction(std::int64_t microseconds, unsigned digits) {
  std::int64_t unit = 1;
  for (unsigned i = digits; i < fraction_digits_max; ++i) unit *= 10;
  const std::int64_t rest = microseconds % unit;
  // A date before 1970 is below zero as a whole: what is cut off lies behind it all the same.
  return microseconds - rest - (rest < 0 ? unit : 0);
}

std::optional<parsed_datetime> parse_datetime(std::string_view text) {
  reader r(text);
  calendar_fields f;
  parsed_datetime out;
  const std::size_t digits = r.digits();
  if (digits == 6 || digits == 8 || digits == 12 || digits == 14) {
    read_compact(r, digits, f, out.has_time);
    if (out.has_time) r.fraction(f.microsecond, out.fraction_digits);
  } else {
    if (digits == 0 || digits > 4) return std::nullopt;
    f.year = full_year(r.number(digits), digits);
    if (!r.skip_mark() || !r.number(2, f.month) || !r.skip_mark() || !r.number(2, f.day)) return std::nullopt;
  }
  if (!out.has_time) {
    const bool marked = r.skip('T') || r.skip('t');
    if (!marked) r.skip_blanks();
    out.has_time = r.at_digit();
    if (marked && !out.has_time) return std::nullopt;
    if (out.has_time) {
      const std::size_t clock_digits = r.digits();
      if (clock_digits == 6) {
        f.hour = r.number(2);
        f.minute = r.number(2);
        f.second = r.number(2);
        r.fraction(f.microsecond, out.fraction_digits);
      } else if (!read_clock(r, f, out.fraction_digits)) {
        return std::nullopt;
      }
    }
  }
  std::int64_t offset = 0;
  if (out.has_time && !r.at_end()) {
    const std::optional<std::int64_t> read = read_offset(r);
    if (!read) return std::nullopt;
    offset = *read;
  }
  r.skip_blanks();
  if (!r.at_end()) return std::nullopt;
  const std::optional<std::int64_t> microseconds = to_microseconds(f);
  if (!microseconds || !is_datetime(*microseconds - offset)) return std::nullopt;
  out.microseconds = *microseconds - offset;
  return out;
}

std::optional<parsed_datetime> number_to_datetime(std::int64_t number, std::uint32_t microsecond) {
  constexpr std::int64_t date_max = 99'991'231;
  if (number < 101) return std::nullopt;
  parsed_datetime out;
  out.has_time = number > date_max;
  std::int64_t date = out.has_time ? number / 1'000'000 : number;
  calendar_fields f;
  if (out.has_time) {
    const std::int64_t clock = number % 1'000'000;
    f.hour = static_cast<unsigned>(clock / 10'000);
    f.minute = static_cast<unsigned>(clock / 100 % 100);
    f.second = static_cast<unsigned>(clock % 100);
    f.microsecond = microsecond;
    out.fraction_digits = microsecond == 0 ? 0 : fraction_digits_max;
  }
  if (date > date_max) return std::nullopt;
  if (date < 1'000'000) date += date < 700'000 ? 20'000'000 : 19'000'000;
  f.year = static_cast<int>(date / 10'000);
  f.month = static_cast<unsigned>(date / 100 % 100);
  f.day = static_cast<unsigned>(date % 100);
  const std::optional<std::int64_t> microseconds = to_microseconds(f);
  if (!microseconds) return std::nullopt;
  out.microseconds = *microseconds;
  return out;
}

std::optional<parsed_time> parse_time(std::string_view text) {
  reader r(text);
  const bool negative = r.skip('-');
  parsed_time out;
  const std::size_t digits = r.digits();
  if (digits == 0 || digits > 7) {
    const std::optional<parsed_datetime> datetime = parse_datetime(text);
    if (!datetime || negative) return std::nullopt;
    return parsed_time{datetime->microseconds - start_of_day(datetime->microseconds), datetime->fraction_digits};
  }
  const unsigned first = r.number(digits);
  unsigned days = 0;
  unsigned hours = first;
  unsigned minutes = 0;
  unsigned seconds = 0;
  unsigned microsecond = 0;
  if (r.front() == ' ' && r.rest().find(':') != std::string_view::npos) {
    r.skip_blanks();
    days = first;
    if (!r.number(2, hours)) return std::nullopt;
  }
  if (r.skip(':')) {
    if (!r.number(2, minutes)) return std::nullopt;
    if (r.skip(':') && !r.number(2, seconds)) return std::nullopt;
  } else if (const std::optional<parsed_datetime> datetime = parse_datetime(text)) {
    if (r.front() == '-' || r.front() == '/') {
      return parsed_time{datetime->microseconds - start_of_day(datetime->microseconds), datetime->fraction_digits};
    }
    hours = first / 10'000;
    minutes = first / 100 % 100;
    seconds = first % 100;
  } else {
    hours = first / 10'000;
    minutes = first / 100 % 100;
    seconds = first % 100;
  }
  r.fraction(microsecond, out.fraction_digits);
  r.skip_blanks();
  if (!r.at_end() || minutes > 59 || seconds > 59 || days > 34 || hours > 838) return std::nullopt;
  out.microseconds = days * day_us + hours * hour_us + minutes * minute_us + seconds * second_us + microsecond;
  if (out.microseconds > time_max_us) return std::nullopt;
  if (negative) out.microseconds = -out.microseconds;
  return out;
}

std::optional<parsed_time> number_to_time(std::int64_t number, std::uint32_t microsecond) {
  constexpr std::int64_t number_max = 8'385'959;
  if (number > number_max || number < -number_max) return std::nullopt;
  const bool negative = number < 0;
  const std::int64_t size = negative ? -number : number;
  if (size / 100 % 100 > 59 || size % 100 > 59) return std::nullopt;
  const std::int64_t out = size / 10'000 * hour_us + size / 100 % 100 * minute_us + size % 100 * second_us +
                           static_cast<std::int64_t>(microsecond);
  const auto digits = static_cast<std::uint8_t>(microsecond == 0 ? 0 : fraction_digits_max);
  return parsed_time{negative ? -out : out, digits};
}

void append_date(std::string& out, std::int64_t microseconds) {
  const calendar_fields f = to_fields(microseconds);
  append_padded(out, static_cast<unsigned>(f.year), 4);
  out += '-';
  append_padded(out, f.month, 2);
  out += '-';
  append_padded(out, f.day, 2);
}

void append_datetime(std::string& out, std::int64_t microseconds, unsigned fraction_digits) {
  append_date(out, microseconds);
  out += ' ';
  append_time(out, microseconds - start_of_day(microseconds), fraction_digits);
}

void append_time(std::string& out, std::int64_t microseconds, unsigned fraction_digits) {
  if (microseconds < 0) out += '-';
  const auto size = static_cast<std::uint64_t>(microseconds < 0 ? -microseconds : microseconds);
  append_padded(out, size / hour_us, 2);
  out += ':';
  append_padded(out, size / minute_us % 60, 2);
  out += ':';
  append_padded(out, size / second_us % 60, 2);
  append_fraction(out, static_cast<unsigned>(size % second_us), fraction_digits);
}

}  // namespace pubsubsql::storage::sql
