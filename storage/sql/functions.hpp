#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "storage/sql/datum.hpp"

namespace pubsubsql::storage::sql {

/// What a function's results are, as far as its name tells.
enum class result_kind : std::uint8_t { as_arguments, integer, number, text, date, time, datetime };

/// A function of SQL: its arguments are computed before. `if`, `ifnull`, `coalesce` may be called with those that they
/// look at computed only.
struct function {
  static constexpr std::uint8_t any_number = 255;

  std::string_view name;  ///< in small letters
  std::uint8_t arguments_min = 0;
  std::uint8_t arguments_max = 0;
  result_kind result = result_kind::as_arguments;
  /// Gives another result for the same arguments at another time.
  bool depends_on_time = false;
  datum (*call)(evaluation& e, std::span<const datum> arguments) = nullptr;

  [[nodiscard]] bool takes(std::size_t arguments) const {
    return arguments >= arguments_min && (arguments_max == any_number || arguments <= arguments_max);
  }
};

/// The function of that name, in any case; nullptr: there is none. `timestampdiff` takes its unit as a text,
/// `date_add`, `date_sub`, `adddate` and `subdate` an interval.
[[nodiscard]] const function* find_function(std::string_view name);

}  // namespace pubsubsql::storage::sql
