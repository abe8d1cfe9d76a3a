#pragma once

#include <algorithm>
#include <string_view>

namespace pubsubsql::server::http {

[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Takes the first part of a list off, up to a comma, without the blanks around it.
[[nodiscard]] inline std::string_view take_part(std::string_view& list) {
  const std::string_view part = list.substr(0, list.find(','));
  list.remove_prefix(std::min(part.size() + 1, list.size()));
  return trimmed(part);
}

}  // namespace pubsubsql::server::http
