#include "storage/sql/expression_text.hpp"

#include <variant>

namespace pubsubsql::storage::sql {

expression_text::expression_text(std::string_view text) : sql_("select " + std::string(text)) {
  const auto parsed = parser::parse(sql_, arena_);
  const auto* const select = parsed ? std::get_if<parser::select_statement>(&parsed->body) : nullptr;
  if (select != nullptr && select->columns.items.size() == 1) expression_ = select->columns.items.front().value;
}

}  // namespace pubsubsql::storage::sql
