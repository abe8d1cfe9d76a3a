#include "server/connection_origins.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

namespace pubsubsql::server {

std::string origin_of(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code unknown;
  const auto parsed = boost::asio::ip::make_address(host, unknown);
  if (unknown || parsed.is_v4()) return std::string(host);
  const boost::asio::ip::address_v6 v6 = parsed.to_v6();
  if (v6.is_v4_mapped()) return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + bytes.size() / 2, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

bool connection_origins::add(std::string_view address, std::size_t most) {
  const std::string origin = origin_of(address);
  const std::scoped_lock lock(mutex_);
  std::size_t& count = counts_[origin];
  if (most > 0 && count >= most) return false;
  ++count;
  return true;
}

void connection_origins::remove(std::string_view address) {
  const std::string origin = origin_of(address);
  const std::scoped_lock lock(mutex_);
  const auto it = counts_.find(origin);
  if (it != counts_.end() && --it->second == 0) counts_.erase(it);
}

std::size_t connection_origins::most() const {
  const std::scoped_lock lock(mutex_);
  std::size_t most = 0;
  for (const auto& [origin, count] : counts_) most = std::max(most, count);
  return most;
}

}  // namespace pubsubsql::server
