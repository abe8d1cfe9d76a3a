#include "server/http/origin_rules.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

#include "server/http/comma_list.hpp"

namespace pubsubsql::server::http {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool are_same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Some leave out the port that a scheme has by itself, and some do not.
std::string_view without_port(std::string_view host, std::string_view port) {
  return host.ends_with(port) ? host.substr(0, host.size() - port.size()) : host;
}

}  // namespace

bool is_own_origin(std::string_view origin, std::string_view host) {
  for (const auto& [scheme, port] : {std::pair<std::string_view, std::string_view>{"http://", ":80"},
                                     std::pair<std::string_view, std::string_view>{"https://", ":443"}}) {
    if (!are_same(origin.substr(0, scheme.size()), scheme)) continue;
    return !host.empty() && are_same(without_port(origin.substr(scheme.size()), port), without_port(host, port));
  }
  return false;
}

bool is_listed(std::string_view list, std::string_view text) {
  while (!list.empty()) {
    const std::string_view item = take_part(list);
    if (item == "*" || (!item.empty() && are_same(item, text))) return true;
  }
  return false;
}

std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, std::min(host.find(']'), host.size()) - 1);
  return host.substr(0, host.find(':'));
}

bool is_fixed_host(std::string_view host) {
  const std::string_view name = host_name(host);
  if (are_same(name, "localhost")) return true;
  boost::system::error_code problem;
  boost::asio::ip::make_address(std::string(name), problem);
  return !problem;
}

}  // namespace pubsubsql::server::http
