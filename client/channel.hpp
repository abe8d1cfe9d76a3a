#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <pubsubsql/error.hpp>
#include <pubsubsql/options.hpp>

namespace pubsubsql {

/// One connection attempt's socket, with TLS or without, and the buffers of what is under way on it.
///
/// Handlers of its operations have to keep it alive: TLS goes on using its buffers until they are called, also when the
/// channel was closed meanwhile. One thread at a time.
class channel {
 public:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;

  explicit channel(const boost::asio::any_io_executor& executor) : socket_(executor) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  [[nodiscard]] tcp::socket& socket() { return socket_; }

  /// Has what follows encrypted, for a server called `host`. Returns what is wrong with the options' files.
  /// REQUIRES: o.mode is not off; called once, before the handshake.
  [[nodiscard]] std::optional<error> use_tls(const tls_options& o, const std::string& host);
  [[nodiscard]] bool uses_tls() const { return tls_ != nullptr; }

  /// `done` is called with an error_code. REQUIRES: uses_tls(), connected.
  template <typename Handler>
  void async_handshake(Handler&& done) {
    tls_->stream->async_handshake(boost::asio::ssl::stream_base::client, std::forward<Handler>(done));
  }

  /// Why the handshake failed, and what to do about it, to go behind "host:port ".
  [[nodiscard]] std::string explain_handshake(const error_code& failure) const;

  /// What ended an established connection, to go behind "lost the server: ".
  [[nodiscard]] static std::string explain_loss(const error_code& failure);

  /// `done` is called with an error_code and how many bytes have come; take() then brings them to `room`.
  template <typename Handler>
  void async_read(std::span<char> room, Handler&& done) {
    if (!tls_) {
      socket_.async_read_some(boost::asio::buffer(room.data(), room.size()), std::forward<Handler>(done));
      return;
    }
    tls_->input.resize(std::min(room.size(), tls_end::input_bytes_max));
    tls_->stream->async_read_some(boost::asio::buffer(tls_->input), std::forward<Handler>(done));
  }

  /// REQUIRES: the latest async_read() had that room, and brought that many bytes.
  void take(std::span<char> room, std::size_t bytes) const {
    if (tls_) std::copy_n(tls_->input.data(), bytes, room.data());
  }

  /// Writes all of `writing`, which is left alone until `done` is called with an error_code and a size.
  template <typename Handler>
  void async_write(Handler&& done) {
    if (tls_) {
      boost::asio::async_write(*tls_->stream, boost::asio::buffer(writing), std::forward<Handler>(done));
    } else {
      boost::asio::async_write(socket_, boost::asio::buffer(writing), std::forward<Handler>(done));
    }
  }

  std::string writing;  ///< empty while nothing is

  /// What is pending fails.
  void close();

 private:
  struct tls_end {
    static constexpr std::size_t input_bytes_max = 64U << 10;

    boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
    std::optional<boost::asio::ssl::stream<tcp::socket&>> stream;  // made once the context is as it has to be
    std::string server_name;
    bool has_certificate = false;
    std::vector<char> input;
  };

  [[nodiscard]] std::optional<error> load_trust(const tls_options& o);
  [[nodiscard]] std::optional<error> load_certificate(const tls_options& o);
  [[nodiscard]] std::optional<error> expect_server(const tls_options& o);
  [[nodiscard]] std::string explain_certificate(long verdict) const;

  tcp::socket socket_;
  std::unique_ptr<tls_end> tls_;  // nullptr: none
};

}  // namespace pubsubsql
