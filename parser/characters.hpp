#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pubsubsql::parser {

/// What a byte of a statement can be; several may be true, so they are bits.
enum class character : std::uint8_t {
  none = 0,
  white_space = 1,
  name_start = 2,  ///< of a name: an ASCII letter or `_`
  name_part = 4,   ///< the same or a digit
  list_mark = 8,   ///< `,` or `)`: with white space, what ends a bare value
  beyond_ascii = 16,
  open_parenthesis = 32,
  arithmetic = 64,  ///< what an arithmetic operator may begin with, `div` and `mod` included
  comparison =
      128,  ///< what a comparison may begin with, `is`, `in`, `like`, `between` and `not` included; and a backquote
};

[[nodiscard]] constexpr character operator|(character a, character b) {
  return static_cast<character>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

inline constexpr std::array<character, 256> character_table = [] {
  std::array<character, 256> table{};
  const auto mark = [&](std::string_view bytes, character what) {
    for (const char c : bytes) table[static_cast<unsigned char>(c)] = table[static_cast<unsigned char>(c)] | what;
  };
  mark(" \t\r\n\v\f", character::white_space);
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", character::name_start | character::name_part);
  mark("0123456789", character::name_part);
  mark(",)", character::list_mark);
  mark("(", character::open_parenthesis);
  mark("+-*/%|dDmM", character::arithmetic);
  mark("=<>!`iIlLbBnN", character::comparison);
  for (std::size_t byte = 0x80; byte < table.size(); ++byte) table[byte] = character::beyond_ascii;
  return table;
}();

/// Whether the byte is any of these.
[[nodiscard]] constexpr bool is_any_of(char byte, character what) {
  const character is = character_table[static_cast<unsigned char>(byte)];
  return (static_cast<std::uint8_t>(is) & static_cast<std::uint8_t>(what)) != 0;
}

[[nodiscard]] constexpr bool is_white_space(char byte) {
  return is_any_of(byte, character::white_space);
}

}  // namespace pubsubsql::parser
