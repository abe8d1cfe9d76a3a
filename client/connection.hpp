#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <pubsubsql/handler.hpp>
#include <pubsubsql/options.hpp>

#include "client/channel.hpp"
#include "client/protocol.hpp"

namespace pubsubsql {

/// A protocol on a channel: what the synchronous and the Asio client are both made of.
///
/// Everything happens on one executor, by one thread at a time. Handlers are called from there, never from inside the
/// call that was given them. Pending operations keep the connection alive; close() ends them.
class connection : public std::enable_shared_from_this<connection> {
 public:
  using done_handler = detail::handler<std::optional<error>>;
  using reply_handler = detail::handler<protocol::outcome>;
  using event_handler = detail::handler<result<event, error>>;

  connection(boost::asio::any_io_executor executor, const client_options& options);

  void connect(std::string host, std::uint16_t port, done_handler done);

  /// Connects to the same address again. REQUIRES: connect() was called before.
  void reconnect(done_handler done) { connect(host_, port_, std::move(done)); }

  [[nodiscard]] bool connected() const { return state_ == state::connected; }

  /// Whether the lost connection is being made anew without being asked.
  [[nodiscard]] bool reconnecting() const { return retrying_; }

  /// Sends a statement. Returns its id for abandon(), or 0 when it was not sent; `done` is called in any case.
  /// `how` is for subscriptions; nothing: as the client's options have it.
  std::uint32_t execute(std::string_view sql, bool dispatched, reply_handler done,
                        const std::optional<subscribe_options>& how = std::nullopt);

  /// Nobody waits any more: the handler is dropped without being called.
  void abandon(std::uint32_t id);

  /// Sends a stream statement, or says why not. Sends by itself now and then; flush() sends the rest.
  result<std::uint32_t, error> stream(std::string_view sql);
  void flush();
  [[nodiscard]] bool has_room() const { return unsent_bytes() <= stream_bytes_max; }
  /// Calls back once has_room(), or with an error when the connection is lost. One at a time.
  void when_room(done_handler done);
  /// Whoever waits in when_room() is dropped without being called.
  void forget_room() { room_done_ = {}; }
  [[nodiscard]] std::vector<stream_error> take_stream_errors() { return std::exchange(stream_errors_, {}); }

  /// Returns an id as execute() does. A subscription that is not there on the server just now is merely forgotten.
  std::uint32_t unsubscribe(subscription handle, reply_handler done);
  [[nodiscard]] bool knows(subscription handle) const { return protocol_.book().find(handle) != nullptr; }

  /// The oldest event of the subscriptions with, or without, a callback.
  [[nodiscard]] std::optional<event> take_event(bool dispatched);
  [[nodiscard]] bool events_full() const { return event_bytes_ > options_.event_bytes_max; }
  /// Calls back with the next event that has no callback. One at a time.
  void next_event(event_handler done);

  /// Hangs up; whatever is pending fails with connection_lost. Events received can still be taken.
  void close();

  /// Why there is no connection. REQUIRES: !connected().
  [[nodiscard]] const error& why_disconnected() const { return why_; }

 private:
  enum class state : std::uint8_t { disconnected, connecting, authenticating, connected };
  struct waiting {
    std::uint32_t id = 0;
    std::chrono::steady_clock::time_point deadline;
    reply_handler done;
  };
  struct queued_event {
    event what;
    std::size_t bytes = 0;
  };

  /// Enough to keep a fast network busy; more would only be memory.
  static constexpr std::size_t stream_bytes_max = 1U << 20;
  /// stream() writes once this much has gathered, so that many statements share one system call.
  static constexpr std::size_t flush_bytes = 64U << 10;
  /// A loader that never asks for its errors keeps the first ones.
  static constexpr std::size_t stream_errors_max = 10'000;

  void open();
  void resolved(const boost::system::error_code& failure, const boost::asio::ip::tcp::resolver::results_type& found);
  void connected_to_socket();
  void opened(std::optional<error> failure);
  void reached();
  void authenticate();
  void authenticated(const protocol::outcome& answer);
  void lost(const error& why);
  void hang_up();
  void fail_pending(const error& why);
  void retry_later();

  void read();
  void process();
  void handle(protocol::incoming&& got);
  void finished(protocol::finished&& f);
  void queue_event(protocol::arrived&& a);
  void hand_out_event();
  void resume_reading();
  void written(const boost::system::error_code& failure);

  void arm_reply_timer();
  void expire_replies();
  [[nodiscard]] bool has_channel() const { return state_ == state::authenticating || state_ == state::connected; }
  [[nodiscard]] std::size_t unsent_bytes() const {
    return protocol_.output().size() + (channel_ ? channel_->writing.size() : 0);
  }
  [[nodiscard]] std::string address() const { return host_ + ":" + std::to_string(port_); }

  client_options options_;
  protocol protocol_;
  boost::asio::any_io_executor executor_;
  boost::asio::ip::tcp::resolver resolver_;
  std::shared_ptr<channel> channel_;         // of this attempt; nullptr while disconnected
  boost::asio::steady_timer connect_timer_;  // limits an attempt, and waits between attempts
  boost::asio::steady_timer reply_timer_;

  std::string host_;
  std::uint16_t port_ = default_port;
  state state_ = state::disconnected;
  bool retrying_ = false;
  std::uint64_t attempt_ = 0;  // completions of operations begun in an earlier attempt are stale
  std::chrono::milliseconds retry_delay_{};
  error why_{errc::connection_lost, "not connected yet; call connect() first"};
  done_handler connect_done_;
  std::uint32_t auth_id_ = 0;  // of the statement that authenticates, while authenticating

  std::deque<waiting> waiting_;  // in the order sent; deadlines rise
  bool timer_armed_ = false;
  std::vector<stream_error> stream_errors_;

  std::deque<queued_event> pulled_;
  std::deque<queued_event> dispatched_;
  std::size_t event_bytes_ = 0;
  event_handler event_done_;
  bool reading_ = false;

  done_handler room_done_;
};

}  // namespace pubsubsql
