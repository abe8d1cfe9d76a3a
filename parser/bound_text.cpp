#include "parser/bound_text.hpp"

#include <cstddef>

namespace pubsubsql::parser {

void append_quoted(std::string& out, std::string_view text) {
  out += '\'';
  for (std::size_t quote = text.find('\''); quote != std::string_view::npos; quote = text.find('\'')) {
    out.append(text.substr(0, quote + 1));
    out += '\'';
    text.remove_prefix(quote + 1);
  }
  out.append(text);
  out += '\'';
}

void append_bound(std::string& out, std::string_view sql, std::string_view values) {
  out.reserve(out.size() + sql.size() + values.size() + 32);
  out += "execute immediate ";
  append_quoted(out, sql);
  if (values.empty()) return;
  out += " using ";
  out += values;
}

}  // namespace pubsubsql::parser
