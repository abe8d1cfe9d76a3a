#include "server/log_text.hpp"

#include <algorithm>

#include "parser/utf8.hpp"

namespace pubsubsql::server {

std::string log_text(std::string_view text) {
  constexpr std::size_t bytes_max = 64;
  std::string out(text.substr(0, bytes_max));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  for (;;) {
    const std::size_t bad = parser::find_invalid_utf8(out);
    if (bad == std::string::npos) return out;
    out[bad] = '?';
  }
}

}  // namespace pubsubsql::server
