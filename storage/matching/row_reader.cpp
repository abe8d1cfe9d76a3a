#include "storage/matching/row_reader.hpp"

#include <charconv>

#include "storage/matching/column_keys.hpp"

namespace pubsubsql::storage::matching {

void row_reader::start(row_view row) {
  row_ = row;
  id_digits_ = 0;
  keys_made_ = 0;
}

value row_reader::text(column_index column) {
  if (column != id_column) return row_.at(column);
  if (!row_.has_id()) return std::nullopt;
  if (id_digits_ == 0) {
    id_digits_ = static_cast<std::size_t>(std::to_chars(id_, id_ + id_digits_max, row_.id()).ptr - id_);
  }
  return std::string_view(id_, id_digits_);
}

std::optional<std::string_view> row_reader::key(column_index column, std::string_view text) {
  std::size_t at = 0;
  while (at < keys_made_ && keys_[at].column != column) ++at;
  if (at == keys_made_) {
    if (at == keys_.size()) keys_.emplace_back();
    made_key& k = keys_[keys_made_++];
    k.column = column;
    k.bytes.clear();
    k.exists = append_key(k.bytes, *table_, column, text);
  }
  if (!keys_[at].exists) return std::nullopt;
  return keys_[at].bytes;
}

}  // namespace pubsubsql::storage::matching
