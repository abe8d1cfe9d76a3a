#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/backlog_gauge.hpp"
#include "server/connection_output.hpp"
#include "server/counted_connection.hpp"
#include "server/event_fan_out.hpp"
#include "server/history_sampler.hpp"
#include "server/http/connection_list.hpp"
#include "server/metrics/statement_watch.hpp"
#include "server/metrics/steady_clock.hpp"
#include "server/metrics/worker_counters.hpp"
#include "server/router.hpp"
#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/slow_subscriptions.hpp"
#include "server/subscriber.hpp"
#include "server/transport.hpp"
#include "server/worker_message.hpp"

namespace pubsubsql::server {

/// One event loop on one thread, with the sessions that were given to it and, in its router, the tables placed on it.
///
/// A loop turn is what the loop has ready at one time. What a turn produces leaves at its end, all together: one write
/// for each session, one hand-over for each worker that has messages. What a session's own statements came to is
/// written before, when they have been taken; while only one session has statements, what they mean for others of the
/// same worker does not wait either.
class worker {
 public:
  using tcp = boost::asio::ip::tcp;

  /// `shared` outlives the worker.
  worker(unsigned index, shared_state& shared);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  // From any thread

  /// Runs the loop until stop(). To be called by the worker's thread, once.
  void run();
  /// The context to make sockets with that adopt() is to get.
  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  /// Serves this connection of the SQL port. One that is not admitted gets one error and is closed.
  void adopt(tcp::socket socket, counted_connection connection);
  /// Serves this connection of the HTTP port.
  void adopt_http(tcp::socket socket, counted_connection connection);
  /// Lets every session finish what it was asked, and then end.
  void finish_sessions();
  /// Ends every session at once, and the loop.
  void stop();
  /// Takes over messages of another worker, or of a store, in their order.
  void receive(std::vector<worker_message>& messages);

  // From the worker's own thread

  [[nodiscard]] unsigned index() const { return index_; }
  [[nodiscard]] shared_state& shared() const { return shared_; }
  [[nodiscard]] router& statements() { return router_; }
  [[nodiscard]] event_fan_out& events() { return events_; }
  [[nodiscard]] buffer_pool& buffers() { return buffers_; }
  /// What waits for its sessions.
  [[nodiscard]] backlog_gauge& backlog() { return backlog_; }
  /// What of replies waits for its sessions.
  [[nodiscard]] backlog_gauge& unread_replies() { return unread_replies_; }
  /// Where more waits for all connections than may, some of this worker's end: those for which the most events wait,
  /// and those that have read nothing of their replies for longest.
  void relieve();
  /// Whether so much is on its way to other workers that it should reach them before more is made: there it counts for
  /// those who wait for it.
  [[nodiscard]] bool must_hand_over() const { return bytes_sent_ >= bytes_sent_max; }
  /// A gauge has been told something, which the others are to hear of.
  void backlog_changed() {
    if (!ending_turn_) end_turn_later();
  }
  /// What became of events of its sessions that were too slow.
  [[nodiscard]] slow_counts& slow() { return slow_; }
  /// What it has counted, its statements by way of watch().
  [[nodiscard]] worker_counters& counters() { return counters_; }
  [[nodiscard]] statement_watch& watch() { return watch_; }
  /// Processor time that its thread took, but for looking for work in vain.
  [[nodiscard]] double busy_seconds();
  [[nodiscard]] tls_scratch& tls_buffers() { return tls_buffers_; }
  /// Where a session reads into; what is in it is to be used before the next read.
  [[nodiscard]] std::span<char> read_buffer() { return *read_buffer_; }

  /// Begins a session.
  session& welcome(transport t, counted_connection connection, session_identity who = {});
  [[nodiscard]] http::connection_list& http_connections() { return http_connections_; }
  /// The session of this worker, or nullptr when it is gone.
  [[nodiscard]] session* find(storage::subscriber_id id) const;
  /// Has the session flushed at the end of this loop turn.
  void flush_later(session& s);
  /// A session has run statements. They may have left events behind, which leave now if nobody else seems to have any,
  /// and memory to be seen to at the end of this loop turn.
  void statements_taken() {
    forget_time();
    if (++takers_ == 1 && takers_before_ <= 1) flush_sessions();
    if (router_.wants_maintenance()) end_turn_later();
  }
  /// Gives the stores and the other workers at once what would leave at the end of this loop turn.
  void hand_over_now();
  /// A session takes statements that it has read together.
  void begin_batch() {
    forget_time();
    watch_.begin_batch();
  }
  /// What now() is, in microseconds since 1970-01-01 00:00 UTC: the same for what runs together.
  [[nodiscard]] std::int64_t now_us() {
    if (now_us_ == 0) now_us_ = read_clock();
    return now_us_;
  }
  /// The same, read at this moment.
  [[nodiscard]] static std::int64_t read_clock();
  /// The same by a clock that never jumps, in nanoseconds.
  [[nodiscard]] std::int64_t now_ns() {
    if (now_ns_ == 0) now_ns_ = steady_clock_ns();
    return now_ns_;
  }
  /// Something begins that does not run together with what was before.
  void forget_time() { now_us_ = now_ns_ = 0; }
  /// The process has too much memory: gives back what can be. To be called on its thread.
  void relieve_memory() { router_.relieve_memory(); }
  /// There is something to be done at the end of this loop turn.
  void end_turn_later();
  /// Gives a message to another worker at the end of this loop turn.
  void send(unsigned to, worker_message message);
  /// The same; what it refers to takes so many bytes.
  void send(unsigned to, deliver_event message, std::size_t bytes);
  /// The same; statements of a session that have nothing to send, one after the other, are told together.
  void send_done(unsigned to, statement_done done);
  /// Users or rights have changed: sessions that have what they may not have any more end.
  void recheck_rights();

  /// Calls `act(session&)` for each.
  template <typename Do>
  void for_each_session(Do&& act) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (const std::shared_ptr<session> s = places_[i].occupant) act(*s);
    }
  }
  /// The session is closed; it is forgotten at the end of this loop turn, when nobody is looking at it any more.
  void ended(session& s, std::vector<unsigned> subscribed_workers);

  /// What is bound to what. Valid until the next call.
  [[nodiscard]] const binding_graph& bindings() { return bindings_.get(); }

 private:
  struct place {
    std::shared_ptr<session> occupant;
    std::uint32_t generation = 0;
  };
  struct ended_session {
    storage::subscriber_id id;
    std::vector<unsigned> subscribed_workers;
  };
  static constexpr std::size_t read_buffer_bytes = 64U << 10;
  static constexpr std::size_t bytes_sent_max = 16U << 20;

  void close_idle_sessions();
  void spin();
  void end_turn();
  void flush_sessions();
  template <typename Bytes, typename Sooner, typename End>
  void relieve(backlog_gauge& gauge, Bytes&& bytes_of, Sooner&& ends_sooner, End&& end);
  void forget_ended();
  void hand_over();
  void read_inbox();
  bool read_messages();

  unsigned index_;
  shared_state& shared_;
  worker_counters counters_;
  statement_watch watch_;
  // Before the context: handlers that are still pending when the context goes own connections, which use these.
  buffer_pool buffers_;
  tls_scratch tls_buffers_;
  http::connection_list http_connections_;
  std::unique_ptr<std::array<char, read_buffer_bytes>> read_buffer_;
  boost::asio::io_context context_{1};  // with locks: the listener makes sockets of it from its own thread
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running_;
  boost::asio::steady_timer idle_timer_;
  router router_;
  event_fan_out events_;
  history_sampler sampler_;

  binding_view bindings_{shared_.bindings};

  std::vector<place> places_;
  std::vector<std::uint32_t> free_places_;
  std::vector<session*> to_flush_;
  std::vector<session*> flushing_;  // scratch
  std::vector<ended_session> ended_;
  std::vector<std::vector<worker_message>> outboxes_;  // by worker
  std::size_t bytes_sent_ = 0;                         // of replies and events in them
  bool end_of_turn_is_due_ = false;
  bool ending_turn_ = false;       // and telling the others of the backlog comes next
  std::size_t takers_ = 0;         // how often sessions have taken statements in this loop turn
  std::size_t takers_before_ = 0;  // in the turn before
  bool finishing_ = false;
  backlog_gauge backlog_;
  backlog_gauge unread_replies_;
  slow_counts slow_;
  std::int64_t now_us_ = 0;  // 0: to be read
  std::int64_t now_ns_ = 0;  // 0: to be read
  double busy_seconds_ = 0;
  std::chrono::nanoseconds spun_{0};  // looking for work in vain

  std::mutex inbox_mutex_;
  std::vector<worker_message> inbox_;     // guarded by inbox_mutex_
  std::vector<worker_message> messages_;  // taken out of it
  std::size_t first_unread_ = 0;          // of them
};

}  // namespace pubsubsql::server
