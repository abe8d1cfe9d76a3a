#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pubsubsql::cli {

/// The text as a terminal may safely show it: control characters, characters that turn the writing direction and bytes
/// that are not UTF-8 become \n, \t, \xNN or \u{NNNN}.
[[nodiscard]] std::string escaped(std::string_view text);

/// The same, but line feeds and tabs stay. For messages, which may have several lines.
[[nodiscard]] std::string escaped_lines(std::string_view text);

/// How many columns of a terminal the text takes. REQUIRES: escaped; an UTF-8 locale for other than ASCII.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The text cut to so many columns, with "..." for what is missing. REQUIRES: as display_width(); width >= 3.
[[nodiscard]] std::string clipped(std::string_view text, std::size_t width);

}  // namespace pubsubsql::cli
