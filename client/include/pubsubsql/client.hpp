#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pubsubsql/error.hpp>
#include <pubsubsql/event.hpp>
#include <pubsubsql/options.hpp>
#include <pubsubsql/parameter.hpp>
#include <pubsubsql/reply.hpp>

namespace pubsubsql {

/// A blocking connection to a PubSubSQL server.
///
///     pubsubsql::client db;
///     db.connect("localhost");
///     db.execute("insert into stocks (ticker, price) values (IBM, 120.5)");
///     for (auto row : db.execute("select * from stocks")) std::cout << row["ticker"] << ' ' << row["price"] << '\n';
///
/// Every function throws pubsubsql::error and nothing else of its own. A refused statement leaves the client as usable
/// as before.
///
/// One thread at a time: guard a client that several threads use, or give each its own. There is no thread behind it:
/// events are received, callbacks called and lost connections made anew inside the calls below, never between them.
///
/// Events come to a subscription's callback when it has one, by poll(), run() and next_event(); without a callback
/// they are what next_event() returns. The order of one subscription's events is the order of the changes.
class client {
 public:
  using callback = std::function<void(const event&)>;

  explicit client(const client_options& options = {});
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;
  ~client();  ///< hangs up

  /// Connects, ending an earlier connection. Subscriptions made before are made again; see event_action::resync and
  /// subscribe_options::resume.
  void connect(const std::string& host, std::uint16_t port = default_port);

  /// Connects to the same address again.
  void reconnect();
  [[nodiscard]] bool connected() const;

  /// Hangs up. Events that have been received can still be taken.
  void close();

  /// Sends one statement and waits for its answer.
  reply execute(std::string_view sql);

  /// The same with values for its `?`: numbers, texts, bools, nullptr, std::optional of them.
  ///
  ///     db.execute("insert into stocks (ticker, price) values (?, ?)", ticker, 120.5);
  template <typename... Values>
  requires(sizeof...(Values) > 0) reply execute(std::string_view sql, const Values&... values) {
    return execute(with_values(sql, values...));
  }

  /// What became of one of several statements: its reply, or why there is none.
  struct answer {
    reply value;
    std::optional<error> failure;
  };

  /// Sends the statements without waiting in between, which is many times faster than one by one; they are executed in
  /// their order, and a refused one does not stop those after it. One answer for each.
  std::vector<answer> execute_many(std::span<const std::string> statements);

  /// Sends a statement whose success nobody waits for, as `stream <sql>`; for loading many rows. Gathers statements to
  /// send them together: flush() sends what is left. Waits when the server is slower. Returns a number that
  /// names the statement among the errors.
  std::uint32_t stream(std::string_view sql);
  template <typename... Values>
  requires(sizeof...(Values) > 0) std::uint32_t stream(std::string_view sql, const Values&... values) {
    return stream(with_values(sql, values...));
  }
  void flush();

  /// Sends what is left, waits until everything streamed has been executed, and tells which statements were refused
  /// (the first 10,000 of them) since the last drain().
  std::vector<stream_error> drain();

  /// Sends a subscribe statement. The handle stays the same over reconnects.
  /// A callback may use this client. What it throws comes out of the call that called it. with_values() gives the
  /// statement values for its `?`.
  subscription subscribe(std::string_view sql, callback on_event);
  subscription subscribe(std::string_view sql);

  /// The same, said how it begins and goes on after a reconnect; without a callback when that is nullptr.
  subscription subscribe(std::string_view sql, callback on_event, const subscribe_options& how);

  /// No event of it comes after this, also none that had been received before.
  void unsubscribe(subscription handle);

  /// The next event of a subscription without a callback; nothing when none came within the timeout. Zero: only what is
  /// there already.
  std::optional<event> next_event(std::chrono::milliseconds timeout);

  /// Calls callbacks for the events that are there already, and returns how many.
  std::size_t poll();

  /// Calls callbacks as events come, until the time is over; returns how many.
  std::size_t run(std::chrono::milliseconds timeout);

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace pubsubsql
