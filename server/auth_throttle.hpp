#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "storage/text_hash.hpp"

namespace pubsubsql::server {

/// Slows down who guesses passwords: after a failed attempt the next one from the same address has to wait, twice as
/// long each time. A failure is forgotten after a while. Thread-safe.
class auth_throttle {
 public:
  using clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds first_delay{250};
  static constexpr std::chrono::milliseconds delay_max{8'000};
  /// What attempts may have to wait before they are refused instead: some connections of one address at a time.
  static constexpr std::chrono::milliseconds wait_max{30'000};
  static constexpr std::chrono::seconds failure_lasts{30};
  /// Addresses that are remembered. When there are more, the one that failed longest ago is forgotten.
  static constexpr std::size_t addresses_max = 10'000;

  /// How long an attempt that begins now has to wait; nothing: too many of the address wait already.
  [[nodiscard]] std::optional<clock::duration> begin(std::string_view address, clock::time_point now);

  /// An attempt has failed. Returns how long the next one has to wait.
  std::chrono::milliseconds failed(std::string_view address, clock::time_point now);

  /// What a peer's address, with its port, counts as: its host; of an IPv6 address the network of 64 bits.
  [[nodiscard]] static std::string host_of(std::string_view address);

 private:
  struct entry {
    unsigned failures = 0;
    clock::time_point last_failure;
    clock::time_point next_attempt;
  };

  static void fade(entry& e, clock::time_point now);
  [[nodiscard]] static std::chrono::milliseconds delay_of(const entry& e);
  void make_room(clock::time_point now);

  std::mutex mutex_;
  storage::text_map<entry> entries_;  // guarded by mutex_
};

}  // namespace pubsubsql::server
