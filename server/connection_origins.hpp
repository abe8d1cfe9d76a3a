#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "storage/text_hash.hpp"

namespace pubsubsql::server {

/// Whether a connection is served, or told why not and closed.
enum class admission : std::uint8_t {
  served,
  too_many,              ///< connections altogether
  too_many_from_address  ///< from where it comes
};

/// How many connections there are from where: an IPv4 address, or the /64 network of an IPv6 address, of which one host
/// may use all. Addresses are as logs show them: 127.0.0.1:4711, [::1]:4711. Thread-safe.
class connection_origins {
 public:
  /// Counts one more, unless there are `most` (0: any number) already. Returns whether it was counted.
  [[nodiscard]] bool add(std::string_view address, std::size_t most);
  /// One that was counted has ended.
  void remove(std::string_view address);
  /// The most there are from anywhere now.
  [[nodiscard]] std::size_t most() const;

 private:
  mutable std::mutex mutex_;
  storage::text_map<std::size_t> counts_;  // guarded by mutex_
};

/// Where an address is counted.
[[nodiscard]] std::string origin_of(std::string_view address);

}  // namespace pubsubsql::server
