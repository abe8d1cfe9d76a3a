#pragma once

#include <span>

#include "storage/sql/functions.hpp"

/// The functions by their subject, for find_function().
namespace pubsubsql::storage::sql {

using arguments = std::span<const datum>;

[[nodiscard]] std::span<const function> control_functions();
[[nodiscard]] std::span<const function> number_functions();
[[nodiscard]] std::span<const function> text_functions();
[[nodiscard]] std::span<const function> time_functions();

[[nodiscard]] inline bool any_null(arguments a) {
  for (const datum& d : a) {
    if (d.is_null()) return true;
  }
  return false;
}

}  // namespace pubsubsql::storage::sql
