#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pubsubsql::server::http {

enum class csv_outcome : std::uint8_t {
  done,
  no_rows,   ///< the reply is none with columns; nothing was appended
  too_large  ///< it would be more than `bytes_max`
};

/// Appends a reply in JSON that has rows as CSV (RFC 4180): a line of the columns' names, then one for each row, each
/// with CR LF. NULL is an empty field, the empty text is "".
[[nodiscard]] csv_outcome append_csv(std::string& out, std::string_view reply, std::size_t bytes_max);

}  // namespace pubsubsql::server::http
