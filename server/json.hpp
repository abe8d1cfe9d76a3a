#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pubsubsql::server {

/// Appends the text as a JSON string with its quotes (RFC 8259). REQUIRES: valid UTF-8, which every statement and so
/// every stored value is.
void append_json_string(std::string& out, std::string_view text);

/// Appends the number in decimal.
void append_number(std::string& out, std::uint64_t number);

// The same into memory that has room; they return where they stopped.

/// Room for a text of so many bytes as a JSON string.
[[nodiscard]] constexpr std::size_t json_string_room(std::size_t text_bytes) {
  return 6 * text_bytes + 2;
}
inline constexpr std::size_t number_room = 20;

char* write_json_string(char* out, std::string_view text);
char* write_number(char* out, std::uint64_t number);
inline char* write_text(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace pubsubsql::server
