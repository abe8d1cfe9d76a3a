#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "parser/result.hpp"
#include "server/http/query_string.hpp"

/// `GET /tables/T?where=...&columns=...` as a select.
namespace pubsubsql::server::http {

struct query_problem {
  std::string message;
  std::optional<std::size_t> offset;  ///< where in `where`
};

/// Reads what stands behind `?`: where, columns, order, limit, offset.
[[nodiscard]] result<parameters, std::string> parse_table_query(std::string_view query);

/// The statement. What the parameters hold is read as what it is to be (names, numbers, an expression) and printed
/// back from that, so that nothing else can be in it.
[[nodiscard]] result<std::string, query_problem> select_of(std::string_view table, const parameters& p);

}  // namespace pubsubsql::server::http
