#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

#include "storage/row.hpp"
#include "storage/sql/decimal.hpp"
#include "storage/sql/sql_error.hpp"
#include "storage/sql/work_budget.hpp"

namespace pubsubsql::storage::sql {

enum class datum_kind : std::uint8_t {
  null,
  integer,
  unsigned_integer,
  decimal,
  floating,
  text,
  date,
  time,
  datetime,
  interval
};

/// A value while an expression is computed: cheap to copy. Texts and long decimals lie elsewhere, in the row, the
/// statement or the evaluation's memory, and live as long as that.
class datum {
 public:
  constexpr datum() = default;

  [[nodiscard]] static constexpr datum integer(std::int64_t number) { return {datum_kind::integer, 0, 0, number}; }
  [[nodiscard]] static constexpr datum unsigned_integer(std::uint64_t number) {
    return {datum_kind::unsigned_integer, 0, 0, static_cast<std::int64_t>(number)};
  }
  [[nodiscard]] static constexpr datum boolean(bool b) { return integer(b ? 1 : 0); }
  [[nodiscard]] static constexpr datum floating(double number) {
    datum d{datum_kind::floating, 0, 0, 0};
    d.floating_ = number;
    return d;
  }
  /// coefficient / 10^scale.
  [[nodiscard]] static constexpr datum short_decimal(std::int64_t coefficient, std::uint8_t scale) {
    return {datum_kind::decimal, scale, 1, coefficient};
  }
  /// REQUIRES: *d lives as long as the datum.
  [[nodiscard]] static constexpr datum long_decimal(const sql::decimal* d) {
    datum out{datum_kind::decimal, d->scale, 0, 0};
    out.decimal_ = d;
    return out;
  }
  /// A text that compares by its bytes.
  [[nodiscard]] static constexpr datum text(std::string_view text) { return text_of(text, 0); }
  /// The value of a column without a type: compares as a number with what looks like one.
  [[nodiscard]] static constexpr datum untyped(std::string_view text) { return text_of(text, 1); }
  [[nodiscard]] static constexpr datum date(std::int64_t microseconds) {
    return {datum_kind::date, 0, 0, microseconds};
  }
  [[nodiscard]] static constexpr datum time(std::int64_t microseconds, std::uint8_t fraction_digits) {
    return {datum_kind::time, fraction_digits, 0, microseconds};
  }
  [[nodiscard]] static constexpr datum datetime(std::int64_t microseconds, std::uint8_t fraction_digits) {
    return {datum_kind::datetime, fraction_digits, 0, microseconds};
  }
  /// `of_day`: in units of less than a day, so that a date to which it is added becomes a datetime.
  [[nodiscard]] static constexpr datum interval(std::int32_t months, std::int64_t microseconds,
                                                std::uint8_t fraction_digits = 0, bool of_day = false) {
    const std::uint32_t extra = (static_cast<std::uint32_t>(months) << 1U) | (of_day ? 1U : 0U);
    return {datum_kind::interval, fraction_digits, extra, microseconds};
  }

  [[nodiscard]] constexpr datum_kind kind() const { return kind_; }
  [[nodiscard]] constexpr bool is_null() const { return kind_ == datum_kind::null; }
  [[nodiscard]] constexpr bool is_text() const { return kind_ == datum_kind::text; }
  [[nodiscard]] constexpr bool is_untyped() const { return kind_ == datum_kind::text && scale_ != 0; }
  [[nodiscard]] constexpr bool is_integer() const {
    return kind_ == datum_kind::integer || kind_ == datum_kind::unsigned_integer;
  }
  [[nodiscard]] constexpr bool is_exact() const { return is_integer() || kind_ == datum_kind::decimal; }
  [[nodiscard]] constexpr bool is_number() const { return is_exact() || kind_ == datum_kind::floating; }
  [[nodiscard]] constexpr bool is_temporal() const {
    return kind_ == datum_kind::date || kind_ == datum_kind::time || kind_ == datum_kind::datetime;
  }
  [[nodiscard]] constexpr bool is_short_decimal() const { return kind_ == datum_kind::decimal && extra_ == 1; }

  // REQUIRES of each: kind() is the one.
  [[nodiscard]] constexpr std::int64_t integer() const { return integer_; }
  [[nodiscard]] constexpr std::uint64_t unsigned_integer() const { return static_cast<std::uint64_t>(integer_); }
  [[nodiscard]] constexpr double floating() const { return floating_; }
  [[nodiscard]] constexpr std::string_view text() const { return {text_, extra_}; }
  [[nodiscard]] constexpr std::int64_t coefficient() const { return integer_; }  ///< of a short decimal
  /// Digits after the point of a decimal, of a second in a time, datetime or interval.
  [[nodiscard]] constexpr std::uint8_t scale() const { return scale_; }
  [[nodiscard]] constexpr const sql::decimal& long_decimal() const { return *decimal_; }
  /// Of a date, time, datetime, and beside the months of an interval.
  [[nodiscard]] constexpr std::int64_t microseconds() const { return integer_; }
  [[nodiscard]] constexpr std::int32_t months() const { return static_cast<std::int32_t>(extra_) >> 1; }
  [[nodiscard]] constexpr bool is_of_day() const { return (extra_ & 1U) != 0; }  ///< of an interval

 private:
  constexpr datum(datum_kind kind, std::uint8_t scale, std::uint32_t extra, std::int64_t number)
      : kind_(kind), scale_(scale), extra_(extra), integer_(number) {}
  [[nodiscard]] static constexpr datum text_of(std::string_view text, std::uint8_t untyped) {
    datum d{datum_kind::text, untyped, static_cast<std::uint32_t>(text.size()), 0};
    d.text_ = text.data();
    return d;
  }

  datum_kind kind_ = datum_kind::null;
  std::uint8_t scale_ = 0;  // of a text: 1 when it is untyped
  std::uint32_t extra_ =
      0;  // of a text: its bytes; of a decimal: 1 when it is short; of an interval: twice its months and is_of_day()
  union {
    std::int64_t integer_ = 0;
    double floating_;
    const char* text_;
    const sql::decimal* decimal_;
  };
};
static_assert(sizeof(datum) == 16);

/// What the computation of expressions needs around them: memory for what it makes, the time, and the first failure.
/// Operators that fail set it and give NULL, so that only the end has to look.
class evaluation {
 public:
  /// Bytes of the texts that one expression may make: far more than any row may have.
  static constexpr std::size_t bytes_max = 256U << 20;
  /// Bytes of a text that are made, compared or looked through in about the time of a step.
  static constexpr std::size_t bytes_per_step = 64;

  /// The memory is the caller's: what is computed lies in it. `now_us`: microseconds since 1970, UTC. `budget`: what
  /// computing may cost, shared by all of a statement; nullptr: anything.
  evaluation(std::pmr::monotonic_buffer_resource& memory, std::int64_t now_us, work_budget* budget = nullptr)
      : memory_(memory), now_us_(now_us), budget_(budget) {}

  [[nodiscard]] std::int64_t now_us() const { return now_us_; }
  [[nodiscard]] const std::optional<sql_error>& failure() const { return failure_; }
  /// As MySQL's strict mode has it while rows are written: a text that is no number where one is needed is a failure,
  /// and so is a division by zero.
  void set_strict(bool strict) { strict_ = strict; }
  [[nodiscard]] bool is_strict() const { return strict_; }
  /// Gives NULL, for operators to return. Only the first failure stays.
  datum fail(sql_error e) {
    if (!failure_) failure_ = std::move(e);
    return {};
  }

  [[nodiscard]] work_budget* budget() const { return budget_; }
  /// So many steps are done, or are to be. A failure is set when there were not so many left; then none are, and false
  /// is returned.
  bool spend(std::uint64_t steps) {
    if (budget_ == nullptr) return true;
    if (steps > budget_->steps_left) return fail_for_steps();
    budget_->steps_left -= steps;
    return true;
  }
  [[nodiscard]] std::uint64_t steps_left() const { return budget_ == nullptr ? UINT64_MAX : budget_->steps_left; }
  /// The statement holds so much more. A failure is set when it may not.
  void hold(std::size_t bytes) {
    if (budget_ == nullptr) return;
    if (bytes > budget_->bytes_left) return fail_for_held_bytes();
    budget_->bytes_left -= bytes;
  }
  /// It holds so much less. REQUIRES: it was held.
  void give_back(std::size_t bytes) {
    if (budget_ != nullptr) budget_->bytes_left += bytes;
  }

  /// What is computed from here on is another expression, with the whole of bytes_max for itself.
  void begin() { allocated_ = 0; }
  /// Whether so much can be allocated without that failure; sets it if not.
  [[nodiscard]] bool can_allocate(std::size_t bytes) {
    if (bytes <= bytes_max && allocated_ <= bytes_max - bytes) return true;
    fail_for_memory();
    return false;
  }
  /// A failure is set when one expression takes more than bytes_max; functions are not called any more then.
  [[nodiscard]] char* allocate(std::size_t bytes) {
    allocated_ += bytes;
    if (allocated_ > bytes_max) fail_for_memory();
    spend(bytes / bytes_per_step);
    return static_cast<char*>(memory_.allocate(bytes, 1));
  }
  [[nodiscard]] std::string_view keep(std::string_view text);
  [[nodiscard]] datum keep(const decimal& d);

 private:
  std::pmr::monotonic_buffer_resource& memory_;
  std::int64_t now_us_;
  work_budget* budget_;
  std::size_t allocated_ = 0;
  std::optional<sql_error> failure_;
  bool strict_ = false;

  void fail_for_memory();
  bool fail_for_steps();
  void fail_for_held_bytes();
};

/// As MySQL writes it. REQUIRES: d is not NULL.
void append_text(std::string& out, const datum& d);
/// The same; where d is a text, that text itself. REQUIRES: d is not NULL.
[[nodiscard]] std::string_view text_of(evaluation& e, const datum& d);
/// What a row would store; no value for NULL.
[[nodiscard]] value value_of(evaluation& e, const datum& d);
/// As a number the way MySQL takes it where one is needed: a text its longest beginning that is one, a date
/// 20260102, a datetime 20260102030405. REQUIRES: d is not NULL.
[[nodiscard]] double double_of(const datum& d);
/// The same exactly; doubles and texts by their shortest digits. Nothing when there are too many digits.
[[nodiscard]] std::optional<decimal> decimal_of(const datum& d);
/// An integer near enough, cut to the range; for arguments such as positions and counts.
[[nodiscard]] std::int64_t integer_of(const datum& d);
/// A number, date or datetime as a number datum: dates as integers or decimals, texts as doubles. In strict mode, a
/// text that is no number is a failure.
[[nodiscard]] datum number_of(evaluation& e, const datum& d);

}  // namespace pubsubsql::storage::sql
