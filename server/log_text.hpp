#pragma once

#include <string>
#include <string_view>

namespace pubsubsql::server {

/// A client's text for a log or a message: cut where it is long, and without what would make one line look like two or
/// is no UTF-8.
[[nodiscard]] std::string log_text(std::string_view text);

}  // namespace pubsubsql::server
