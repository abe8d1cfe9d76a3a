#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <pubsubsql/error.hpp>
#include <pubsubsql/event.hpp>
#include <pubsubsql/options.hpp>
#include <pubsubsql/reply.hpp>

#include "client/message.hpp"
#include "client/statement_kind.hpp"
#include "client/subscription_book.hpp"
#include "parser/result.hpp"

namespace pubsubsql {

/// The client's side of the wire protocol without a wire: statements become bytes to send, and received bytes become
/// replies and events. No sockets, clocks or threads; used by one thread.
///
///     connected(); request("select * from t"); swap_output(buffer); send(buffer);
///     ... memcpy(prepare().data(), received, n); commit(n);
///     while (const auto got = next()) handle(*got);
class protocol {
 public:
  using outcome = result<reply, error>;

  /// A statement has its answer.
  struct finished {
    std::uint32_t id = 0;
    outcome answer;
  };

  /// An event came in; `dispatched` as given with the request that made its subscription.
  struct arrived {
    event what;
    bool dispatched = false;
  };

  /// What the peer sent is not the protocol: the connection must be closed.
  struct broken {
    std::string reason;
  };

  using incoming = std::variant<finished, arrived, stream_error, broken>;

  explicit protocol(const client_options& options) : options_(options) {}

  /// A new connection stands: drops the bytes of the one before.
  void connected();

  /// Asks for every subscription again, which the new connection does not have yet.
  void restore();

  /// The connection is gone: whatever waits for an answer gets `why`, except `close` and `stop`, which have succeeded.
  [[nodiscard]] std::vector<finished> disconnected(const error& why);

  /// Appends a statement to the output and returns its id. A `stream` statement is answered too, once the server has
  /// executed it. `dispatched` and `how` are for subscriptions. Errors: usage, limit. REQUIRES: connected.
  [[nodiscard]] result<std::uint32_t, error> request(std::string_view sql, bool dispatched = false) {
    return request(sql, dispatched, {.resume = options_.resume});
  }
  [[nodiscard]] result<std::uint32_t, error> request(std::string_view sql, bool dispatched,
                                                     const subscribe_options& how);

  /// Appends a statement as a `stream` statement: next() tells only of its failure.
  [[nodiscard]] result<std::uint32_t, error> stream(std::string_view sql);

  /// Nobody waits for this answer any more; it is dropped when it comes, and a subscription made by it is ended.
  void abandon(std::uint32_t id);

  [[nodiscard]] const std::string& output() const { return output_; }
  /// Trades the output for an emptied buffer, whose memory is used again.
  void swap_output(std::string& emptied) { output_.swap(emptied); }
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }

  /// Where the next received bytes go (never empty), and how many have been put there.
  [[nodiscard]] std::span<char> prepare();
  void commit(std::size_t bytes) { input_end_ += bytes; }

  /// The next thing in what was received, or nothing until more comes. After `broken` nothing more comes.
  [[nodiscard]] std::optional<incoming> next();

  [[nodiscard]] const subscription_book& book() const { return book_; }

  /// Forgets a subscription that the server has no longer. Unknown handles are ignored.
  void forget(subscription handle) { book_.remove(handle); }

 private:
  struct waiting {
    std::uint32_t id = 0;     // of the frame that is answered
    std::uint32_t asked = 0;  // what request() returned
    statement_kind kind = statement_kind::ordinary;
    std::string sql;                // of unsubscribe; the table's name when `restoring`
    subscription handle{};          // of subscribe
    bool with_position = false;     // of subscribe: not as it was given, for the server is asked for positions
    std::uint32_t streamed_id = 0;  // of streamed: the statement itself; `id` is the one that waits for it
    bool abandoned = false;
    bool restoring = false;  // asked by restore()
    bool resumed = false;    // of subscribe: it goes on where it was
    reply so_far;
    std::optional<error> failure;
  };

  [[nodiscard]] std::optional<error> refusal(std::string_view sql) const;
  std::uint32_t append_frame(std::string_view prefix, std::string_view sql);
  void ask_for(waiting& w);
  [[nodiscard]] bool ask_as_given(const message& refused);
  void ask_again(subscription handle);
  void end_on_server(std::string_view table, std::uint64_t pubsubid);

  [[nodiscard]] std::optional<incoming> take(std::uint32_t id, message&& m);
  [[nodiscard]] std::optional<incoming> take_event(message&& m);
  [[nodiscard]] std::optional<incoming> take_failure_out_of_turn(std::uint32_t id, const message& m);
  [[nodiscard]] std::optional<incoming> take_reply(message&& m);
  [[nodiscard]] std::optional<incoming> finish();
  [[nodiscard]] arrived told(const waiting& w, event_action action) const;
  [[nodiscard]] std::optional<incoming> finish_restoring(waiting&& w);
  void collect(waiting& w, message&& m) const;

  client_options options_;
  subscription_book book_;
  std::deque<waiting> pending_;  // in the order sent, which is the order of the answers
  std::uint32_t last_id_ = 0;
  std::string output_;
  std::string input_;  // bytes [input_begin_, input_end_) are received and not consumed
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  bool broken_ = false;
  std::optional<incoming> next_;  // comes behind what was given out
};

}  // namespace pubsubsql
