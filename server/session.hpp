#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_set.h>
#include <boost/asio/steady_timer.hpp>

#include "parser/request_reader.hpp"
#include "server/access_gate.hpp"
#include "server/client_request.hpp"
#include "server/connection_output.hpp"
#include "server/counted_connection.hpp"
#include "server/event_quota.hpp"
#include "server/metrics/statement_watch.hpp"
#include "server/prepared_statements.hpp"
#include "server/reply_slots.hpp"
#include "server/server_sample.hpp"
#include "server/slow_subscriptions.hpp"
#include "server/subscriber.hpp"
#include "server/table_locks.hpp"
#include "server/transport.hpp"

namespace pubsubsql::server {

class worker;

/// One client connection: bytes in to statements, replies and events out to bytes.
///
/// Belongs to one worker and is used by its thread only. Kept alive by the worker's table of sessions and by its own
/// pending operations. An idle session holds neither an input nor an output buffer: it waits until the socket is
/// readable, and reads into a buffer that the worker's sessions share.
///
/// A session ends in steps: `open` until the client is gone, has said `close`, or must go; `finishing` while it still
/// owes replies; `draining` after it sent its last and lets the client see that before the socket goes; `closed`.
class session : public std::enable_shared_from_this<session> {
 public:
  /// `who`: the client, where it is known already.
  session(worker& w, transport t, counted_connection connection, session_identity who = {});
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session();

  /// Begins to read. `me` is how the engine knows this session.
  void start(const subscriber& me);

  /// Whether it has done what must come before its first statement: the TLS handshake, when there is one, and
  /// authentication, when there are users. Until then its time is limited.
  [[nodiscard]] bool is_admitted() const;
  /// Something of that has been done.
  void admitted();
  /// From here on the client's time to be admitted runs, unless it does so already; while the server looks at what the
  /// client says of itself, it does not.
  void limit_admission();
  void pause_admission();

  /// What a client that is not served is told, once, and why, for the log.
  struct refusal {
    std::string_view message;
    std::string_view reason;
  };

  [[nodiscard]] storage::subscriber_id id() const { return me_.id(); }
  /// Of the client, as logs show it.
  [[nodiscard]] const std::string& address() const { return connection_.address(); }
  [[nodiscard]] parser::wire_mode mode() const { return reader_.mode(); }
  /// Whether it lasts for a request only: each statement has one answer, and there is nobody to have events.
  [[nodiscard]] bool is_momentary() const { return is_momentary_; }

  // For the router

  /// Answers at once: appends what `encode(std::string&)` writes to the replies, in its turn.
  template <typename Encode>
  void reply(Encode&& encode, std::uint64_t pubsubid = 0) {
    if (events_are_due) take_due_events();
    if (slots_.empty()) {
      std::string& out = output_.replies();
      const std::size_t start = out.size();
      encode(out);
      note_answer(std::string_view(out).substr(start));
    } else {
      reply_slots::slot* s = slots_.find(slots_.open(pubsubid));
      std::string bytes;
      encode(bytes);
      note_answer(bytes);
      slots_.fill(*s, std::move(bytes));
    }
    wants_flush();
  }

  /// Opens a slot for a reply that comes later.
  [[nodiscard]] std::uint64_t await_reply(std::uint64_t pubsubid = 0) { return mark(slots_.open(pubsubid)); }

  /// The same, and takes no further statement until the reply has come: they may depend on it.
  [[nodiscard]] std::uint64_t await_reply_alone() { return alone_ = mark(slots_.open()); }

  /// The reply for a slot has come.
  void complete(std::uint64_t slot, std::string bytes);

  /// An event for a subscription of this session.
  void deliver(const encoded_event& e, std::uint64_t pubsubid);

  /// Remembers that a worker may hold subscriptions of this session, and counts those there may be.
  void subscribed(unsigned worker);
  /// Remembers that a worker may have leases of this session, or pops that wait for some.
  void leases_at(unsigned worker);
  [[nodiscard]] bool may_subscribe() const;
  [[nodiscard]] bool has_subscriptions() const { return subscriptions_ > 0; }
  /// These have ended, or were counted and not made.
  void unsubscribed(std::span<const std::uint64_t> ended);
  /// One has ended otherwise than by its own word: it was dropped, or another connection has it now. Tells the client.
  void end_subscription(std::uint64_t pubsubid, bool dropped);
  /// A subscription that is being made does not end the connection when that is slow.
  void bear(std::uint64_t pubsubid, const slow_subscriptions::subscription& s);
  /// The events of a subscription that is being made say their positions.
  void tell_positions(std::uint64_t pubsubid);
  /// The rows of a subscription that left events out have come, as `add` events, and lead to a position; nothing: it
  /// shows too much.
  void go_on(std::uint64_t pubsubid, const std::optional<std::string>& first_rows, std::uint64_t position);

  /// Takes no more statements; closes when everything due has been sent. `why` is for the log, and for WebSockets.
  void finish(std::string_view why, close_code code = close_code::done);

  // For the worker

  /// Writes what there is; once at the end of each loop turn in which there was something. What its own statements came
  /// to is written as soon as they are taken, so that a lone client does not wait for the end of a turn.
  void flush();

  /// Called several times within the idle timeout: a session that was found without input, subscriptions and anything
  /// under way more than `looks_max` times in a row finishes.
  void note_idleness(unsigned looks_max);

  /// Bytes of events that wait for it, as told to the worker's gauge last.
  [[nodiscard]] std::size_t backlog_bytes() const { return backlog_bytes_; }
  /// Bytes of replies that it has not read, as told to the worker's gauge last.
  [[nodiscard]] std::size_t reply_bytes() const { return reply_bytes_; }
  /// When some of what waits was taken last.
  [[nodiscard]] std::int64_t last_read_us() const { return last_read_us_; }
  /// Closes as one that does not read its replies.
  void end_as_unread();
  /// A subscription of it has ended, and events of it are missing.
  void end_as_costly(const storage::costly_subscription& c);
  /// Events of one of its subscriptions have not come this far.
  void miss(const lost_events& l);
  /// Closes as too slow a subscriber.
  void end_as_slow(std::string_view why) { close(why, close_code::refused, true); }

  // For listings

  /// Whether it is a connection of its own, and not merely being told why it is turned away.
  [[nodiscard]] bool is_connection() const {
    return connection_.admitted() == admission::served && stage_ != stage::closed && !transport_.is_momentary();
  }
  [[nodiscard]] protocol talks() const;
  [[nodiscard]] bool is_encrypted() const { return transport_.is_encrypted(); }

  [[nodiscard]] const connection_output& output() const { return output_; }
  /// nullptr: it has none.
  [[nodiscard]] slow_subscriptions* slow() const { return slow_.get(); }

  /// Closes at once, whatever is due.
  void abort(std::string_view why, close_code code);
  /// Is counted as a connection no more. REQUIRES: it is closed.
  void release_count() { connection_.release(); }

  /// Who its client is.
  session_identity identity;

  /// What it has prepared; nullptr: nothing yet.
  std::unique_ptr<prepared_statements> prepared;

  /// Its transaction; none: it has none.
  transaction_id transaction{};

  /// Whether the worker has it on its list of sessions to flush.
  bool flush_is_due = false;

  /// Whether events for it wait in the worker's fan-out: they come before whatever else is appended.
  bool events_are_due = false;

 private:
  enum class stage : std::uint8_t { open, finishing, draining, closed };

  void await_readable();
  void wait_for_memory();
  void on_readable(const boost::system::error_code& error);
  void on_read_problem(const boost::system::error_code& problem);
  void on_end_of_stream();
  void take_statements();
  [[nodiscard]] std::size_t look_ahead();
  void take_last_statement();
  void refuse_discarded(const parser::request& r);
  void refuse_input(parser::request_reader::outcome outcome, const parser::request& r);
  void run(const parser::request& r);
  void run_json(const parser::request& r);
  /// Its text stays until this returns.
  void run_counted(const parser::request& r, request_origin how);
  [[nodiscard]] bool may_take_statements() const;
  void take_due_events();
  // Statements are counted and timed

  void note_answer(std::string_view reply);
  [[nodiscard]] std::uint64_t mark(std::uint64_t slot);
  [[nodiscard]] statement_watch::answer answer_of(std::string_view reply) const;
  void report(const statement_watch::slow_statement& slow);

  // Before the first statement

  /// What the first bytes are. Returns how many bytes of statements `buffer` has then.
  [[nodiscard]] std::size_t admit(std::span<char> buffer, std::size_t bytes, boost::system::error_code& problem);
  void admit_plain();
  [[nodiscard]] std::size_t begin_tls(std::span<char> buffer, std::size_t bytes, boost::system::error_code& problem);
  void secured();
  void end_broken_tls();
  void refuse(const parser::request& r);

  void await_writable();
  void on_write_error(const boost::system::error_code& error);
  void after_write();
  void wants_flush();
  bool move_done_slots();
  void release_done_slots();
  void note_worker(unsigned worker);
  void count_ended(std::uint64_t subscriptions);
  void write_large();
  void check_backlog();
  void write_out();

  /// What the message of an event says of its position; 0: nothing.
  [[nodiscard]] std::uint64_t position_to_tell(const encoded_event& e, std::uint64_t pubsubid) const {
    return positioned_ != nullptr && positioned_->contains(pubsubid) ? e.sequence : 0;
  }

  // session_slow.cpp
  void deliver(slow_subscriptions::subscription& s, const encoded_event& e, std::uint64_t pubsubid);
  [[nodiscard]] bool refill();
  // What has not been written yet, or cannot be as a reply before it is missing.
  [[nodiscard]] std::size_t waiting_reply_bytes() const;
  [[nodiscard]] std::size_t waiting_event_bytes() const;
  void account_backlog();
  void resume_dropped();

  // session_end.cpp
  void begin_draining();
  void on_drainable(const boost::system::error_code& error);
  void set_deadline(std::chrono::milliseconds after);
  void close(std::string_view why, close_code code = close_code::done, bool slow = false);
  void log_end(std::string_view why) const;

  worker& worker_;
  transport transport_;
  counted_connection connection_;
  subscriber me_;
  parser::request_reader reader_;
  connection_output output_;
  reply_slots slots_;
  std::size_t window_;  // how many slots may be open: grows while replies are small, shrinks while they are large
  std::unique_ptr<boost::asio::steady_timer> deadline_;  // of being admitted, of being turned away, of draining
  std::string_view end_reason_ = "client closed the connection";
  close_code end_code_ = close_code::done;
  const refusal* refusal_ = nullptr;  // nullptr: it is served
  stage stage_ = stage::open;
  const bool is_momentary_;
  bool secured_;                 // it has told that it talks without TLS, or has finished the handshake
  bool misread_ = false;         // its input could not be followed, so more of it may be on the way
  std::uint8_t idle_looks_ = 0;  // how often it has been found idle in a row
  bool end_of_stream_ = false;   // the client sends nothing more
  bool taking_ = false;          // statements are being taken, and a flush comes after them
  bool stalled_ = false;         // statements are held back until replies have left
  bool reading_ = false;         // an await_readable is pending
  bool writing_ = false;         // an await_writable is pending

  std::unique_ptr<slow_subscriptions> slow_;  // nullptr: every subscription ends it when it is slow
  std::unique_ptr<absl::flat_hash_set<std::uint64_t>> positioned_;  // subscriptions that tell positions; nullptr: none
  std::size_t backlog_bytes_ = 0;                                   // as the worker's gauge knows it
  std::size_t reply_bytes_ = 0;                                     // as the worker's gauge of replies knows it

  std::uint64_t alone_ = 0;  // the slot without whose reply no statement is taken; 0: none
  std::uint64_t subscriptions_ = 0;
  std::vector<unsigned> subscribed_workers_;  // those with leases among them
  bool leases_ = false;                       // it has popped rows of queues
  std::uint64_t statements_ = 0;
  std::size_t request_bytes_ = 0;  // of the statement that is run
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t bytes_out_before_ = 0;  // when it was last looked at for idleness
  std::uint64_t bytes_out_seen_ = 0;    // at last_read_us_
  std::int64_t last_read_us_ = 0;       // of replies that did not go at once
  std::uint64_t drained_bytes_ = 0;
};

}  // namespace pubsubsql::server
