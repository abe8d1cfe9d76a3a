#include "storage/tag_index.hpp"

#include "storage/shrink.hpp"

namespace pubsubsql::storage {

const tag_index::positions* tag_index::find(std::string_view text) const {
  const auto it = values_.find(text);
  return it == values_.end() ? nullptr : &it->second;
}

void tag_index::insert(std::string_view text, row_position position) {
  auto it = values_.find(text);
  if (it == values_.end()) it = values_.emplace(text, positions{}).first;
  it->second.insert(position);
}

void tag_index::erase(std::string_view text, row_position position) {
  const auto it = values_.find(text);
  it->second.erase(position);
  if (!it->second.empty()) return;
  values_.erase(it);
  shrink_if_sparse(values_);
}

}  // namespace pubsubsql::storage
