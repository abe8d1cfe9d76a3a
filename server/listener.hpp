#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace pubsubsql::server {

class worker;

/// A port, and accepting connections on it until close(). When file descriptors run out it waits for some to come back.
/// Used by its context's thread only.
class listener {
 public:
  using tcp = boost::asio::ip::tcp;

  struct hooks {
    /// Who is to have the next connection.
    std::function<worker&()> choose;
    /// A connection for it, in its context.
    std::function<void(worker&, tcp::socket)> take;
  };

  /// The context outlives the listener.
  listener(boost::asio::io_context& context, hooks h) : acceptor_(context), timer_(context), hooks_(std::move(h)) {}

  /// Binds the port (0: any free one). Returns what went wrong, if anything.
  [[nodiscard]] std::optional<std::string> listen(const tcp::endpoint& at);
  /// The port that listen() bound; 0: none.
  [[nodiscard]] std::uint16_t port() const;

  /// Begins to accept. REQUIRES: listen() went well.
  void accept();
  void close();

 private:
  void pause(const boost::system::error_code& error);

  tcp::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  hooks hooks_;
  bool failed_ = false;
};

/// As users read it: 127.0.0.1:4711, [::1]:4711.
[[nodiscard]] std::string text_of(const boost::asio::ip::tcp::endpoint& e);

}  // namespace pubsubsql::server
