#include <algorithm>
#include <unordered_map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <pubsubsql/client.hpp>

#include "client/connection.hpp"
#include "client/statement_kind.hpp"

namespace pubsubsql {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A connection, the loop that moves it, and waiting for one thing at a time by running that loop.
class client::impl {
 public:
  explicit impl(const client_options& options)
      : options_(options), connection_(std::make_shared<connection>(loop_.get_executor(), options)) {}

  ~impl() {
    try {
      connection_->close();
      loop_.restart();
      loop_.poll();  // lets aborted operations let go of the connection
    } catch (...) {  // NOLINT: out of memory while tidying up; the loop's own end frees what is left
    }
  }

  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  [[nodiscard]] connection& net() { return *connection_; }

  void connect(const std::string& host, std::uint16_t port) {
    std::optional<std::optional<error>> outcome;
    connection_->connect(host, port, [&](std::optional<error> failure) { outcome = std::move(failure); });
    run_until([&] { return outcome.has_value(); });
    if (*outcome) throw **outcome;
    connected_once_ = true;
  }

  void reconnect() {
    if (!connected_once_) throw error(errc::usage, "nothing to reconnect to; call connect() first");
    std::optional<std::optional<error>> outcome;
    connection_->reconnect([&](std::optional<error> failure) { outcome = std::move(failure); });
    run_until([&] { return outcome.has_value(); });
    if (*outcome) throw **outcome;
  }

  protocol::outcome execute(std::string_view sql, bool dispatched,
                            const std::optional<subscribe_options>& how = std::nullopt) {
    ensure_connected();
    refuse_when_events_full();
    return wait_for(
        [&](connection::reply_handler done) { return connection_->execute(sql, dispatched, std::move(done), how); });
  }

  protocol::outcome unsubscribe(subscription handle) {
    callbacks_.erase(handle);
    return wait_for([&](connection::reply_handler done) { return connection_->unsubscribe(handle, std::move(done)); });
  }

  void execute_window(std::span<const std::string> statements, std::vector<answer>& out) {
    ensure_connected();
    refuse_when_events_full();
    const std::size_t first = out.size();
    std::size_t open = statements.size();
    std::vector<std::uint32_t> ids;
    out.resize(first + statements.size());
    for (std::size_t i = 0; i < statements.size(); ++i) {
      ids.push_back(connection_->execute(statements[i], false, [&, i](protocol::outcome got) {
        answer& a = out[first + i];
        if (got) a.value = std::move(*got);
        if (!got) a.failure = got.error();
        --open;
      }));
    }
    run_until([&] { return open == 0 || connection_->events_full(); });
    if (open == 0) return;
    for (const std::uint32_t id : ids) connection_->abandon(id);
    receive_ready();  // a handler posted already refers to `out`
    refuse_when_events_full();
  }

  std::uint32_t stream(std::string_view sql) {
    ensure_connected();
    const auto sent = connection_->stream(sql);
    if (!sent) throw sent.error();
    if (!connection_->has_room()) wait_for_room();
    return *sent;
  }

  subscription subscribe(std::string_view sql, callback on_event, const std::optional<subscribe_options>& how) {
    if (kind_of(sql) != statement_kind::subscribe) throw error(errc::usage, "subscribe() is for subscribe statements");
    const auto got = execute(sql, on_event != nullptr, how);
    if (!got) throw got.error();
    if (on_event) callbacks_[got->subscription()] = std::move(on_event);
    return got->subscription();
  }

  /// Calls the callbacks of what has come in.
  std::size_t dispatch() {
    std::size_t count = 0;
    while (auto e = connection_->take_event(true)) {
      const auto found = callbacks_.find(e->subscription);
      if (found == callbacks_.end()) continue;
      const callback keep = found->second;  // the callback may end its own subscription
      keep(*e);
      if (e->action == event_action::ended) callbacks_.erase(e->subscription);
      ++count;
    }
    return count;
  }

  std::optional<event> take_pulled() {
    while (auto e = connection_->take_event(false)) {
      const bool ended = e->subscription != subscription::none && !connection_->knows(e->subscription);
      if (!ended || e->action == event_action::ended) return e;
    }
    return std::nullopt;
  }

  void receive_ready() {
    loop_.restart();
    loop_.poll();
  }

  /// Waits for anything to happen on the connection.
  void receive_until(clock::time_point deadline) {
    loop_.restart();
    loop_.run_one_until(deadline);
    loop_.poll();
  }

  void require_connection() {
    if (!connection_->connected() && !connection_->reconnecting()) throw connection_->why_disconnected();
  }

  void refuse_when_events_full() {
    if (connection_->events_full()) {
      throw error(errc::limit, "too many events wait to be taken (event_bytes_max is " +
                                   std::to_string(options_.event_bytes_max) +
                                   "); take them with next_event(), or poll() when they have a callback");
    }
  }

  /// An automatic reconnect gets the time of one reply to succeed.
  void ensure_connected() {
    if (connection_->connected()) return;
    const auto deadline = clock::now() + options_.reply_timeout;
    while (!connection_->connected() && connection_->reconnecting() && clock::now() < deadline) receive_until(deadline);
    if (!connection_->connected()) throw connection_->why_disconnected();
  }

 private:
  template <typename Start>
  protocol::outcome wait_for(Start start) {
    std::optional<protocol::outcome> outcome;
    const std::uint32_t id = start([&](protocol::outcome got) { outcome.emplace(std::move(got)); });
    run_until([&] { return outcome.has_value() || connection_->events_full(); });
    if (outcome) return std::move(*outcome);
    connection_->abandon(id);
    receive_ready();  // a handler posted already refers to `outcome`
    if (outcome) return std::move(*outcome);
    refuse_when_events_full();
    return connection_->why_disconnected();
  }

  void wait_for_room() {
    std::optional<std::optional<error>> outcome;
    connection_->when_room([&](std::optional<error> failure) { outcome = std::move(failure); });
    run_until([&] { return outcome.has_value() || connection_->events_full(); });
    connection_->forget_room();
    receive_ready();  // a handler posted already refers to `outcome`
    if (!outcome) refuse_when_events_full();
    if (outcome && *outcome) throw **outcome;
  }

  template <typename Condition>
  void run_until(Condition condition) {
    loop_.restart();
    while (!condition() && loop_.run_one() > 0) {
    }
  }

  client_options options_;
  boost::asio::io_context loop_{1};
  std::shared_ptr<connection> connection_;
  std::unordered_map<subscription, callback> callbacks_;
  bool connected_once_ = false;
};

client::client(const client_options& options) : impl_(std::make_unique<impl>(options)) {}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

void client::connect(const std::string& host, std::uint16_t port) {
  impl_->connect(host, port);
}
void client::reconnect() {
  impl_->reconnect();
}
bool client::connected() const {
  return impl_->net().connected();
}
void client::close() {
  impl_->net().close();
}

reply client::execute(std::string_view sql) {
  auto got = impl_->execute(sql, false);
  if (!got) throw got.error();
  return std::move(*got);
}

std::vector<client::answer> client::execute_many(std::span<const std::string> statements) {
  constexpr std::size_t window = 1000;  // bounds the memory of requests and replies under way, and hides the latency
  std::vector<answer> answers;
  answers.reserve(statements.size());
  while (!statements.empty()) {
    const auto part = statements.first(std::min(window, statements.size()));
    impl_->execute_window(part, answers);
    statements = statements.subspan(part.size());
  }
  return answers;
}

std::uint32_t client::stream(std::string_view sql) {
  return impl_->stream(sql);
}

void client::flush() {
  impl_->ensure_connected();
  impl_->net().flush();
  impl_->receive_ready();
}

std::vector<stream_error> client::drain() {
  execute("status");
  return impl_->net().take_stream_errors();
}

subscription client::subscribe(std::string_view sql, callback on_event) {
  return impl_->subscribe(sql, std::move(on_event), std::nullopt);
}

subscription client::subscribe(std::string_view sql) {
  return impl_->subscribe(sql, nullptr, std::nullopt);
}

subscription client::subscribe(std::string_view sql, callback on_event, const subscribe_options& how) {
  return impl_->subscribe(sql, std::move(on_event), how);
}

void client::unsubscribe(subscription handle) {
  const auto got = impl_->unsubscribe(handle);
  if (!got) throw got.error();
}

std::optional<event> client::next_event(milliseconds timeout) {
  const auto deadline = clock::now() + timeout;
  impl_->receive_ready();
  for (;;) {
    impl_->dispatch();
    if (auto e = impl_->take_pulled()) return e;
    impl_->require_connection();
    if (clock::now() >= deadline) return std::nullopt;
    impl_->receive_until(deadline);
  }
}

std::size_t client::poll() {
  impl_->receive_ready();
  const std::size_t count = impl_->dispatch();
  if (count == 0) impl_->require_connection();
  return count;
}

std::size_t client::run(milliseconds timeout) {
  const auto deadline = clock::now() + timeout;
  std::size_t count = 0;
  impl_->receive_ready();
  for (;;) {
    count += impl_->dispatch();
    impl_->require_connection();
    impl_->refuse_when_events_full();
    if (clock::now() >= deadline) return count;
    impl_->receive_until(deadline);
  }
}

}  // namespace pubsubsql
