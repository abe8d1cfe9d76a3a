#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/result.hpp"
#include "storage/sql/sql_error.hpp"

namespace pubsubsql::storage::sql {

enum class type_kind : std::uint8_t {
  untyped,  ///< PubSubSQL's own: a text of any length that may be a number
  tinyint,
  smallint,
  mediumint,
  integer,
  bigint,
  decimal,
  floating,
  double_floating,
  bit,
  year,
  date,
  time,
  datetime,
  timestamp,
  character,
  varchar,
  tinytext,
  text,
  mediumtext,
  longtext,
  json,
  enumeration,
  set,
  bytes,  ///< binary, varbinary and blobs: held as 0x and hexadecimal digits
  other   ///< of a database outside, unknown here: held as that database writes it
};

/// The type of a column, as MySQL has it. Copies share the labels.
struct column_type {
  type_kind kind = type_kind::untyped;
  bool is_unsigned = false;
  bool zerofill = false;
  /// decimal: digits after the point; float and double: the same, `has_digits` provided; times: of a second.
  std::uint8_t scale = 0;
  bool has_digits = false;  ///< float and double: `length` and `scale` are given
  /// decimal: digits in all; char, varchar: characters; other texts and bytes: bytes; bit: bits; integers: the width
  /// that is shown, 0 for none.
  std::uint32_t length = 0;
  std::shared_ptr<const std::vector<std::string>> labels = {};  ///< enum and set
  std::string word = {};  ///< bytes and other: the type in its own words, without what follows it

  [[nodiscard]] bool is_untyped() const { return kind == type_kind::untyped; }
  [[nodiscard]] bool is_integer() const { return kind >= type_kind::tinyint && kind <= type_kind::bigint; }
  [[nodiscard]] bool is_floating() const { return kind == type_kind::floating || kind == type_kind::double_floating; }
  /// Held as a number's digits.
  [[nodiscard]] bool is_number() const {
    return is_integer() || is_floating() || kind == type_kind::decimal || kind == type_kind::bit ||
           kind == type_kind::year;
  }
  [[nodiscard]] bool is_temporal() const { return kind >= type_kind::date && kind <= type_kind::timestamp; }
  /// char, varchar and the texts: what compares by bytes.
  [[nodiscard]] bool is_text() const { return kind >= type_kind::character && kind <= type_kind::json; }
  [[nodiscard]] bool has_labels() const { return kind == type_kind::enumeration || kind == type_kind::set; }

  /// How many labels there are, and the label of an index from 1.
  [[nodiscard]] std::size_t label_count() const { return labels ? labels->size() : 0; }
  /// The index of a label, from 1; 0: there is none such.
  [[nodiscard]] std::uint32_t label_index(std::string_view label) const;

  friend bool operator==(const column_type& a, const column_type& b);
};

/// Smallest and largest value. REQUIRES: is_integer().
struct integer_range {
  std::int64_t lowest = 0;
  std::uint64_t highest = 0;
};
[[nodiscard]] integer_range range_of(const column_type& type);

/// Reads a type as `create table` and information_schema write it. `column` is for messages. What follows a type and
/// changes nothing here, a character set or a collation, is taken and left out.
[[nodiscard]] result<column_type, sql_error> parse_column_type(std::string_view text, std::string_view column);

/// A type that a database outside told: what is not known here is `other`.
[[nodiscard]] column_type foreign_column_type(std::string_view text);

/// In MySQL's form, as `describe` shows it; empty for an untyped column.
[[nodiscard]] std::string to_text(const column_type& type);

}  // namespace pubsubsql::storage::sql
