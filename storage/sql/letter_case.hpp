#pragma once

#include <string_view>

#include "storage/sql/datum.hpp"

namespace pubsubsql::storage::sql {

/// Every character that has one in its small or capital form, as Unicode maps single characters. Bytes that are no
/// UTF-8 stay as they are.
[[nodiscard]] std::string_view to_lower_case(evaluation& e, std::string_view text);
[[nodiscard]] std::string_view to_upper_case(evaluation& e, std::string_view text);

}  // namespace pubsubsql::storage::sql
