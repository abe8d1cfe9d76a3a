#include "storage/sql/stored_value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "parser/characters.hpp"
#include "parser/utf8.hpp"
#include "storage/sql/byte_text.hpp"
#include "storage/sql/calendar.hpp"
#include "storage/sql/json.hpp"
#include "storage/sql/number_text.hpp"

namespace pubsubsql::storage::sql {

namespace {

constexpr std::int64_t first_year = 1901;
constexpr std::int64_t last_year = 2155;
constexpr std::int64_t last_timestamp_us = 2'147'483'648 * second_us;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && parser::is_white_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && parser::is_white_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Bytes of the first `characters` characters.
std::size_t prefix_bytes(std::string_view text, std::size_t characters) {
  if (text.size() <= characters) return text.size();
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!parser::is_utf8_continuation(text[at]) && characters-- == 0) break;
  }
  return at;
}

/// Whether a whole number in the text stands as it would be written: no sign but a minus, no zeros before it.
bool is_plain_integer(std::string_view text) {
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    if (text.starts_with('0')) return false;
  }
  return text.size() == 1 || !text.starts_with('0');
}

/// Converts one text or datum; failures go to the evaluation.
class converter {
 public:
  converter(evaluation& e, const column_type& type, const column_label& where) : e_(e), type_(type), where_(where) {}

  std::string_view text(std::string_view t) {
    switch (type_.kind) {
      case type_kind::tinyint:
      case type_kind::smallint:
      case type_kind::mediumint:
      case type_kind::integer:
      case type_kind::bigint:
        return integer_text(t);
      case type_kind::decimal:
        return decimal_text(t);
      case type_kind::floating:
      case type_kind::double_floating:
        return floating_text(t);
      case type_kind::bit:
        return bit_text(t);
      case type_kind::year:
        return year_text(t);
      case type_kind::date:
      case type_kind::datetime:
      case type_kind::timestamp:
        return datetime_text(t);
      case type_kind::time:
        return time_text(t);
      case type_kind::character:
      case type_kind::varchar:
        return characters_text(t);
      case type_kind::tinytext:
      case type_kind::text:
      case type_kind::mediumtext:
      case type_kind::longtext:
        return cut(t, t.size() <= type_.length ? t.size() : parser::cut_at_character(t, type_.length));
      case type_kind::json:
        if (const auto f = check_json(t)) return refuse(invalid_json(f->what, f->position, where_));
        return t;
      case type_kind::enumeration:
        return label_text(t);
      case type_kind::set:
        return set_text(t);
      case type_kind::bytes:
        return bytes_text(t);
      case type_kind::untyped:
      case type_kind::other:
        break;
    }
    return t;
  }

  std::string_view datum_text(const datum& d) {
    if (d.is_text()) return text(d.text());
    if (type_.is_integer()) {
      if (d.is_integer()) return whole(d);
      if (d.kind() == datum_kind::floating) return double_as_integer(d.floating());
    }
    if (type_.is_integer() && d.is_temporal()) {
      const std::optional<decimal> whole_part = round_to(*decimal_of(d), 0, rounding::down);
      return text(text_of(e_, e_.keep(whole_part.value_or(decimal{}))));
    }
    if (type_.is_number() && d.is_temporal()) return text(text_of(e_, number_of(e_, d)));
    if (type_.kind == type_kind::decimal && d.is_exact()) return exact(decimal_of(d));
    if (type_.kind == type_kind::year && d.is_number() && double_of(d) == 0) return "0000";
    if (type_.kind == type_kind::set && d.is_number()) return members_text(static_cast<std::uint64_t>(integer_of(d)));
    if (type_.kind == type_kind::enumeration && d.is_number()) return label_at(integer_of(d));
    if (type_.is_temporal() && type_.kind != type_kind::time) return as_datetime(d);
    return text(text_of(e_, d));
  }

 private:
  std::string_view refuse(sql_error error) {
    e_.fail(std::move(error));
    return {};
  }

  // Numbers

  /// The number that a text is, blanks around it left out; empty when it is refused.
  std::string_view number_in(std::string_view t, std::string_view type_name) {
    const std::size_t bytes = number_prefix_bytes(t);
    if (bytes == 0) return refuse(incorrect_value(type_name, t, where_));
    const std::string_view rest = t.substr(bytes);
    if (!std::all_of(rest.begin(), rest.end(), parser::is_white_space)) return refuse(data_truncated(where_));
    return trimmed(t.substr(0, bytes));
  }

  std::string_view padded(std::string_view number) {
    if (!type_.zerofill || number.size() >= type_.length) return number;
    std::string out(type_.length - number.size(), '0');
    return e_.keep(out.append(number));
  }

  std::string_view integer_text(std::string_view t) {
    const integer_range range = range_of(type_);
    const char* end = t.data() + t.size();
    if (!t.empty() && is_plain_integer(t)) {
      if (t.front() == '-') {
        std::int64_t n = 0;
        const auto [stop, code] = std::from_chars(t.data(), end, n);
        if (code == std::errc{} && stop == end && n >= range.lowest) return padded(t);
      } else {
        std::uint64_t n = 0;
        const auto [stop, code] = std::from_chars(t.data(), end, n);
        if (code == std::errc{} && stop == end && n <= range.highest) return padded(t);
      }
    }
    const std::string_view number = number_in(t, "integer");
    if (number.empty()) return {};
    const std::optional<number_parts> parts = read_number(number);
    if (!parts || parts->exponent > 20) return refuse(out_of_range(where_));
    const std::optional<decimal> d = parse_decimal(number);
    if (!d) return refuse(out_of_range(where_));
    if (d->negative) {
      const std::optional<std::int64_t> n = to_integer(*d);
      return n ? whole(datum::integer(*n)) : refuse(out_of_range(where_));
    }
    const std::optional<std::uint64_t> n = to_unsigned(*d);
    return n ? whole(datum::unsigned_integer(*n)) : refuse(out_of_range(where_));
  }

  std::string_view whole(const datum& d) {
    const integer_range range = range_of(type_);
    const bool negative = d.kind() == datum_kind::integer && d.integer() < 0;
    if (negative ? d.integer() < range.lowest : d.unsigned_integer() > range.highest) {
      return refuse(out_of_range(where_));
    }
    return padded(text_of(e_, d));
  }

  std::string_view double_as_integer(double number) {
    const integer_range range = range_of(type_);
    const double rounded = std::nearbyint(number);
    constexpr double signed_end = 9223372036854775808.0;
    constexpr double unsigned_end = 18446744073709551616.0;
    if (!(rounded >= static_cast<double>(range.lowest)) || rounded >= unsigned_end) return refuse(out_of_range(where_));
    if (rounded < signed_end) return whole(datum::integer(static_cast<std::int64_t>(rounded)));
    return whole(datum::unsigned_integer(static_cast<std::uint64_t>(rounded)));
  }

  std::string_view exact(const std::optional<decimal>& number) {
    if (!number || (type_.is_unsigned && number->negative)) return refuse(out_of_range(where_));
    const std::optional<decimal> rounded = round_to(*number, type_.scale, rounding::half_up);
    if (!rounded || digit_count(*rounded) > type_.length) return refuse(out_of_range(where_));
    std::string out;
    append_text(out, *rounded);
    if (type_.zerofill && out.size() < type_.length + 1) out.insert(0, type_.length + 1 - out.size(), '0');
    return e_.keep(out);
  }

  std::string_view decimal_text(std::string_view t) {
    const std::string_view number = number_in(t, "decimal");
    return number.empty() ? number : exact(parse_decimal(number));
  }

  std::string_view floating_text(std::string_view t) {
    std::string_view number = number_in(t, "double");
    if (number.empty()) return {};
    if (number.front() == '+') number.remove_prefix(1);
    double n = 0;
    const auto [stop, code] = std::from_chars(number.data(), number.data() + number.size(), n);
    if (code == std::errc::result_out_of_range) {
      const std::optional<number_parts> parts = read_number(number);
      if (!parts || parts->exponent > 0) return refuse(out_of_range(where_));
      n = 0;
    }
    return floating_value(n);
  }

  std::string_view floating_value(double n) {
    if (type_.is_unsigned && n < 0) return refuse(out_of_range(where_));
    if (type_.kind == type_kind::floating && std::fabs(n) > std::numeric_limits<float>::max()) {
      return refuse(out_of_range(where_));
    }
    std::string out;
    if (type_.has_digits) {
      const double unit = std::pow(10.0, type_.scale);
      const double scaled = std::nearbyint(n * unit);
      if (std::fabs(scaled) >= std::pow(10.0, type_.length)) return refuse(out_of_range(where_));
      if (std::isfinite(scaled)) n = scaled / unit;
    }
    if (type_.kind == type_kind::floating) {
      append_float(out, static_cast<float>(n));
    } else if (type_.has_digits) {
      std::array<char, 600> buffer{};
      const auto written =
          std::to_chars(buffer.data(), buffer.data() + buffer.size(), n, std::chars_format::fixed, type_.scale);
      out.assign(buffer.data(), written.ptr);
    } else {
      append_double(out, n);
    }
    return e_.keep(out);
  }

  std::string_view bit_text(std::string_view t) {
    std::uint64_t n = 0;
    const auto [stop, code] = std::from_chars(t.data(), t.data() + t.size(), n);
    if (code != std::errc{} || stop != t.data() + t.size()) return t;
    if (type_.length < 64 && n >> type_.length != 0) return refuse(data_too_long(where_));
    return e_.keep(std::to_string(n));
  }

  std::string_view year_text(std::string_view t) {
    const std::string_view number = number_in(t, "integer");
    if (number.empty()) return {};
    const std::optional<decimal> d = parse_decimal(number);
    std::int64_t year = d ? to_integer(*d).value_or(-1) : -1;
    const bool short_form = number.size() > 1 && number.size() < 4;
    if (year >= 0 && year < 100 && (short_form || year > 0)) year += year < 70 ? 2000 : 1900;
    if (year != 0 && (year < first_year || year > last_year)) return refuse(out_of_range(where_));
    return year == 0 ? "0000" : e_.keep(std::to_string(year));
  }

  // Dates and times

  [[nodiscard]] std::string_view type_name() const {
    return type_.kind == type_kind::date ? "date" : type_.kind == type_kind::time ? "time" : "datetime";
  }

  std::string_view datetime_value(std::int64_t microseconds, std::string_view shown_text) {
    std::string out;
    if (type_.kind == type_kind::date) {
      append_date(out, microseconds);
      return e_.keep(out);
    }
    const bool outside = microseconds < second_us || microseconds >= last_timestamp_us;
    if (type_.kind == type_kind::timestamp && outside) {
      return refuse(incorrect_time_value("datetime", shown_text, where_));
    }
    append_datetime(out, microseconds, type_.scale);
    return e_.keep(out);
  }

  std::string_view datetime_text(std::string_view t) {
    const std::optional<parsed_datetime> parsed = parse_datetime(t);
    if (!parsed) return refuse(incorrect_time_value(type_name(), t, where_));
    return datetime_value(parsed->microseconds, t);
  }

  std::string_view as_datetime(const datum& d) {
    if (d.kind() == datum_kind::date || d.kind() == datum_kind::datetime) {
      return datetime_value(d.microseconds(), "");
    }
    const std::string_view shown_text = text_of(e_, d);
    if (d.kind() == datum_kind::time) return datetime_value(start_of_day(e_.now_us()) + d.microseconds(), shown_text);
    if (d.is_number()) {
      const double fraction = std::fabs(double_of(d)) - std::floor(std::fabs(double_of(d)));
      const std::optional<decimal> exact_number = decimal_of(d);
      const auto down = exact_number ? round_to(*exact_number, 0, rounding::down) : std::nullopt;
      const auto parsed = number_to_datetime(down ? small_coefficient(*down).value_or(0) : 0,
                                             static_cast<std::uint32_t>(fraction * second_us));
      if (!parsed) return refuse(incorrect_time_value(type_name(), shown_text, where_));
      return datetime_value(parsed->microseconds, shown_text);
    }
    return datetime_text(shown_text);
  }

  std::string_view time_text(std::string_view t) {
    const std::optional<parsed_time> parsed = parse_time(t);
    if (!parsed) return refuse(incorrect_time_value("time", t, where_));
    std::string out;
    append_time(out, parsed->microseconds, type_.scale);
    return e_.keep(out);
  }

  // Texts

  /// The text up to `bytes`, provided that only spaces are cut off.
  std::string_view cut(std::string_view t, std::size_t bytes) {
    if (t.find_first_not_of(' ', bytes) != std::string_view::npos) return refuse(data_too_long(where_));
    return t.substr(0, bytes);
  }

  std::string_view characters_text(std::string_view t) {
    t = cut(t, prefix_bytes(t, type_.length));
    if (type_.kind == type_kind::character) {
      while (t.ends_with(' ')) t.remove_suffix(1);
    }
    return t;
  }

  std::string_view bytes_text(std::string_view t) {
    std::string digits;
    std::string bytes(read_bytes(t, digits));
    if (bytes.size() > type_.length) return refuse(data_too_long(where_));
    if (type_.word == "binary") bytes.resize(type_.length);
    return e_.keep(write_bytes(bytes, digits));
  }

  std::string_view label_at(std::int64_t index) {
    if (index < 1 || static_cast<std::uint64_t>(index) > type_.label_count()) return refuse(data_truncated(where_));
    return e_.keep((*type_.labels)[static_cast<std::size_t>(index - 1)]);
  }

  std::string_view label_text(std::string_view t) {
    while (t.ends_with(' ')) t.remove_suffix(1);
    if (type_.label_index(t) != 0) return t;
    std::int64_t index = 0;
    const auto [stop, code] = std::from_chars(t.data(), t.data() + t.size(), index);
    if (t.empty() || code != std::errc{} || stop != t.data() + t.size()) return refuse(data_truncated(where_));
    return label_at(index);
  }

  std::string_view set_text(std::string_view t) {
    std::uint64_t members = 0;
    for (std::size_t at = 0; at < t.size();) {
      const std::size_t end = std::min(t.find(',', at), t.size());
      const std::uint32_t index = type_.label_index(t.substr(at, end - at));
      if (index == 0) return number_as_set(t);
      members |= std::uint64_t{1} << (index - 1);
      at = end + 1;
    }
    return members_text(members);
  }

  std::string_view number_as_set(std::string_view t) {
    std::uint64_t members = 0;
    const auto [stop, code] = std::from_chars(t.data(), t.data() + t.size(), members);
    return code == std::errc{} && stop == t.data() + t.size() ? members_text(members) : refuse(data_truncated(where_));
  }

  std::string_view members_text(std::uint64_t members) {
    constexpr std::size_t bits = 64;
    if (type_.label_count() < bits && members >> type_.label_count() != 0) return refuse(data_truncated(where_));
    std::string out;
    for (std::size_t i = 0; i < type_.label_count(); ++i) {
      if ((members >> i & 1U) == 0) continue;
      out.append(out.empty() ? "" : ",").append((*type_.labels)[i]);
    }
    return e_.keep(out);
  }

  evaluation& e_;
  const column_type& type_;
  const column_label& where_;
};

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number n{};
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (code != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return n;
}

/// Digits with a point as a decimal column stores them; nothing when it is not of this form or too long.
std::optional<datum> short_decimal(std::string_view text) {
  constexpr std::size_t digits_max = 18;
  if (text.size() > digits_max + 2) return std::nullopt;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::int64_t coefficient = 0;
  std::size_t digits = 0;
  std::size_t scale = 0;
  bool behind_point = false;
  for (const char c : text) {
    if (c == '.' && !behind_point) {
      behind_point = true;
      continue;
    }
    if (c < '0' || c > '9' || ++digits > digits_max) return std::nullopt;
    coefficient = coefficient * 10 + (c - '0');
    if (behind_point) ++scale;
  }
  if (digits == 0) return std::nullopt;
  return datum::short_decimal(negative ? -coefficient : coefficient, static_cast<std::uint8_t>(scale));
}

datum decimal_datum(evaluation& e, std::string_view text) {
  if (const auto d = short_decimal(text)) return *d;
  const std::optional<decimal> d = parse_decimal(text);
  return d ? e.keep(*d) : datum::text(text);
}

datum floating_datum(const column_type& type, std::string_view text) {
  if (!looks_like_number(text)) return datum::text(text);
  if (type.kind != type_kind::floating) return datum::floating(text_to_double(text));
  return datum::floating(static_cast<double>(static_cast<float>(text_to_double(text))));
}

datum date_datum(const column_type& type, std::string_view text) {
  const std::optional<parsed_datetime> parsed = parse_datetime(text);
  if (!parsed) return datum::text(text);
  if (type.kind == type_kind::date) return datum::date(start_of_day(parsed->microseconds));
  return datum::datetime(parsed->microseconds, type.scale);
}

}  // namespace

std::string_view canonical_text(evaluation& e, const column_type& type, std::string_view text,
                                const column_label& where) {
  return converter(e, type, where).text(text);
}

value canonical_value(evaluation& e, const column_type& type, const datum& d, const column_label& where) {
  if (d.is_null()) return std::nullopt;
  return converter(e, type, where).datum_text(d);
}

datum datum_of(evaluation& e, const column_type& type, const value& stored) {
  if (!stored) return {};
  const std::string_view text = *stored;
  switch (type.kind) {
    case type_kind::untyped:
      return datum::untyped(text);
    case type_kind::tinyint:
    case type_kind::smallint:
    case type_kind::mediumint:
    case type_kind::integer:
    case type_kind::bigint:
      if (type.is_unsigned) {
        const auto n = whole_number<std::uint64_t>(text);
        return n ? datum::unsigned_integer(*n) : datum::text(text);
      } else {
        const auto n = whole_number<std::int64_t>(text);
        return n ? datum::integer(*n) : datum::text(text);
      }
    case type_kind::bit: {
      const auto n = whole_number<std::uint64_t>(text);
      return n ? datum::unsigned_integer(*n) : datum::text(text);
    }
    case type_kind::year: {
      const auto n = whole_number<std::uint64_t>(text);
      return n ? datum::unsigned_integer(*n) : datum::text(text);
    }
    case type_kind::decimal:
      return decimal_datum(e, text);
    case type_kind::floating:
    case type_kind::double_floating:
      return floating_datum(type, text);
    case type_kind::date:
    case type_kind::datetime:
    case type_kind::timestamp:
      return date_datum(type, text);
    case type_kind::time: {
      const std::optional<parsed_time> parsed = parse_time(text);
      return parsed ? datum::time(parsed->microseconds, type.scale) : datum::text(text);
    }
    case type_kind::character:
    case type_kind::varchar:
    case type_kind::tinytext:
    case type_kind::text:
    case type_kind::mediumtext:
    case type_kind::longtext:
    case type_kind::json:
    case type_kind::enumeration:
    case type_kind::set:
    case type_kind::bytes:
    case type_kind::other:
      break;
  }
  return datum::text(text);
}

std::optional<datum> as_type(evaluation& e, const column_type& type, const datum& constant) {
  if (constant.is_null()) return constant;
  if (type.is_untyped()) return constant.is_text() ? std::optional(datum::untyped(constant.text())) : std::nullopt;
  if (type.is_number()) {
    if (constant.is_text() && !looks_like_number(constant.text())) return std::nullopt;
    if (!constant.is_text() && !constant.is_number()) return std::nullopt;
    if (type.is_floating()) {
      const double number = double_of(constant);
      if (type.kind == type_kind::double_floating) return datum::floating(number);
      return datum::floating(static_cast<double>(static_cast<float>(number)));
    }
    const std::optional<decimal> exact = decimal_of(constant);
    if (!exact) return std::nullopt;
    const std::optional<decimal> whole = round_to(*exact, 0, rounding::down);
    if (type.kind != type_kind::decimal && whole && compare(*whole, *exact) == 0) {
      if (const auto n = small_coefficient(*whole)) return datum::integer(*n);
      if (const auto n = to_unsigned(*whole)) return datum::unsigned_integer(*n);
    }
    return e.keep(*exact);
  }
  if (type.is_temporal()) {
    if (constant.is_temporal()) return constant;
    if (type.kind == type_kind::time) {
      const auto parsed = constant.is_text() ? parse_time(constant.text()) : number_to_time(integer_of(constant), 0);
      return parsed ? std::optional(datum::time(parsed->microseconds, parsed->fraction_digits)) : std::nullopt;
    }
    const auto parsed =
        constant.is_text() ? parse_datetime(constant.text()) : number_to_datetime(integer_of(constant), 0);
    if (!parsed) return std::nullopt;
    if (!parsed->has_time && type.kind == type_kind::date) return datum::date(parsed->microseconds);
    return datum::datetime(parsed->microseconds, parsed->fraction_digits);
  }
  if (type.kind == type_kind::enumeration) {
    if (constant.is_text() && type.label_index(constant.text()) != 0) return constant;
    if (constant.is_text() && !whole_number<std::int64_t>(constant.text())) return std::nullopt;
    const std::int64_t index = integer_of(constant);
    if (index < 1 || static_cast<std::uint64_t>(index) > type.label_count()) return std::nullopt;
    return datum::text(e.keep((*type.labels)[static_cast<std::size_t>(index - 1)]));
  }
  if (!constant.is_text()) return std::nullopt;
  if (type.kind != type_kind::character) return constant;
  const std::string_view text = constant.text();
  return datum::text(text.substr(0, text.find_last_not_of(' ') + 1));
}

datum number_literal(evaluation& e, std::string_view text) {
  if (text.find_first_of("eE") != std::string_view::npos) return datum::floating(text_to_double(text));
  if (text.starts_with('+')) text.remove_prefix(1);
  if (const auto n = whole_number<std::int64_t>(text)) return datum::integer(*n);
  if (const auto n = whole_number<std::uint64_t>(text)) return datum::unsigned_integer(*n);
  if (const auto d = short_decimal(text)) return *d;
  const std::optional<decimal> d = parse_decimal(text);
  return d ? e.keep(*d) : datum::floating(text_to_double(text));
}

datum cast(evaluation& e, const column_type& type, const datum& d) {
  if (d.is_null()) return d;
  if (type.is_integer() && !d.is_integer()) {
    const datum number = number_of(e, d);
    if (number.kind() == datum_kind::floating) {
      const std::int64_t whole = integer_of(number);
      return type.is_unsigned ? datum::unsigned_integer(static_cast<std::uint64_t>(whole)) : datum::integer(whole);
    }
    const std::optional<decimal> exact = decimal_of(number);
    if (exact && type.is_unsigned) {
      if (const auto n = to_unsigned(*exact)) return datum::unsigned_integer(*n);
    }
    return datum::integer(integer_of(number));
  }
  if (type.is_integer()) {
    return type.is_unsigned ? datum::unsigned_integer(d.unsigned_integer()) : datum::integer(d.integer());
  }
  if (type.kind == type_kind::double_floating || type.kind == type_kind::floating) {
    return datum::floating(double_of(d));
  }
  if (type.kind == type_kind::decimal) {
    const std::optional<decimal> exact = decimal_of(d);
    const std::optional<decimal> rounded = exact ? round_to(*exact, type.scale, rounding::half_up) : std::nullopt;
    if (!rounded || digit_count(*rounded) > type.length) return e.fail(out_of_range({{}, "cast"}));
    return e.keep(*rounded);
  }
  if (type.is_temporal()) {
    evaluation attempt(e);
    const value stored = canonical_value(attempt, type, d, {});
    return attempt.failure() ? datum{} : datum_of(e, type, stored);
  }
  std::string_view text = text_of(e, d);
  if (type.length > 0) text = text.substr(0, prefix_bytes(text, type.length));
  return datum::text(text);
}

}  // namespace pubsubsql::storage::sql
