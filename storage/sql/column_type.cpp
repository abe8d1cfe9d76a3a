#include "storage/sql/column_type.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "parser/characters.hpp"
#include "storage/sql/calendar.hpp"
#include "storage/sql/decimal.hpp"

namespace pubsubsql::storage::sql {

namespace {

constexpr std::uint32_t utf8_bytes_max = 4;
constexpr std::uint32_t varchar_bytes_max = 65'535;
constexpr std::uint32_t varchar_characters_max = 16'383;
constexpr std::uint32_t char_characters_max = 255;
constexpr std::uint32_t width_max = 255;
constexpr std::uint32_t bits_max = 64;
constexpr std::uint32_t float_bits_max = 24;
constexpr std::uint32_t double_bits_max = 53;
constexpr std::size_t set_labels_max = 64;
constexpr std::size_t enum_labels_max = 65'535;

/// What may stand in the parentheses.
enum class parameters : std::uint8_t { none, width, fraction, digits, characters, bytes, bits, labels };

struct type_word {
  std::string_view word;
  type_kind kind;
  parameters takes;
  std::uint32_t length = 0;  ///< without parentheses
};

constexpr std::uint32_t tiny_max = 255;
constexpr std::uint32_t short_max = 65'535;
constexpr std::uint32_t medium_max = 16'777'215;
constexpr std::uint32_t long_max = 4'294'967'295;

constexpr std::array<type_word, 54> words = {{
    {"tinyint", type_kind::tinyint, parameters::width},
    {"int1", type_kind::tinyint, parameters::width},
    {"bool", type_kind::tinyint, parameters::none, 1},
    {"boolean", type_kind::tinyint, parameters::none, 1},
    {"smallint", type_kind::smallint, parameters::width},
    {"int2", type_kind::smallint, parameters::width},
    {"mediumint", type_kind::mediumint, parameters::width},
    {"middleint", type_kind::mediumint, parameters::width},
    {"int3", type_kind::mediumint, parameters::width},
    {"int", type_kind::integer, parameters::width},
    {"integer", type_kind::integer, parameters::width},
    {"int4", type_kind::integer, parameters::width},
    {"bigint", type_kind::bigint, parameters::width},
    {"int8", type_kind::bigint, parameters::width},
    {"decimal", type_kind::decimal, parameters::digits, 10},
    {"numeric", type_kind::decimal, parameters::digits, 10},
    {"dec", type_kind::decimal, parameters::digits, 10},
    {"fixed", type_kind::decimal, parameters::digits, 10},
    {"number", type_kind::decimal, parameters::digits, 10},
    {"float", type_kind::floating, parameters::digits},
    {"float4", type_kind::floating, parameters::digits},
    {"double", type_kind::double_floating, parameters::digits},
    {"double precision", type_kind::double_floating, parameters::digits},
    {"real", type_kind::double_floating, parameters::digits},
    {"float8", type_kind::double_floating, parameters::digits},
    {"bit", type_kind::bit, parameters::bits, 1},
    {"year", type_kind::year, parameters::width},
    {"date", type_kind::date, parameters::none},
    {"time", type_kind::time, parameters::fraction},
    {"datetime", type_kind::datetime, parameters::fraction},
    {"timestamp", type_kind::timestamp, parameters::fraction},
    {"char", type_kind::character, parameters::characters, 1},
    {"character", type_kind::character, parameters::characters, 1},
    {"nchar", type_kind::character, parameters::characters, 1},
    {"varchar", type_kind::varchar, parameters::characters},
    {"varchar2", type_kind::varchar, parameters::characters},
    {"character varying", type_kind::varchar, parameters::characters},
    {"char varying", type_kind::varchar, parameters::characters},
    {"nvarchar", type_kind::varchar, parameters::characters},
    {"tinytext", type_kind::tinytext, parameters::none, tiny_max},
    {"text", type_kind::text, parameters::characters, short_max},
    {"mediumtext", type_kind::mediumtext, parameters::none, medium_max},
    {"longtext", type_kind::longtext, parameters::none, long_max},
    {"long", type_kind::mediumtext, parameters::none, medium_max},
    {"clob", type_kind::longtext, parameters::none, long_max},
    {"json", type_kind::json, parameters::none, long_max},
    {"enum", type_kind::enumeration, parameters::labels},
    {"set", type_kind::set, parameters::labels},
    {"binary", type_kind::bytes, parameters::bytes, 1},
    {"varbinary", type_kind::bytes, parameters::bytes},
    {"tinyblob", type_kind::bytes, parameters::none, tiny_max},
    {"blob", type_kind::bytes, parameters::bytes, short_max},
    {"mediumblob", type_kind::bytes, parameters::none, medium_max},
    {"longblob", type_kind::bytes, parameters::none, long_max},
}};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

sql_error syntax_error(std::string_view near) {
  return {1064, "42000",
          "You have an error in your SQL syntax; a column's type is expected, such as int, decimal(10,2), varchar(255) "
          "or datetime(3), near '" +
              shown(near) + "'"};
}

sql_error unknown_type(std::string_view word) {
  return {4161, "HY000",
          "Unknown data type: '" + shown(word) + "'; use one of MySQL's, such as int, decimal(10,2) or varchar(255)"};
}

std::string quoted(std::string_view column) {
  return "'" + shown(column) + "'";
}

sql_error too_big(std::string_view what, std::string_view column, std::uint32_t limit) {
  return {
      what == "scale" ? 1425 : 1426, "42000",
      "Too big " + std::string(what) + " specified for " + quoted(column) + ". Maximum is " + std::to_string(limit)};
}

sql_error too_wide(std::string_view column, std::uint32_t limit) {
  return {1439, "42000", "Display width out of range for " + quoted(column) + " (max = " + std::to_string(limit) + ")"};
}

sql_error too_long(std::string_view column, std::uint32_t limit) {
  return {1074, "42000",
          "Column length too big for column " + quoted(column) + " (max = " + std::to_string(limit) +
              "); use BLOB or TEXT instead"};
}

sql_error scale_above_precision(std::string_view column) {
  return {1427, "42000", "For float(M,D), double(M,D) or decimal(M,D), M must be >= D (column " + quoted(column) + ")"};
}

sql_error wrong_specifier(std::string_view column) {
  return {1063, "42000", "Incorrect column specifier for column " + quoted(column)};
}

sql_error repeated_label(std::string_view column, std::string_view label, type_kind kind) {
  return {1291, "HY000",
          "Column " + quoted(column) + " has duplicated value " + quoted(label) + " in " +
              (kind == type_kind::set ? "SET" : "ENUM")};
}

/// Reads one type.
class type_reader {
 public:
  type_reader(std::string_view text, std::string_view column) : rest_(text), column_(column) { skip_blanks(); }

  std::optional<sql_error> read(column_type& out) {
    const std::string_view whole = rest_;
    std::string word = read_word();
    if (word.empty()) return syntax_error(whole);
    const std::string_view before = rest_;
    const std::string next = read_word();
    const std::string both = word + " " + next;
    const type_word* found = find(both);
    if (found == nullptr) {
      rest_ = before;
      found = find(word);
    }
    if (found == nullptr) return unknown_type(word);
    out.kind = found->kind;
    out.length = found->length;
    if (out.kind == type_kind::bytes) out.word = found->word;
    const bool has_parameters = skip('(');
    if (has_parameters && found->takes == parameters::none) return syntax_error(whole);
    if (!has_parameters && (found->takes == parameters::labels || needs_length(*found))) return syntax_error(whole);
    if (has_parameters) {
      if (found->takes == parameters::labels ? !read_labels(out) : !read_numbers()) return syntax_error(whole);
      if (!skip(')')) return syntax_error(whole);
    }
    if (auto e = apply(out, *found)) return e;
    return read_rest(out, whole);
  }

 private:
  static const type_word* find(std::string_view word) {
    const auto* it = std::find_if(words.begin(), words.end(), [&](const type_word& w) { return w.word == word; });
    return it == words.end() ? nullptr : it;
  }
  static bool needs_length(const type_word& w) { return w.kind == type_kind::varchar || w.word == "varbinary"; }

  void skip_blanks() {
    while (!rest_.empty() && parser::is_white_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool skip(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    skip_blanks();
    return true;
  }
  std::string read_word() {
    std::string out;
    while (!rest_.empty() && parser::is_any_of(rest_.front(), parser::character::name_part)) {
      out += lower(rest_.front());
      rest_.remove_prefix(1);
    }
    skip_blanks();
    return out;
  }
  bool read_number(std::uint32_t& out) {
    const auto [stop, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (code != std::errc{}) return false;
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    skip_blanks();
    return true;
  }
  bool read_numbers() {
    std::uint32_t number = 0;
    if (!read_number(number)) return false;
    first_ = number;
    if (!skip(',')) return true;
    if (!read_number(number)) return false;
    second_ = number;
    return true;
  }
  bool read_label(std::string& out) {
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return false;
    const char quote = rest_.front();
    rest_.remove_prefix(1);
    for (;;) {
      if (rest_.empty()) return false;
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == quote && (rest_.empty() || rest_.front() != quote)) break;
      if (c == quote || (c == '\\' && !rest_.empty())) {
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      out += c;
    }
    skip_blanks();
    return true;
  }
  bool read_labels(column_type& type) {
    auto labels = std::make_shared<std::vector<std::string>>();
    do {
      std::string label;
      if (!read_label(label)) return false;
      while (label.ends_with(' ')) label.pop_back();
      labels->push_back(std::move(label));
    } while (skip(','));
    type.labels = std::move(labels);
    return true;
  }

  std::optional<sql_error> apply(column_type& type, const type_word& w) const {
    if (second_ && w.takes != parameters::digits) return syntax_error(w.word);
    switch (w.takes) {
      case parameters::none:
        break;
      case parameters::width:
        if (first_.value_or(0) > width_max) return too_wide(column_, width_max);
        if (first_ && type.kind != type_kind::year) type.length = *first_;
        break;
      case parameters::fraction:
        if (first_.value_or(0) > fraction_digits_max) return too_big("precision", column_, fraction_digits_max);
        type.scale = static_cast<std::uint8_t>(first_.value_or(0));
        break;
      case parameters::digits:
        return apply_digits(type);
      case parameters::characters:
        return apply_characters(type);
      case parameters::bytes:
        if (first_.value_or(0) > (w.word == "binary" ? char_characters_max : varchar_bytes_max)) {
          return too_long(column_, w.word == "binary" ? char_characters_max : varchar_bytes_max);
        }
        if (first_ && w.word != "blob") type.length = *first_;
        break;
      case parameters::bits:
        if (first_.value_or(1) > bits_max) return too_wide(column_, bits_max);
        type.length = std::max(first_.value_or(1), 1U);
        break;
      case parameters::labels:
        return check_labels(type);
    }
    return std::nullopt;
  }

  std::optional<sql_error> apply_digits(column_type& type) const {
    if (type.kind == type_kind::decimal) {
      if (first_.value_or(0) > sql::decimal::digits_max) return too_big("precision", column_, sql::decimal::digits_max);
      if (second_.value_or(0) > sql::decimal::scale_max) return too_big("scale", column_, sql::decimal::scale_max);
      if (first_.value_or(0) != 0) type.length = *first_;
      type.scale = static_cast<std::uint8_t>(second_.value_or(0));
      return type.scale > type.length ? std::optional(scale_above_precision(column_)) : std::nullopt;
    }
    if (!first_) return std::nullopt;
    if (!second_) {
      if (*first_ > double_bits_max) return wrong_specifier(column_);
      if (*first_ > float_bits_max) type.kind = type_kind::double_floating;
      return std::nullopt;
    }
    if (*first_ > width_max) return too_wide(column_, width_max);
    if (*second_ > sql::decimal::scale_max) return too_big("scale", column_, sql::decimal::scale_max);
    if (*second_ > *first_) return scale_above_precision(column_);
    type.has_digits = true;
    type.length = *first_;
    type.scale = static_cast<std::uint8_t>(*second_);
    return std::nullopt;
  }

  std::optional<sql_error> apply_characters(column_type& type) const {
    if (!first_) return std::nullopt;
    if (type.kind == type_kind::text) {
      const std::uint64_t bytes = std::uint64_t{*first_} * utf8_bytes_max;
      type.kind = bytes <= tiny_max     ? type_kind::tinytext
                  : bytes <= short_max  ? type_kind::text
                  : bytes <= medium_max ? type_kind::mediumtext
                                        : type_kind::longtext;
      type.length = bytes <= tiny_max     ? tiny_max
                    : bytes <= short_max  ? short_max
                    : bytes <= medium_max ? medium_max
                                          : long_max;
      return std::nullopt;
    }
    const std::uint32_t limit = type.kind == type_kind::character ? char_characters_max : varchar_characters_max;
    if (*first_ > limit) return too_long(column_, limit);
    type.length = *first_;
    return std::nullopt;
  }

  std::optional<sql_error> check_labels(const column_type& type) const {
    const auto& labels = *type.labels;
    if (labels.size() > (type.kind == type_kind::set ? set_labels_max : enum_labels_max)) {
      return sql_error{1097, "HY000", "Too many strings for column " + shown(column_) + " and SET"};
    }
    std::vector<std::string_view> sorted(labels.begin(), labels.end());
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) return repeated_label(column_, *twice, type.kind);
    return std::nullopt;
  }

  std::optional<sql_error> read_rest(column_type& type, std::string_view whole) {
    while (!rest_.empty()) {
      const std::string word = read_word();
      const bool numeric = type.is_integer() || type.is_floating() || type.kind == type_kind::decimal;
      if (word == "unsigned" && numeric) {
        type.is_unsigned = true;
      } else if (word == "zerofill" && numeric) {
        type.zerofill = true;
        type.is_unsigned = true;
      } else if (word == "signed" && numeric) {
        type.is_unsigned = false;
      } else if (word == "charset" || word == "collate") {
        if (read_word().empty()) return syntax_error(whole);
      } else if (word == "character") {
        if (read_word() != "set" || read_word().empty()) return syntax_error(whole);
      } else {
        return syntax_error(whole);
      }
    }
    if (type.zerofill && type.length == 0) type.length = zerofill_width(type.kind);
    return std::nullopt;
  }

  static std::uint32_t zerofill_width(type_kind kind) {
    switch (kind) {
      case type_kind::tinyint:
        return 3;
      case type_kind::smallint:
        return 5;
      case type_kind::mediumint:
        return 8;
      case type_kind::integer:
        return 10;
      case type_kind::bigint:
        return 20;
      default:
        return 0;
    }
  }

  std::string_view rest_;
  std::string_view column_;
  std::optional<std::uint32_t> first_;
  std::optional<std::uint32_t> second_;
};

std::string_view word_of(const column_type& type) {
  if (type.kind == type_kind::bytes || type.kind == type_kind::other) return type.word;
  const auto* it = std::find_if(words.begin(), words.end(), [&](const type_word& w) { return w.kind == type.kind; });
  return it == words.end() ? std::string_view{} : it->word;
}

void append_labels(std::string& out, const std::vector<std::string>& labels) {
  out += '(';
  for (std::size_t i = 0; i < labels.size(); ++i) {
    out += i == 0 ? "'" : ",'";
    for (const char c : labels[i]) {
      if (c == '\'') out += '\'';
      out += c;
    }
    out += '\'';
  }
  out += ')';
}

}  // namespace

std::uint32_t column_type::label_index(std::string_view label) const {
  if (!labels) return 0;
  const auto it = std::find(labels->begin(), labels->end(), label);
  return it == labels->end() ? 0 : static_cast<std::uint32_t>(it - labels->begin() + 1);
}

bool operator==(const column_type& a, const column_type& b) {
  const bool same_labels = a.labels == b.labels || (a.labels && b.labels && *a.labels == *b.labels);
  return same_labels && a.kind == b.kind && a.is_unsigned == b.is_unsigned && a.zerofill == b.zerofill &&
         a.scale == b.scale && a.has_digits == b.has_digits && a.length == b.length && a.word == b.word;
}

integer_range range_of(const column_type& type) {
  unsigned bits = 64;
  if (type.kind == type_kind::tinyint) bits = 8;
  if (type.kind == type_kind::smallint) bits = 16;
  if (type.kind == type_kind::mediumint) bits = 24;
  if (type.kind == type_kind::integer) bits = 32;
  const std::uint64_t all = UINT64_MAX >> (64 - bits);
  if (type.is_unsigned) return {0, all};
  const auto half = static_cast<std::int64_t>(all >> 1U);
  return {-half - 1, static_cast<std::uint64_t>(half)};
}

result<column_type, sql_error> parse_column_type(std::string_view text, std::string_view column) {
  column_type type;
  if (auto e = type_reader(text, column).read(type)) return std::move(*e);
  return type;
}

column_type foreign_column_type(std::string_view text) {
  auto parsed = parse_column_type(text, "");
  if (parsed) return std::move(*parsed);
  column_type type;
  type.kind = type_kind::other;
  type.word = text;
  return type;
}

std::string to_text(const column_type& type) {
  std::string out(word_of(type));
  const auto in_brackets = [&](std::uint32_t number) { out.append("(").append(std::to_string(number)).append(")"); };
  const auto digits = [&] {
    out.append("(").append(std::to_string(type.length)).append(",").append(std::to_string(type.scale)).append(")");
  };
  if (type.kind == type_kind::untyped) return {};
  if (type.has_labels()) append_labels(out, *type.labels);
  if (type.is_integer() && type.length > 0) in_brackets(type.length);
  if (type.kind == type_kind::decimal || (type.is_floating() && type.has_digits)) digits();
  if (type.kind == type_kind::character || type.kind == type_kind::varchar || type.kind == type_kind::bit ||
      type.word.ends_with("binary")) {
    in_brackets(type.length);
  }
  if (type.is_temporal() && type.scale > 0) in_brackets(type.scale);
  if (type.is_unsigned) out += " unsigned";
  if (type.zerofill) out += " zerofill";
  return out;
}

}  // namespace pubsubsql::storage::sql
