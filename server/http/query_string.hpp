#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/result.hpp"

namespace pubsubsql::server::http {

/// What stands behind the `?` of a request's target: names and values, decoded, in their order.
using parameters = std::vector<std::pair<std::string, std::string>>;

/// Undoes `%XX`. Nothing when there is a `%` without two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

/// Reads `name=value&...`, in which `+` is a space. An error says what is wrong: also a name that is not one of
/// `known`, or that is there twice.
[[nodiscard]] result<parameters, std::string> parse_query(std::string_view query,
                                                          std::initializer_list<std::string_view> known);

/// The value of that name; nullptr: it is not there. Valid as long as the parameters.
[[nodiscard]] const std::string* find(const parameters& all, std::string_view name);

}  // namespace pubsubsql::server::http
