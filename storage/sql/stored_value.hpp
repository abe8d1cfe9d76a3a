#pragma once

#include <optional>
#include <string_view>

#include "storage/sql/column_type.hpp"
#include "storage/sql/datum.hpp"

/// Between what a row stores, text, and the values of a column's type.
namespace pubsubsql::storage::sql {

/// The text that a column of the type stores for a text from a statement: MySQL's canonical form. Where MySQL in its
/// strict mode refuses the text, `e` gets the failure. The result lies in `text` or in the evaluation's memory.
[[nodiscard]] std::string_view canonical_text(evaluation& e, const column_type& type, std::string_view text,
                                              const column_label& where);

/// The same for the result of an expression; NULL stays NULL.
[[nodiscard]] value canonical_value(evaluation& e, const column_type& type, const datum& d, const column_label& where);

/// What a stored value means. A text that is none of the type's, which only a database outside can have put there,
/// stays a text. The result refers to `stored`, where it is a text.
[[nodiscard]] datum datum_of(evaluation& e, const column_type& type, const value& stored);

/// A constant next to a column of the type in a comparison, in the column's form, when it is entirely a value of the
/// type; nothing otherwise, which leaves it to the rules of comparison.
[[nodiscard]] std::optional<datum> as_type(evaluation& e, const column_type& type, const datum& constant);

/// The number that the digits of a statement mean: 5 an integer, 1.50 a decimal, 1e3 a double. REQUIRES:
/// looks_like_number(text).
[[nodiscard]] datum number_literal(evaluation& e, std::string_view text);

/// As CAST does: what does not fit is cut, what cannot be read is NULL or zero.
[[nodiscard]] datum cast(evaluation& e, const column_type& type, const datum& d);

}  // namespace pubsubsql::storage::sql
