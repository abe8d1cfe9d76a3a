#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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

/// A client's socket, and TLS on it once the client has begun that. Reads and writes what there is and never waits: the
/// session waits on socket().
///
/// With TLS nothing readable stays behind in it: a read takes all that a readable socket's bytes come to. Writing never
/// needs to read first, nor the other way round, since there is no renegotiation and OpenSSL always has room to write.
/// What the socket did not take of that stays here; has_unsent() until write_some() got rid of it.
class transport {
 public:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;

  /// REQUIRES: the socket does not block.
  explicit transport(tcp::socket socket);
  ~transport();
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  [[nodiscard]] tcp::socket& socket() { return socket_; }

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

  /// Tells the client that nothing more is sent.
  void shut_down_sending();

  // TLS

  /// Goes on with TLS. The first bytes from the network are those at the front of `buffer`; what they come to is
  /// written there, and the result is that of read_some(). `scratch` outlives the transport.
  [[nodiscard]] std::size_t begin_tls(const tls::context& c, tls_scratch& scratch, std::span<char> buffer,
                                      std::size_t bytes, error_code& problem);

  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  /// REQUIRES: is_tls().
  [[nodiscard]] bool handshake_is_done() const;
  /// What tls::engine::description() says; empty without a finished handshake.
  [[nodiscard]] std::string description() const;
  /// Why TLS cannot go on; valid as long as the transport. REQUIRES: is_tls().
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
