#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace pubsubsql::server {

/// Lets the process have as many open files as it may (the soft limit becomes the hard one). Returns what is to be said
/// when `connections` and what the server needs besides do not fit.
[[nodiscard]] std::optional<std::string> raise_file_limit(std::size_t connections);

}  // namespace pubsubsql::server
