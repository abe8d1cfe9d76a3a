#pragma once

#include <optional>
#include <string_view>

#include "storage/sql/datum.hpp"

namespace pubsubsql::storage::sql {

/// The amounts of `interval '2 days 3 hours'`, or of one that is a time: '26:30:00'. Nothing: the text is no interval.
[[nodiscard]] std::optional<datum> parse_interval(evaluation& e, std::string_view text);

}  // namespace pubsubsql::storage::sql
