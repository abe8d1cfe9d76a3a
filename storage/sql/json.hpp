#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace pubsubsql::storage::sql {

struct json_fault {
  std::string_view what;  ///< a literal
  std::size_t position = 0;
};

/// What keeps a text from being one JSON value (RFC 8259); nothing when it is one. REQUIRES: valid UTF-8.
[[nodiscard]] std::optional<json_fault> check_json(std::string_view text);

}  // namespace pubsubsql::storage::sql
