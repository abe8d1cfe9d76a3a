#include "server/column_lists.hpp"

#include <algorithm>

#include "server/json.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

std::string_view column_lists::of(const storage::table& t, std::span<const storage::column_index> columns) {
  std::size_t place = t.schema_version() + columns.size();
  if (!columns.empty()) place += columns.back();
  list& l = lists_[place % lists_kept];
  if (l.schema_version == t.schema_version() && std::ranges::equal(l.columns, columns)) return l.text;
  l.schema_version = t.schema_version();
  l.columns.assign(columns.begin(), columns.end());
  l.text = "[";
  for (const storage::column_index column : columns) {
    if (l.text.size() > 1) l.text += ',';
    append_json_string(l.text, t.column_name(column));
  }
  l.text += ']';
  return l.text;
}

}  // namespace pubsubsql::server
