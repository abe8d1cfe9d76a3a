#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pubsubsql::storage::sql {

struct column_type;

/// Appends bytes that order as the values of a column do when compared as unsigned bytes: NULL first, then what looks
/// like a number by number, then other text by its bytes. No key is the beginning of another, so keys of several
/// columns can follow each other. Equal numbers have equal keys however they are written.
/// `type`: nullptr for a column without one.
void append_order_key(std::string& out, const column_type* type, const std::optional<std::string_view>& text);

}  // namespace pubsubsql::storage::sql
