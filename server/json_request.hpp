#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parser/result.hpp"

/// Requests in JSON: `{"id": 7, "sql": "select * from t where a = ?", "values": ["x"]}`. `id` and `values` may be left
/// out. Values are texts, numbers, booleans (1 and 0) and null; numbers are taken as they are written.
namespace pubsubsql::server {

struct json_request {
  std::uint32_t id = 0;  ///< 0: none was given
  std::string text;      ///< the statement, which has its values with it (parser/bound_text.hpp)
};

/// Why a text is no request.
struct json_problem {
  std::uint32_t id = 0;  ///< of the request, where it was read before the problem was met
  std::string message;   ///< what to do about it
};

/// Whether a request is in JSON: its first byte that is no space is `{`, which begins no statement.
[[nodiscard]] inline bool is_json_request(std::string_view text) {
  if (text.empty() || (text.front() != '{' && text.front() > ' ')) return false;  // as nearly all are
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

/// Reads a request. Memory in proportion to the text; never throws but std::bad_alloc.
[[nodiscard]] result<json_request, json_problem> read_json_request(std::string_view text);

/// Reads a list of requests `[{...}, {...}]`, or one alone. The list may be empty, but has `requests_max` at most.
[[nodiscard]] result<std::vector<json_request>, json_problem> read_json_requests(std::string_view text,
                                                                                 std::size_t requests_max);

}  // namespace pubsubsql::server
