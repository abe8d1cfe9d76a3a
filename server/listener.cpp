#include "server/listener.hpp"

#include <chrono>

#include <spdlog/spdlog.h>

#include "server/worker.hpp"

namespace pubsubsql::server {

namespace {

using boost::system::error_code;

/// Before it tries again, an acceptor without file descriptors waits so long for some to come back.
constexpr std::chrono::milliseconds accept_pause{100};

}  // namespace

std::string text_of(const boost::asio::ip::tcp::endpoint& e) {
  const std::string host = e.address().is_v6() ? "[" + e.address().to_string() + "]" : e.address().to_string();
  return host + ":" + std::to_string(e.port());
}

std::optional<std::string> listener::listen(const tcp::endpoint& at) {
  error_code error;
  acceptor_.open(at.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(at, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) return std::nullopt;
  close();
  return "cannot listen on " + text_of(at) + ": " + error.message();
}

std::uint16_t listener::port() const {
  error_code ignored;
  return acceptor_.local_endpoint(ignored).port();
}

void listener::accept() {
  worker& w = hooks_.choose();
  acceptor_.async_accept(w.context(), [this, &w](const error_code& error, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (error) return pause(error);
    failed_ = false;
    hooks_.take(w, std::move(socket));
    accept();
  });
}

void listener::pause(const error_code& error) {
  // Most likely file descriptors ran out: the connection stays in the queue, and trying at once would only spin.
  if (!std::exchange(failed_, true)) {
    spdlog::error("cannot accept connections: {}; trying again until it works", error.message());
  }
  timer_.expires_after(accept_pause);
  timer_.async_wait([this](const error_code& cancelled) {
    if (!cancelled && acceptor_.is_open()) accept();
  });
}

void listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
  timer_.cancel();
}

}  // namespace pubsubsql::server
