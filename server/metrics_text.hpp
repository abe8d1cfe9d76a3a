#pragma once

#include <cstddef>
#include <string>

#include "server/server_sample.hpp"
#include "server/shared_state.hpp"

namespace pubsubsql::server {

/// Tables that metrics name, the largest; all others are one, `others_label`.
inline constexpr std::size_t tables_named_max = 200;
inline constexpr std::string_view others_label = "(others)";

/// All numbers of the server in the format of `exposition`. docs/operations.md lists their names.
[[nodiscard]] std::string metrics_text(server_sample& all, shared_state& shared);

}  // namespace pubsubsql::server
