#include "storage/unique_index.hpp"

#include "storage/shrink.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage {

unique_index::unique_index(const row_heap& heap, column_index column)
    : entries_(0, hasher{}, equal{.heap = &heap, .column = column}) {}

std::uint32_t unique_index::hash_of(std::string_view text) {
  const std::uint64_t hash = text_hash{}(text);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32U));
}

std::optional<row_number> unique_index::find(std::string_view text) const {
  const auto it = entries_.find(probe{.text = text, .hash = hash_of(text)});
  if (it == entries_.end()) return std::nullopt;
  return it->row;
}

std::uint32_t unique_index::prefetch(std::string_view text) const {
  const std::uint32_t hash = hash_of(text);
  entries_.prefetch(hash_only{hash});
  return hash;
}

std::optional<row_number> unique_index::guess(std::uint32_t hash) const {
  const auto it = entries_.find(hash_only{hash});
  if (it == entries_.end()) return std::nullopt;
  return it->row;
}

void unique_index::insert(std::string_view text, row_number row) {
  entries_.insert(entry{.row = row, .hash = hash_of(text)});
}

void unique_index::erase(std::string_view text, row_number row) {
  entries_.erase(entry{.row = row, .hash = hash_of(text)});
  shrink_if_sparse(entries_);
}

}  // namespace pubsubsql::storage
