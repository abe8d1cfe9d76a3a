#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/options.hpp"
#include "server/shared_state.hpp"
#include "server/worker.hpp"
#include "storage/change_sink.hpp"

namespace pubsubsql::server {

/// The whole server: workers and their threads, the listener, signals, and the orderly stop. Lives on the main thread,
/// whose loop accepts connections and hands them to the workers in turn.
class server {
 public:
  /// `o` and `sink` (nullptr: none) outlive the server. A sink is called by all workers' threads.
  server(const options& o, storage::change_sink* sink);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Binds the port. Returns what went wrong, if anything, for the user.
  [[nodiscard]] std::optional<std::string> listen();

  /// The port that listen() bound.
  [[nodiscard]] std::uint16_t port() const;

  /// Serves until SIGTERM, SIGINT, a `stop` statement or stop(), then stops in order.
  void run();

  /// Asks for an orderly stop, from any thread.
  void stop();

 private:
  using tcp = boost::asio::ip::tcp;

  void accept();
  void on_accepted(worker& w, tcp::socket socket);
  void pause_accepting(const boost::system::error_code& error);
  [[nodiscard]] worker& next_worker();
  void begin_stop(std::string_view why);
  void stop_workers_when_done();
  void stop_workers();

  const options& options_;
  boost::asio::io_context context_{1};
  shared_state shared_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<std::thread> threads_;
  tcp::acceptor acceptor_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer timer_;  // a pause of the acceptor, later the grace time of the stop
  std::size_t next_worker_ = 0;
  std::size_t open_ = 0;  // connections handed to workers and not ended
  bool stopping_ = false;
  bool accept_failed_ = false;
};

}  // namespace pubsubsql::server
