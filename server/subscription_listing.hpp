#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <absl/container/flat_hash_map.h>

#include "server/client_request.hpp"
#include "server/worker_message.hpp"

namespace pubsubsql::server {

class worker;

/// Answers `show subscriptions`: asks every worker for the subscriptions of its tables and for its connections, and
/// brings the two together. One for each worker, for its clients; used by its thread only.
class subscription_listing {
 public:
  /// The worker outlives this.
  explicit subscription_listing(worker& w) : worker_(w) {}

  /// A client asks.
  void show(const client_request& a);

  // Messages

  void on(const list_subscriptions& m);
  void on(subscriptions_listed& m);

 private:
  /// A question that waits for other workers.
  struct gathering {
    reply_route route;
    std::size_t missing = 0;
    subscription_list all;
  };

  [[nodiscard]] subscription_list list_here() const;
  void add(gathering& g, subscription_list&& list) const;
  void encode(std::string& out, gathering& g) const;

  worker& worker_;
  absl::flat_hash_map<std::uint64_t, gathering> gatherings_;
  std::uint64_t last_ = 0;
};

}  // namespace pubsubsql::server
