#pragma once

#include <cstddef>
#include <string_view>

namespace pubsubsql::parser {

/// Where the text stops being valid UTF-8 (RFC 3629: shortest forms only, no surrogates, at most U+10FFFF), or npos.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text);

/// Bytes at the start of `text` that may begin a name: one letter or `_`; 0 for anything else. REQUIRES: valid UTF-8.
[[nodiscard]] std::size_t name_start_bytes(std::string_view text);

/// Bytes at the start of `text` that make up a name: a letter or `_`, then letters, digits and `_`; 0 when there is
/// none. Letters and digits are those of Unicode. REQUIRES: valid UTF-8.
[[nodiscard]] std::size_t name_bytes(std::string_view text);

/// The largest size up to `wanted` at which `text` can be cut without splitting a character. REQUIRES: valid UTF-8.
[[nodiscard]] std::size_t cut_at_character(std::string_view text, std::size_t wanted);

/// Whether this byte continues a character rather than beginning one.
[[nodiscard]] constexpr bool is_utf8_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

}  // namespace pubsubsql::parser
