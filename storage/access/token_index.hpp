#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "storage/access/token.hpp"
#include "storage/access/user_list.hpp"

namespace pubsubsql::access {

/// The tokens of all users that are good at one time, for looking up. Times are seconds since 1970-01-01 00:00 UTC.
class token_index {
 public:
  /// Whom a token stands for, and the token's number: the same whenever the token is read, another for every token.
  struct owner {
    std::string user;
    std::uint64_t number = 0;
  };

  token_index() = default;
  /// Without those that have expired at `now`.
  token_index(const user_list& users, std::int64_t now);

  /// Whom the secret stands for at `now`; nothing: it is no token that is good.
  [[nodiscard]] std::optional<owner> find(std::string_view secret, std::int64_t now) const;
  /// Whether the token of that number is good at `now`.
  [[nodiscard]] bool has(std::uint64_t number, std::int64_t now) const;
  /// When the next of them expires; nothing: none ever does.
  [[nodiscard]] std::optional<std::int64_t> next_expiry() const { return next_expiry_; }

 private:
  struct entry {
    token_hash hash{};
    std::string user;
    std::int64_t expires_s = 0;

    [[nodiscard]] bool is_good(std::int64_t now) const { return expires_s == 0 || now < expires_s; }
  };

  /// By number, which is the beginning of the hash: what the time of a look-up tells of a hash tells nothing of the
  /// token. The rest is compared in constant time.
  std::unordered_map<std::uint64_t, entry> entries_;
  std::optional<std::int64_t> next_expiry_;
};

}  // namespace pubsubsql::access
