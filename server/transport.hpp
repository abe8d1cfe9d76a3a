#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "server/client_socket.hpp"
#include "server/web_link.hpp"

namespace pubsubsql::server {

/// How a session reaches its client: a socket, with TLS or without, or a web_link. Reads and writes what there is and
/// never waits, unless it is asked to tell when there is more.
class transport {
 public:
  using error_code = boost::system::error_code;
  using link_ptr = std::shared_ptr<web_link>;

  explicit transport(client_socket socket) : end_(std::move(socket)) {}
  explicit transport(link_ptr link) : end_(std::move(link)) {}

  /// Whether it is a web_link: it carries frames, TLS is not its business, and it sees to its end by itself.
  [[nodiscard]] bool is_web() const { return std::holds_alternative<link_ptr>(end_); }
  /// REQUIRES: !is_web().
  [[nodiscard]] client_socket& socket() { return *std::get_if<client_socket>(&end_); }

  [[nodiscard]] boost::asio::ip::tcp::socket::executor_type executor() {
    return is_web() ? link().executor() : socket().executor();
  }

  /// As client_socket::read_some() and web_link::read_some().
  [[nodiscard]] std::size_t read_some(std::span<char> into, error_code& problem) {
    if (is_web()) [[unlikely]] {
      return link().read_some(into, problem);
    }
    return socket().read_some(into, problem);
  }

  /// As client_socket::write_some() and web_link::write_some().
  [[nodiscard]] std::size_t write_some(std::span<const std::string_view> pieces, error_code& problem) {
    if (is_web()) [[unlikely]] {
      return link().write_some(pieces, problem);
    }
    return socket().write_some(pieces, problem);
  }

  /// Whether bytes that were taken are still on their way to the client.
  [[nodiscard]] bool has_unsent() const {
    if (const link_ptr* const l = std::get_if<link_ptr>(&end_)) return (*l)->has_unsent();
    return std::get_if<client_socket>(&end_)->has_unsent();
  }

  /// Calls `handler(error_code)` later, once, when there is something to read, or an end to it; or when more is taken.
  template <typename Handler>
  void wait_readable(Handler&& handler) {
    if (is_web()) return link().wait_readable(std::forward<Handler>(handler));
    socket().wait_readable(std::forward<Handler>(handler));
  }
  template <typename Handler>
  void wait_writable(Handler&& handler) {
    if (is_web()) return link().wait_writable(std::forward<Handler>(handler));
    socket().wait_writable(std::forward<Handler>(handler));
  }

  /// As client_socket::has_hung_up(). A web_link notices when it is read.
  [[nodiscard]] bool has_hung_up() { return !is_web() && socket().has_hung_up(); }

  /// The client has become known.
  void admitted() {
    if (is_web()) link().admitted();
  }

  void close(close_code code, std::string_view why) {
    if (is_web()) return link().close(code, why);
    socket().close();
  }

  // For logs

  /// Whether there is TLS on the way to the client.
  [[nodiscard]] bool is_encrypted() const;

  /// What the link is called; empty for a socket.
  [[nodiscard]] std::string_view link_name() const;
  [[nodiscard]] bool is_momentary() const;
  /// As client_socket::description().
  [[nodiscard]] std::string description() const;
  /// As client_socket::is_truncated().
  [[nodiscard]] bool is_truncated() const;

 private:
  [[nodiscard]] web_link& link() { return **std::get_if<link_ptr>(&end_); }

  std::variant<client_socket, link_ptr> end_;
};

}  // namespace pubsubsql::server
