#include "server/auth_throttle.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

namespace pubsubsql::server {

void auth_throttle::fade(entry& e, clock::time_point now) {
  const auto faded = static_cast<unsigned>(std::clamp<std::int64_t>((now - e.last_failure) / failure_lasts, 0, 1000));
  if (faded == 0) return;
  e.failures -= std::min(e.failures, faded);
  e.last_failure += faded * failure_lasts;
}

std::chrono::milliseconds auth_throttle::delay_of(const entry& e) {
  constexpr unsigned doublings_max = 10;
  return std::min(delay_max, first_delay * (1U << std::min(e.failures - 1, doublings_max)));
}

std::optional<auth_throttle::clock::duration> auth_throttle::begin(std::string_view address, clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  const auto it = entries_.find(address);
  if (it == entries_.end()) return clock::duration::zero();
  entry& e = it->second;
  fade(e, now);
  if (e.failures == 0) {
    entries_.erase(it);
    return clock::duration::zero();
  }
  const clock::time_point start = std::max(now, e.next_attempt);
  if (start - now > wait_max) return std::nullopt;
  e.next_attempt = start + delay_of(e);
  return start - now;
}

std::chrono::milliseconds auth_throttle::failed(std::string_view address, clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  auto it = entries_.find(address);
  if (it == entries_.end()) {
    make_room(now);
    it = entries_.emplace(std::string(address), entry{}).first;
  }
  entry& e = it->second;
  fade(e, now);
  ++e.failures;
  e.last_failure = now;
  e.next_attempt = std::max(e.next_attempt, now + delay_of(e));
  return delay_of(e);
}

void auth_throttle::make_room(clock::time_point now) {
  if (entries_.size() < addresses_max) return;
  for (auto it = entries_.begin(); it != entries_.end();) {
    fade(it->second, now);
    if (it->second.failures == 0) {
      entries_.erase(it++);
    } else {
      ++it;
    }
  }
  if (entries_.size() < addresses_max) return;
  entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& e) { return e.second.last_failure; }));
}

std::string auth_throttle::host_of(std::string_view address) {
  std::string host(address.substr(0, address.rfind(':')));
  if (!host.starts_with('[')) return host;
  boost::system::error_code error;
  const auto v6 = boost::asio::ip::make_address_v6(host.substr(1, host.size() - 2), error);
  if (error || v6.is_v4_mapped()) return host;
  constexpr std::size_t network_bytes = 8;
  const auto bytes = v6.to_bytes();
  return {bytes.begin(), bytes.begin() + network_bytes};
}

}  // namespace pubsubsql::server
