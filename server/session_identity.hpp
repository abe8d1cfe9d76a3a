#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "storage/access/user_rights.hpp"

namespace pubsubsql::server {

/// Who a connection's client is. Belongs to the session; changed by its worker's gate only.
struct session_identity {
  access::shared_rights user;  ///< nullptr: not authenticated, or there are no users
  std::uint64_t version = 0;   ///< of the access_control that `user` is of
  unsigned failures = 0;       ///< attempts to authenticate
  std::uint64_t token = 0;     ///< its number, where that is what let the client in; 0: a password did
  /// Tables it has had subscriptions to, as many as are kept; with more, every change of rights is about one of them.
  std::set<std::string, std::less<>> subscribed_to;
  static constexpr std::size_t subscribed_to_max = 1'000;
};

}  // namespace pubsubsql::server
