#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/counted_connection.hpp"
#include "server/listener.hpp"
#include "server/options.hpp"
#include "server/shared_state.hpp"
#include "server/worker.hpp"
#include "storage/durable/store_switch.hpp"

namespace pubsubsql::server {

/// The whole server: workers and their threads, the listeners, signals, and the orderly stop. Lives on the main thread,
/// whose loop accepts connections and hands them to the workers in turn. SIGHUP reads the certificates again.
class server {
 public:
  /// Both outlive the server. `store`: where changes go.
  server(const options& o, storage::durable::store_switch& store);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Where a store puts the tables that it loads. For the time before run().
  [[nodiscard]] storage::durable::table_loader& loader() { return loader_; }

  /// Tables that are made from now on number their changes beyond this. For the time before run().
  void begin_numbers_after(std::uint64_t number);

  /// Takes a table away again that the loader has placed. For the time before run().
  void forget(std::string_view table);

  /// A table by name, or nullptr. For the time before run().
  [[nodiscard]] const storage::table* find(std::string_view table) const;

  /// What all workers share; for what works beside them.
  [[nodiscard]] shared_state& shared() { return shared_; }
  /// Who answers `mysql ...` statements. Before run(); `s` outlives it.
  void serve_mysql(mysql_service& s) { shared_.mysql = &s; }

  /// Gives a worker results of its writes. From any thread, from run() on until the server goes.
  void deliver(unsigned worker, std::vector<storage::durable::write_result>& results);

  /// Makes rows what MySQL has stored of an acknowledged statement. As deliver().
  void correct(std::shared_ptr<const storage::durable::statement_changes> written,
               const storage::corrected_rows& stored);

  /// Reads the certificates. Returns what is wrong with them, if anything, for the user.
  [[nodiscard]] std::optional<std::string> load_certificates() { return shared_.tls.load(); }

  /// Binds the ports. Returns what went wrong, if anything, for the user.
  [[nodiscard]] std::optional<std::string> listen();

  /// The ports that listen() bound; http_port() is 0 without HTTP.
  [[nodiscard]] std::uint16_t port() const { return sql_.port(); }
  [[nodiscard]] std::uint16_t http_port() const { return http_.port(); }

  /// Those in a store that keep their latest changes. Before run(), or after.
  [[nodiscard]] std::vector<const storage::table*> tables_with_history() const;

  /// Serves until SIGTERM, SIGINT, a `stop` statement or stop(), then stops in order.
  void run();

  /// Asks for an orderly stop, from any thread.
  void stop();

 private:
  using tcp = boost::asio::ip::tcp;

  /// Places tables on workers as they come.
  void begin_bindings();

  class placing_loader : public storage::durable::table_loader {
   public:
    explicit placing_loader(shared_state& shared) : shared_(shared) {}
    [[nodiscard]] std::optional<std::string> on_table(const storage::table_description& d) override;
    [[nodiscard]] std::optional<std::string> on_row(storage::row_position position,
                                                    std::span<const storage::value> values) override;
    void on_changes_after(std::uint64_t position) override { table_->load_changes_after(position); }
    void on_change(const storage::past_change& c) override { table_->load_change(c); }
    void on_lost_change(std::uint64_t sequence) override { table_->lose_change(sequence); }

   private:
    shared_state& shared_;
    storage::table* table_ = nullptr;
  };

  void await_reload();
  void reload();
  [[nodiscard]] std::optional<std::string> listen_for_http(const boost::asio::ip::address& address);
  /// Makes the socket ready and counts it; nothing: it is gone, or not worth a word.
  [[nodiscard]] std::optional<counted_connection> on_accepted(tcp::socket& socket);
  [[nodiscard]] admission admit(std::string_view address);
  void watch_memory();
  [[nodiscard]] worker& next_worker();
  void begin_stop(std::string_view why);
  void stop_workers_when_done();
  void stop_workers();

  const options& options_;
  boost::asio::io_context context_{1};
  shared_state shared_;
  std::vector<std::unique_ptr<worker>> workers_;
  placing_loader loader_{shared_};
  std::vector<std::thread> threads_;
  listener sql_;
  listener http_;
  boost::asio::signal_set signals_;
  boost::asio::signal_set reload_signal_;  // SIGHUP: files are to be read again
  boost::asio::steady_timer grace_timer_;  // of the stop
  boost::asio::steady_timer memory_timer_;
  unsigned looks_beyond_limit_ = 0;
  std::size_t next_worker_ = 0;
  std::size_t open_ = 0;  // connections handed to workers and not ended
  bool stopping_ = false;
};

}  // namespace pubsubsql::server
