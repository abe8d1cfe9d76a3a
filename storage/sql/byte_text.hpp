#pragma once

#include <string>
#include <string_view>

/// Bytes in texts: `0x` and two hexadecimal digits for each.
namespace pubsubsql::storage::sql {

/// Appends the digits alone, in lower case.
void append_digits(std::string& out, std::string_view bytes);

/// Writes them into `out`, which the result points to, with lower-case digits.
[[nodiscard]] std::string_view write_bytes(std::string_view bytes, std::string& out);

/// The bytes that a text means: those that its hexadecimal digits tell, or its own. The result points to `out` or to
/// the text.
[[nodiscard]] std::string_view read_bytes(std::string_view text, std::string& out);

}  // namespace pubsubsql::storage::sql
