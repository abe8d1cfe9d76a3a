#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "server/tls/engine.hpp"

namespace pubsubsql::server {

/// Buffers that a worker's TLS connections share: what is in them lasts for a call. Made at first use.
class tls_scratch {
 public:
  static constexpr std::size_t bytes_max = 64U << 10;

  [[nodiscard]] std::span<char> bytes() {
    if (!bytes_) bytes_ = std::make_unique<std::array<char, bytes_max>>();
    return *bytes_;
  }
  /// What goes to the network, empty at first.
  [[nodiscard]] std::string& wire() {
    wire_.clear();
    return wire_;
  }

 private:
  std::unique_ptr<std::array<char, bytes_max>> bytes_;
  std::string wire_;
};

/// A client's socket, and TLS on it once the client has begun that. Reads and writes what there is and never waits,
/// unless it is asked to tell when there is more.
///
/// With TLS nothing readable stays behind in it: a read takes all that a readable socket's bytes come to. Writing never
/// needs to read first, nor the other way round, since there is no renegotiation and OpenSSL always has room to write.
/// What the socket did not take of that stays here; has_unsent() until write_some() got rid of it.
class client_socket {
 public:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;

  /// REQUIRES: the socket does not block.
  explicit client_socket(tcp::socket socket);
  ~client_socket();
  client_socket(client_socket&& other) noexcept;
  client_socket& operator=(client_socket&&) = delete;

  [[nodiscard]] tcp::socket::executor_type executor() { return socket_.get_executor(); }

  /// Reads what has come. `problem` is would_block when it comes to nothing yet, eof at the end, which may come
  /// together with the last bytes, and protocol_error when TLS cannot go on, for which see failure(). REQUIRES:
  /// into.size() >= 2 * tls::held_bytes_max.
  [[nodiscard]] std::size_t read_some(std::span<char> into, error_code& problem) {
    if (tls_) [[unlikely]] {
      return read_tls(into, problem);
    }
    return socket_.read_some(boost::asio::buffer(into.data(), into.size()), problem);
  }

  /// Writes some of the pieces, one behind the other, and returns how many bytes of them were taken. `problem` is
  /// would_block when the socket takes nothing. Without pieces it only sends what has_unsent().
  [[nodiscard]] std::size_t write_some(std::span<const std::string_view> pieces, error_code& problem);

  /// Whether bytes that were taken are still on their way to the socket.
  [[nodiscard]] bool has_unsent() const { return tls_ && has_unsent_tls(); }

  /// Calls `handler(error_code)` later, once, when there is something to read, or an end to it; or when the socket
  /// takes more. close() makes both come with an error.
  template <typename Handler>
  void wait_readable(Handler&& handler) {
    socket_.async_wait(tcp::socket::wait_read, std::forward<Handler>(handler));
  }
  template <typename Handler>
  void wait_writable(Handler&& handler) {
    socket_.async_wait(tcp::socket::wait_write, std::forward<Handler>(handler));
  }

  /// Has the system acknowledge at once what was received.
  void acknowledge_at_once();

  /// Whether the client has ended its side, or the connection is lost, also when there is more to read before that.
  [[nodiscard]] bool has_hung_up();

  /// Tells the client that nothing more is sent.
  void shut_down_sending();
  /// Reads what has come and forgets it, without a look at TLS; `scratch` is overwritten. For a connection that only
  /// waits for its end. `problem` as for read_some().
  [[nodiscard]] std::size_t discard_some(std::span<char> scratch, error_code& problem);
  void close();

  // TLS

  /// Goes on with TLS. The first bytes from the network are those at the front of `buffer`; what they come to is
  /// written there, and the result is that of read_some(). `scratch` outlives the socket.
  [[nodiscard]] std::size_t begin_tls(const tls::context& c, tls_scratch& scratch, std::span<char> buffer,
                                      std::size_t bytes, error_code& problem);

  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  /// REQUIRES: is_tls().
  [[nodiscard]] bool handshake_is_done() const;
  /// What tls::engine::description() says; empty without a finished handshake.
  [[nodiscard]] std::string description() const;
  /// Why TLS cannot go on; valid as long as the socket. REQUIRES: is_tls().
  [[nodiscard]] std::string_view failure() const;
  /// Whether the stream ended without the client saying so in TLS: somebody else may have cut it.
  [[nodiscard]] bool is_truncated() const;

 private:
  struct tls_end;

  [[nodiscard]] std::size_t read_tls(std::span<char> into, error_code& problem);
  [[nodiscard]] std::size_t decrypt(std::span<const char> wire, std::span<char> into, error_code& problem);
  [[nodiscard]] std::size_t write_tls(std::span<const std::string_view> pieces, error_code& problem);
  [[nodiscard]] std::string_view gather(std::span<const std::string_view> pieces);
  void send_wire(std::string& wire, error_code& problem);
  [[nodiscard]] bool send_unsent(error_code& problem);
  [[nodiscard]] bool has_unsent_tls() const;

  tcp::socket socket_;
  std::unique_ptr<tls_end> tls_;  // nullptr: there is no TLS
};

}  // namespace pubsubsql::server
