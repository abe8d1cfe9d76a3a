#include "server/prepared_statements.hpp"

#include <utility>

#include "parser/bound_text.hpp"

namespace pubsubsql::server {

prepared_statements::outcome prepared_statements::put(std::string_view name, std::string_view sql,
                                                      const bounds& allowed) {
  const auto known = texts_.find(name);
  const std::size_t replaced = known == texts_.end() ? 0 : bytes_of(name, known->second);
  if (known == texts_.end() && texts_.size() >= allowed.count_max) return outcome::too_many;
  std::string text;
  parser::append_bound(text, sql, {});
  const std::size_t bytes = bytes_ - replaced + bytes_of(name, text);
  if (bytes > allowed.bytes_max) return outcome::too_large;
  bytes_ = bytes;
  if (known == texts_.end()) {
    texts_.emplace(name, std::move(text));
  } else {
    known->second = std::move(text);
  }
  return outcome::done;
}

bool prepared_statements::erase(std::string_view name) {
  const auto known = texts_.find(name);
  if (known == texts_.end()) return false;
  bytes_ -= bytes_of(name, known->second);
  texts_.erase(known);
  return true;
}

bool prepared_statements::append_bound(std::string& out, std::string_view name, std::string_view values) const {
  const auto known = texts_.find(name);
  if (known == texts_.end()) return false;
  out += known->second;
  if (values.empty()) return true;
  out += " using ";
  out += values;
  return true;
}

}  // namespace pubsubsql::server
