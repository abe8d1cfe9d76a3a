#include "client/cli/text.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

#include <wchar.h>

namespace pubsubsql::cli {
namespace {

struct character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The character at the front of a text that is not empty; one byte long when it is not UTF-8.
character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {lead, 1, false};
  std::uint32_t code = lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {lead, 1, false};
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  static constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool valid = code >= least[bytes] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? character{code, bytes, true} : character{lead, 1, false};
}

bool turns_direction(std::uint32_t code) {
  return code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void append_escape(std::string& out, const char* pattern, unsigned code) {
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), pattern, code);
  out += buffer.data();
}

/// Appends a character in its escaped form; false, and nothing appended, when it needs none.
bool append_escaped(std::string& out, const character& c) {
  if (c.valid && c.code == '\n') return out += "\\n", true;
  if (c.valid && c.code == '\t') return out += "\\t", true;
  if (c.valid && c.code == '\r') return out += "\\r", true;
  if (!c.valid || c.code < 0x20 || c.code == 0x7f) {
    append_escape(out, "\\x%02x", c.code);
    return true;
  }
  const bool obeyed = (c.code >= 0x80 && c.code < 0xa0) || turns_direction(c.code);
  if (obeyed) append_escape(out, "\\u{%04x}", c.code);
  return obeyed;
}

std::string escaped_but(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  for (; !text.empty();) {
    const character c = first_of(text);
    const std::string_view bytes = text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
    const bool safe = kept.find(bytes) != std::string_view::npos || !append_escaped(out, c);
    if (safe) out += bytes;
  }
  return out;
}

std::size_t width_of(std::uint32_t code) {
  const int columns = ::wcwidth(static_cast<wchar_t>(code));
  return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

}  // namespace

std::string escaped(std::string_view text) {
  return escaped_but(text, {});
}

std::string escaped_lines(std::string_view text) {
  return escaped_but(text, "\n\t");
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const character c = first_of(text);
    width += width_of(c.code);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string clipped(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::size_t taken = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const character c = first_of(text.substr(bytes));
    if (taken + width_of(c.code) > width - 3) break;
    taken += width_of(c.code);
    bytes += c.bytes;
  }
  return std::string(text.substr(0, bytes)) + "...";
}

}  // namespace pubsubsql::cli
