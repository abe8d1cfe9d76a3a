#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <pubsubsql/async_client.hpp>

#include "parser/result.hpp"

namespace pubsubsql::cli {

/// The CLI's connection: statements that can be waited for and interrupted, while events go on being shown.
///
/// Everything happens inside the functions that wait; on_event is called from there. One thread.
class session {
 public:
  using outcome = result<reply, error>;
  using clock = std::chrono::steady_clock;

  /// What is called for every event, once when the connection is lost, and when it has been made again by itself.
  struct listener {
    std::function<void(const event&)> on_event;
    std::function<void(const error&)> on_lost;
    std::function<void()> on_back = [] {};
  };

  /// With `options.reconnect.automatic`, a connection that is lost is made again meanwhile, as long as it takes;
  /// statements fail until then.
  session(boost::asio::io_context& loop, const client_options& options, listener hears);

  /// Connects and waits until that worked or not.
  [[nodiscard]] std::optional<error> connect(const std::string& host, std::uint16_t port);

  /// Gives the connection up; what is under way is answered with errc::connection_lost at the next wait.
  void hang_up() {
    stay_away();
    client_.close();
  }
  /// It is not made again by itself: somebody ends it, or has it ended.
  void stay_away() { comes_back_ = false; }
  /// Whether it is made again by itself when it is lost.
  [[nodiscard]] bool comes_back() const { return comes_back_; }

  [[nodiscard]] bool connected() const { return client_.connected(); }
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Executes a statement and waits for the reply. Interrupted: an error with errc::timeout, and the late reply
  /// is dropped when it comes.
  [[nodiscard]] outcome execute(std::string_view sql);

  /// Starts a statement and goes on. REQUIRES: what `done` refers to lives until it is called; connected.
  void start(std::string_view sql, std::function<void(outcome)> done);

  /// Runs until the condition holds, interrupt() was called, or the time is over; says whether the condition holds.
  bool wait(const std::function<bool()>& condition, std::optional<clock::time_point> deadline = std::nullopt);

  /// Shows what has come in already.
  void show_pending();

  /// The same as wait() without showing events meanwhile, for use from inside readline.
  bool wait_quietly(const std::function<bool()>& condition, clock::time_point deadline);

  /// Ends the wait that goes on, or the next one. From a signal handler of the loop.
  void interrupt();
  /// Whether interrupt() was called since the last time this was asked.
  [[nodiscard]] bool take_interrupt() { return std::exchange(interrupted_, false); }

 private:
  void listen();
  bool show_event();
  void try_again_later();
  void try_again();

  boost::asio::io_context& loop_;
  listener hears_;
  reconnect_policy reconnect_;
  async_client client_;
  boost::asio::steady_timer retry_timer_;
  std::chrono::milliseconds retry_delay_{0};
  bool comes_back_ = false;
  bool is_back_ = false;  // to be told
  std::string host_;
  std::uint16_t port_ = default_port;
  std::optional<event> event_;   // received, not shown yet; the next one is asked for once it is shown
  std::optional<error> lost_;    // to be told
  std::uint64_t listening_ = 0;  // the wait for events that counts; those of earlier connections do not
  bool interrupted_ = false;
};

}  // namespace pubsubsql::cli
