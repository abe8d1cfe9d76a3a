#pragma once

#include <optional>
#include <string>

#include <boost/asio/ip/address.hpp>

#include "server/options.hpp"

namespace pubsubsql::server {

/// Why the server must not listen on this address, if so: without users, whoever can reach a port can do everything,
/// so that only this machine may, unless `--insecure-no-auth` says otherwise.
[[nodiscard]] std::optional<std::string> bind_problem(const boost::asio::ip::address& address, const options& o);

/// What is to be logged about listening on it, if anything.
[[nodiscard]] std::optional<std::string> bind_warning(const boost::asio::ip::address& address, const options& o);

}  // namespace pubsubsql::server
