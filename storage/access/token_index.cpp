#include "storage/access/token_index.hpp"

#include <algorithm>
#include <cstring>

namespace pubsubsql::access {

namespace {

std::uint64_t number_of(const token_hash& hash) {
  std::uint64_t out = 0;
  std::memcpy(&out, hash.data(), sizeof out);
  return out;
}

}  // namespace

token_index::token_index(const user_list& users, std::int64_t now) {
  for (const user_list::user& u : users.users()) {
    for (const token& t : u.tokens) {
      entry e{.hash = t.hash, .user = u.name, .expires_s = t.expires_s};
      if (!e.is_good(now)) continue;
      if (t.expires_s != 0) next_expiry_ = std::min(next_expiry_.value_or(t.expires_s), t.expires_s);
      entries_.emplace(number_of(t.hash), std::move(e));
    }
  }
}

std::optional<token_index::owner> token_index::find(std::string_view secret, std::int64_t now) const {
  const token_hash hash = hash_token(secret);
  const auto it = entries_.find(number_of(hash));
  if (it == entries_.end() || !are_equal(it->second.hash, hash) || !it->second.is_good(now)) return std::nullopt;
  return owner{.user = it->second.user, .number = it->first};
}

bool token_index::has(std::uint64_t number, std::int64_t now) const {
  const auto it = entries_.find(number);
  return it != entries_.end() && it->second.is_good(now);
}

}  // namespace pubsubsql::access
