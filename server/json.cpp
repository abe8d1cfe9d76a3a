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

constexpr std::ptrdiff_t word_bytes = sizeof(std::uint64_t);

/// The same byte in all places of a word.
constexpr std::uint64_t everywhere(unsigned char byte) {
  return byte * std::uint64_t{0x0101010101010101U};
}

/// Whether any of eight bytes needs an escape. A byte below n is one that n can be taken from only with a borrow, which
/// its highest bit shows (Sean Eron Anderson, "Bit Twiddling Hacks", hasless).
constexpr bool has_escape(std::uint64_t word) {
  const auto has_less = [](std::uint64_t w, unsigned char n) { return (w - everywhere(n)) & ~w & everywhere(0x80); };
  return (has_less(word, 0x20) | has_less(word ^ everywhere('"'), 1) | has_less(word ^ everywhere('\\'), 1)) != 0;
}

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

/// The text as a JSON string has it between its quotes.
char* write_escaped(char* out, std::string_view text) {
  const char* in = text.data();
  const char* const end = in + text.size();
  while (in != end) {
    std::ptrdiff_t bytes = end - in;
    if (bytes >= word_bytes) {
      // Copied before it is known whether it can be: what cannot is written over.
      std::uint64_t word = 0;
      std::memcpy(&word, in, sizeof word);
      std::memcpy(out, &word, sizeof word);
      bytes = word_bytes;
      if (!has_escape(word)) {
        in += bytes;
        out += bytes;
        continue;
      }
    }
    for (; bytes > 0; --bytes, ++in) {
      if (needs_escape[static_cast<unsigned char>(*in)]) {
        out = write_escaped(out, *in);
      } else {
        *out++ = *in;
      }
    }
  }
  return out;
}

/// Texts are appended in pieces of so many bytes, each written into memory of the stack first.
constexpr std::size_t piece_bytes = 512;

}  // namespace

char* write_json_string(char* out, std::string_view text) {
  *out++ = '"';
  out = write_escaped(out, text);
  *out++ = '"';
  return out;
}

char* write_number(char* out, std::uint64_t number) {
  return std::to_chars(out, out + number_room, number).ptr;
}

void append_json_string(std::string& out, std::string_view text) {
  char piece[json_string_room(piece_bytes)];
  out += '"';
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    out.append(piece, write_escaped(piece, text.substr(at, piece_bytes)));
  }
  out += '"';
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[number_room];
  out.append(digits, write_number(digits, number));
}

}  // namespace pubsubsql::server
