#include "server/json.hpp"

#include <array>
#include <charconv>

namespace pubsubsql::server {

namespace {

/// Which bytes a JSON string cannot hold as they are.
constexpr std::array<bool, 256> needs_escape = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  table[static_cast<unsigned char>('"')] = true;
  table[static_cast<unsigned char>('\\')] = true;
  return table;
}();

char* write_escaped(char* out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::string_view plain = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  *out++ = '\\';
  if (const std::size_t at = plain.find(c); at != std::string_view::npos) {
    *out++ = letters[at];
    return out;
  }
  out = write_text(out, "u00");
  *out++ = digits[static_cast<unsigned char>(c) >> 4U];
  *out++ = digits[static_cast<unsigned char>(c) & 0xfU];
  return out;
}

}  // namespace

char* write_json_string(char* out, std::string_view text) {
  *out++ = '"';
  for (const char c : text) {
    if (needs_escape[static_cast<unsigned char>(c)]) {
      out = write_escaped(out, c);
    } else {
      *out++ = c;
    }
  }
  *out++ = '"';
  return out;
}

char* write_number(char* out, std::uint64_t number) {
  return std::to_chars(out, out + number_room, number).ptr;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!needs_escape[static_cast<unsigned char>(text[at])]) continue;
    out.append(text, copied, at - copied);
    char escaped[6];
    out.append(escaped, write_escaped(escaped, text[at]));
    copied = at + 1;
  }
  out.append(text, copied);
  out += '"';
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[number_room];
  out.append(digits, write_number(digits, number));
}

}  // namespace pubsubsql::server
