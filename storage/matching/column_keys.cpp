#include "storage/matching/column_keys.hpp"

#include "storage/sql/number_text.hpp"
#include "storage/sql/order_key.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage::matching {

bool is_untyped(const table&, column_index) {
  return true;
}

bool append_key(std::string& out, const table& of, column_index column, std::string_view text) {
  if (is_untyped(of, column) && !sql::looks_like_number(text)) return false;
  sql::append_order_key(out, nullptr, value(text));
  return true;
}

}  // namespace pubsubsql::storage::matching
