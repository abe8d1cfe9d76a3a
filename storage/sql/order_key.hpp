#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "storage/row.hpp"
#include "storage/sql/column_type.hpp"
#include "storage/sql/datum.hpp"

/// Keys whose order as bytes is the order of values: NULL first, then, in a column without a type, numbers by size and
/// after them other texts by their bytes. Numbers of all kinds share one form, so that equal ones have equal keys.
///
/// Each value's key ends in itself: the keys of several columns, one after the other, are the key of them all.
namespace pubsubsql::storage::sql {

/// Appends the key of a stored value of a column of the type. nullptr: the column has none.
void append_order_key(std::string& out, const column_type* type, const value& stored);

/// Appends the key that the result of an expression has in a column of the type; as_type() made it of that type before,
/// where it is a constant. With an untyped `type` a datum of any kind has its own kind's key.
void append_order_key(std::string& out, const column_type* type, const datum& d);

/// Appends a key that is the same for values that are equal and no others: what groups and `distinct` go by. Untyped
/// values are equal when their texts are.
void append_identity_key(std::string& out, const datum& d);

/// The total order of order by, as the keys have it.
[[nodiscard]] std::strong_ordering compare_in_order(const datum& a, const datum& b);

/// What no key is below, and what no key is above: for ranges open at an end. Behind the key of columns before.
inline constexpr std::string_view lowest_order_key{};
inline constexpr std::string_view highest_order_key = "\xff";
/// What no key but NULL's is below.
inline constexpr std::string_view after_null_order_key = "\x02";

}  // namespace pubsubsql::storage::sql
