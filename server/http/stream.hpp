#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <boost/system/error_code.hpp>

#include "server/client_socket.hpp"

namespace pubsubsql::server {
class worker;
}

namespace pubsubsql::server::http {

/// A client's socket, with TLS or without, as Beast wants to read and write it. The first byte tells whether it is TLS.
///
/// An idle stream holds no buffers: it reads into its worker's, and keeps only what nobody has asked for yet. Lives as
/// long as operations of it are pending; used by its worker's thread only.
class stream : public std::enable_shared_from_this<stream> {
 public:
  using executor_type = client_socket::tcp::socket::executor_type;
  using error_code = boost::system::error_code;

  stream(worker& w, client_socket::tcp::socket socket) : worker_(w), socket_(std::move(socket)) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  [[nodiscard]] executor_type get_executor() { return socket_.executor(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& into, Token&& token);
  /// While the stream holds back, completes when the bytes are kept; otherwise when the socket has them.
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& from, Token&& token);
  /// Stops to hold back, and completes with an error code when all that was kept is sent.
  template <typename Token>
  auto async_flush(Token&& token);

  /// What is written from here on is kept, as far as a bounded buffer has room, to leave together with async_flush().
  void hold_back() { holds_back_ = true; }
  /// What is read next, before all else: it was read too much.
  void put_back(std::string_view bytes) { held_.replace(0, std::exchange(read_, 0), bytes); }

  void shut_down_sending();
  /// The same, then reads what has come and forgets it, so that the client sees what it was sent and not a reset, and
  /// calls `done()` later. With `more_may_come` that is at the client's end, or after a lot; close() ends it as well.
  void linger(bool more_may_come, std::function<void()> done);
  void close() { socket_.close(); }

  [[nodiscard]] bool is_tls() const { return socket_.is_tls(); }
  /// As client_socket::description().
  [[nodiscard]] std::string description() const { return socket_.description(); }
  /// Bytes received and sent, over all; they tell whether a client still moves.
  [[nodiscard]] std::uint64_t bytes_in() const { return bytes_in_; }
  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }

 private:
  static constexpr std::size_t pieces_max = 16;

  /// Reads into held_. `problem` as for client_socket::read_some().
  void fill(error_code& problem);
  [[nodiscard]] std::size_t begin_tls(std::span<char> buffer, std::size_t bytes, error_code& problem);
  [[nodiscard]] std::size_t take_held(char* into, std::size_t bytes);
  [[nodiscard]] std::size_t keep(std::span<const std::string_view> pieces);
  [[nodiscard]] std::size_t write(std::span<const std::string_view> pieces, error_code& problem);
  void push(error_code& problem);
  void discard(bool more_may_come, std::function<void()> done);
  /// Sends on its own what TLS could not get rid of.
  void push_later();
  [[nodiscard]] bool has_unsent() const { return !kept_.empty() || socket_.has_unsent(); }

  template <typename Buffers>
  [[nodiscard]] std::size_t copy_held(const Buffers& into);
  template <typename Buffers>
  [[nodiscard]] std::size_t write_some(const Buffers& from, error_code& problem);

  worker& worker_;
  client_socket socket_;
  std::string held_;      // received, not read yet
  std::size_t read_ = 0;  // of held_
  std::string kept_;      // written, not sent yet
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t discarded_ = 0;
  bool begun_ = false;  // the first byte has come
  bool holds_back_ = false;
  bool pushes_ = false;  // push_later() is under way
};

template <typename Buffers>
std::size_t stream::copy_held(const Buffers& into) {
  std::size_t copied = 0;
  for (auto it = boost::asio::buffer_sequence_begin(into); it != boost::asio::buffer_sequence_end(into); ++it) {
    const boost::asio::mutable_buffer part(*it);
    copied += take_held(static_cast<char*>(part.data()), part.size());
  }
  return copied;
}

template <typename Buffers>
std::size_t stream::write_some(const Buffers& from, error_code& problem) {
  std::array<std::string_view, pieces_max> pieces;
  std::size_t count = 0;
  for (auto it = boost::asio::buffer_sequence_begin(from);
       it != boost::asio::buffer_sequence_end(from) && count < pieces_max; ++it) {
    const boost::asio::const_buffer part(*it);
    if (part.size() > 0) pieces[count++] = {static_cast<const char*>(part.data()), part.size()};
  }
  return count > 0 ? write(std::span(pieces).first(count), problem) : 0;
}

template <typename Buffers, typename Token>
auto stream::async_read_some(const Buffers& into, Token&& token) {
  enum class step { begin, held, wait };
  return boost::asio::async_compose<Token, void(error_code, std::size_t)>(
      [this, into, now = step::begin](auto& self, error_code problem = {}) mutable {
        if (now == step::begin) {
          const bool at_once = !held_.empty() || boost::asio::buffer_size(into) == 0;
          now = at_once ? step::held : step::wait;
          if (at_once) return boost::asio::post(get_executor(), std::move(self));
          return socket_.wait_readable(std::move(self));
        }
        if (now == step::wait && !problem) fill(problem);
        if (held_.empty() && problem == boost::asio::error::would_block) {
          return socket_.wait_readable(std::move(self));
        }
        const std::size_t bytes = copy_held(into);
        self.complete(bytes > 0 ? error_code() : problem, bytes);
      },
      token, socket_.executor());
}

template <typename Buffers, typename Token>
auto stream::async_write_some(const Buffers& from, Token&& token) {
  return boost::asio::async_compose<Token, void(error_code, std::size_t)>(
      [this, from, done = false, later = false, bytes = std::size_t()](auto& self, error_code problem = {}) mutable {
        if (!done && !problem) {
          bytes = write_some(from, problem);
          if (problem == boost::asio::error::would_block) {
            later = true;
            return socket_.wait_writable(std::move(self));
          }
        }
        if (std::exchange(later, true)) return self.complete(problem, bytes);
        done = true;
        boost::asio::post(get_executor(), [self = std::move(self), problem]() mutable { self(problem); });
      },
      token, socket_.executor());
}

template <typename Token>
auto stream::async_flush(Token&& token) {
  holds_back_ = false;
  return boost::asio::async_compose<Token, void(error_code)>(
      [this, later = false](auto& self, error_code problem = {}) mutable {
        if (!problem) push(problem);
        if (problem == boost::asio::error::would_block) {
          later = true;
          return socket_.wait_writable(std::move(self));
        }
        if (std::exchange(later, true)) return self.complete(problem);
        boost::asio::post(get_executor(), [self = std::move(self), problem]() mutable { self(problem); });
      },
      token, socket_.executor());
}

// What Beast asks of a stream to end a WebSocket on it.

void teardown(boost::beast::role_type role, stream& s, boost::system::error_code& problem);

template <typename Handler>
void async_teardown(boost::beast::role_type, stream& s, Handler&& handler) {
  s.shut_down_sending();
  boost::asio::post(s.get_executor(),
                    [handler = std::forward<Handler>(handler)]() mutable { handler(boost::system::error_code()); });
}

inline void beast_close_socket(stream& s) {
  s.close();
}

}  // namespace pubsubsql::server::http
