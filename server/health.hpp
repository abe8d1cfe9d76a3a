#pragma once

#include <string_view>

#include "server/shared_state.hpp"

namespace pubsubsql::server {

/// Why the server should be given no work at the moment, for the user; empty: it is ready. Thread-safe.
[[nodiscard]] std::string_view why_not_ready(const shared_state& shared);

}  // namespace pubsubsql::server
