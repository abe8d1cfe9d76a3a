#include "storage/sql/letter_case.hpp"

#include <clocale>
#include <cwchar>
#include <cwctype>
#include <string>

#include "parser/utf8.hpp"

namespace pubsubsql::storage::sql {

namespace {

/// The system's tables of letters, read once; null where the system has none, then only ASCII letters change.
locale_t unicode_locale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

/// The code point of a character of two or more bytes; 0 when it is none.
char32_t decode(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.front());
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (size != bytes.size()) return 0;
  char32_t point = first & (0x7fU >> size);
  for (const char c : bytes.substr(1)) point = (point << 6U) | (static_cast<unsigned char>(c) & 0x3fU);
  return point;
}

void encode(std::string& out, char32_t point) {
  const auto append = [&](char32_t byte) { out += static_cast<char>(byte); };
  const auto rest = [&](unsigned shift) { append(0x80U | (point >> shift & 0x3fU)); };
  if (point < 0x80) {
    append(point);
  } else if (point < 0x800) {
    append(0xc0U | point >> 6U);
    rest(0);
  } else if (point < 0x10000) {
    append(0xe0U | point >> 12U);
    rest(6);
    rest(0);
  } else {
    append(0xf0U | point >> 18U);
    rest(12);
    rest(6);
    rest(0);
  }
}

template <typename AsciiMap, typename WideMap>
std::string_view map(evaluation& e, std::string_view text, AsciiMap ascii, WideMap wide) {
  std::string out;
  out.reserve(text.size());
  const locale_t locale = unicode_locale();
  for (std::size_t at = 0; at < text.size();) {
    std::size_t bytes = 1;
    while (at + bytes < text.size() && parser::is_utf8_continuation(text[at + bytes])) ++bytes;
    const std::string_view character = text.substr(at, bytes);
    at += bytes;
    const char32_t point = bytes > 1 && locale != nullptr ? decode(character) : 0;
    if (bytes == 1) {
      out += ascii(character.front());
    } else if (point == 0) {
      out += character;
    } else {
      encode(out, static_cast<char32_t>(wide(static_cast<std::wint_t>(point), locale)));
    }
  }
  return e.keep(out);
}

}  // namespace

std::string_view to_lower_case(evaluation& e, std::string_view text) {
  const auto ascii = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return map(e, text, ascii, [](std::wint_t c, locale_t l) { return towlower_l(c, l); });
}

std::string_view to_upper_case(evaluation& e, std::string_view text) {
  const auto ascii = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return map(e, text, ascii, [](std::wint_t c, locale_t l) { return towupper_l(c, l); });
}

}  // namespace pubsubsql::storage::sql
