#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pubsubsql::server {

/// Appends the text as a JSON string with its quotes (RFC 8259). REQUIRES: valid UTF-8, which every statement and so
/// every stored value is.
void append_json_string(std::string& out, std::string_view text);

/// Appends the number in decimal.
void append_number(std::string& out, std::uint64_t number);

}  // namespace pubsubsql::server
