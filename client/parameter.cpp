#include <pubsubsql/parameter.hpp>

#include "parser/bound_text.hpp"

namespace pubsubsql {

void parameter::append_to(std::string& out) const {
  if (const auto* n = std::get_if<number>(&value_)) {
    out += n->written;
  } else if (const auto* text = std::get_if<std::string_view>(&value_)) {
    parser::append_quoted(out, *text);
  } else {
    out += "null";
  }
}

std::string with_values(std::string_view sql, std::span<const parameter> values) {
  std::string list;
  for (const parameter& p : values) {
    if (!list.empty()) list += ", ";
    p.append_to(list);
  }
  std::string statement;
  parser::append_bound(statement, sql, list);
  return statement;
}

}  // namespace pubsubsql
