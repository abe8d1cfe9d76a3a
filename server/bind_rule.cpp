#include "server/bind_rule.hpp"

namespace pubsubsql::server {

namespace {

bool is_of_this_machine(const boost::asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).is_loopback();
  }
  return address.is_loopback();
}

}  // namespace

std::optional<std::string> bind_problem(const boost::asio::ip::address& address, const options& o) {
  if (is_of_this_machine(address) || !o.users_file.empty() || o.insecure_no_auth) return std::nullopt;
  return "--bind " + o.bind +
         " would let others than this machine in, and there are no users; give --users FILE, bind 127.0.0.1, or, where "
         "the network lets in nobody else, --insecure-no-auth";
}

std::optional<std::string> bind_warning(const boost::asio::ip::address& address, const options& o) {
  if (is_of_this_machine(address)) return std::nullopt;
  if (o.users_file.empty()) {
    return "--insecure-no-auth: there are no users, so anyone who reaches " + o.bind + ":" + std::to_string(o.port) +
           " can read and change everything";
  }
  if (o.tls.is_required()) return std::nullopt;
  return "passwords and data go to and from " + o.bind + ":" + std::to_string(o.port) +
         (o.tls.enabled() ? " in clear where clients do not use TLS; demand it with --tls-required"
                          : " in clear; give --tls-cert, --tls-key and --tls-required");
}

}  // namespace pubsubsql::server
