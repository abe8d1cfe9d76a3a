#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/version.hpp>
#include <pubsubsql/error.hpp>
#include <pubsubsql/event.hpp>
#include <pubsubsql/handler.hpp>
#include <pubsubsql/options.hpp>
#include <pubsubsql/parameter.hpp>
#include <pubsubsql/reply.hpp>

namespace pubsubsql {

class connection;

namespace detail {

/// What async_client's templates call; compiled once, in the library.
class async_core {
 public:
  template <typename... Results>
  using completion = handler<std::exception_ptr, Results...>;

  /// Throws error (usage) when the caller was compiled with another Boost than the library.
  async_core(boost::asio::any_io_executor executor, const client_options& options, int boost_version);
  ~async_core();
  async_core(const async_core&) = delete;
  async_core& operator=(const async_core&) = delete;

  void connect(std::string host, std::uint16_t port, completion<> done);
  void reconnect(completion<> done);
  void execute(std::string_view sql, completion<reply> done);
  void subscribe(std::string_view sql, const std::optional<subscribe_options>& how, completion<subscription> done);
  void unsubscribe(subscription handle, completion<> done);
  void next_event(completion<event> done);
  void room(completion<> done);
  void drain(completion<std::vector<stream_error>> done);
  std::uint32_t stream(std::string_view sql);
  void flush();
  void close();
  [[nodiscard]] bool connected() const;
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] const boost::asio::any_io_executor& executor() const { return executor_; }

 private:
  boost::asio::any_io_executor executor_;
  std::shared_ptr<connection> connection_;
  bool connect_called_ = false;
};

/// A handler that is completed on its own executor, which has work to wait for until then.
template <typename Handler>
class on_its_executor {
 public:
  on_its_executor(Handler handler, const boost::asio::any_io_executor& fallback)
      : work_(boost::asio::get_associated_executor(handler, fallback)), handler_(std::move(handler)) {}

  template <typename... Args>
  void operator()(Args... args) {
    boost::asio::dispatch(work_.get_executor(),
                          [h = std::move(handler_), a = std::make_tuple(std::move(args)...)]() mutable {
                            std::apply([&h](auto&... each) { std::move(h)(std::move(each)...); }, a);
                          });
    work_.reset();
  }

 private:
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>> work_;
  Handler handler_;
};

}  // namespace detail

/// A connection to a PubSubSQL server for programs built on Boost.Asio.
///
///     asio::awaitable<void> load(pubsubsql::async_client& db) {
///       co_await db.async_connect("localhost", 7777, asio::use_awaitable);
///       auto stocks = co_await db.async_execute("select * from stocks", asio::use_awaitable);
///       for (auto row : stocks) std::cout << row["ticker"] << '\n';
///     }
///
/// The last argument of every async_ function is a completion token: a callback, use_awaitable, use_future... A failure
/// is a std::exception_ptr that holds a pubsubsql::error, so a coroutine catches the same exception as the synchronous
/// client throws. Statements may be started without waiting for those before: they are executed, and complete, in
/// their order.
///
/// Use it, and let it be destroyed, on its executor, by one thread at a time (a strand, where several threads run the
/// io_context). Destroying it hangs up; what is pending then fails with connection_lost. Compile with the same Boost
/// version as the library.
class async_client {
 public:
  using executor_type = boost::asio::any_io_executor;

  explicit async_client(executor_type executor, const client_options& options = {})
      : core_(std::make_unique<detail::async_core>(std::move(executor), options, BOOST_VERSION)) {}

  [[nodiscard]] executor_type get_executor() const { return core_->executor(); }
  [[nodiscard]] bool connected() const { return core_->connected(); }
  void close() { core_->close(); }

  /// void(exception_ptr). Ends an earlier connection; subscriptions made before are made again (event_action::resync),
  /// or go on where they were (subscribe_options::resume).
  template <typename Token>
  auto async_connect(std::string host, std::uint16_t port, Token&& token) {
    return start<void(std::exception_ptr)>(
        [core = core_.get(), host = std::move(host), port](auto done) mutable {
          core->connect(std::move(host), port, std::move(done));
        },
        token);
  }

  /// void(exception_ptr). To the same address again.
  template <typename Token>
  auto async_reconnect(Token&& token) {
    return start<void(std::exception_ptr)>([core = core_.get()](auto done) { core->reconnect(std::move(done)); },
                                           token);
  }

  /// void(exception_ptr, reply). with_values() gives a statement values for its `?`, here and below.
  template <typename Token>
  auto async_execute(std::string_view sql, Token&& token) {
    return start<void(std::exception_ptr, reply)>(
        [core = core_.get(), sql = std::string(sql)](auto done) { core->execute(sql, std::move(done)); }, token);
  }

  /// void(exception_ptr, subscription). The events come out of async_next_event().
  template <typename Token>
  auto async_subscribe(std::string_view sql, Token&& token) {
    return start<void(std::exception_ptr, subscription)>(
        [core = core_.get(), sql = std::string(sql)](auto done) {
          core->subscribe(sql, std::nullopt, std::move(done));
        },
        token);
  }

  /// The same, said how it begins and goes on after a reconnect.
  template <typename Token>
  auto async_subscribe(std::string_view sql, const subscribe_options& how, Token&& token) {
    return start<void(std::exception_ptr, subscription)>(
        [core = core_.get(), sql = std::string(sql), how](auto done) { core->subscribe(sql, how, std::move(done)); },
        token);
  }

  /// void(exception_ptr).
  template <typename Token>
  auto async_unsubscribe(subscription handle, Token&& token) {
    return start<void(std::exception_ptr)>(
        [core = core_.get(), handle](auto done) { core->unsubscribe(handle, std::move(done)); }, token);
  }

  /// void(exception_ptr, event). The next event of any subscription; one wait at a time. Fails with connection_lost
  /// once the events received before have been taken, unless the connection is being made anew automatically.
  template <typename Token>
  auto async_next_event(Token&& token) {
    return start<void(std::exception_ptr, event)>(
        [core = core_.get()](auto done) { core->next_event(std::move(done)); }, token);
  }

  /// Sends a statement whose success nobody waits for and returns a number that names it among the errors. Throws
  /// error. Keep to the pace of the server: after each, `if (!db.has_room()) co_await db.async_wait_room(...)`.
  std::uint32_t stream(std::string_view sql) { return core_->stream(sql); }
  void flush() { core_->flush(); }
  [[nodiscard]] bool has_room() const { return core_->has_room(); }

  /// void(exception_ptr). One wait at a time.
  template <typename Token>
  auto async_wait_room(Token&& token) {
    return start<void(std::exception_ptr)>([core = core_.get()](auto done) { core->room(std::move(done)); }, token);
  }

  /// void(exception_ptr, std::vector<stream_error>). Waits until everything streamed has been executed; tells what was
  /// refused (the first 10,000) since the last drain.
  template <typename Token>
  auto async_drain(Token&& token) {
    return start<void(std::exception_ptr, std::vector<stream_error>)>(
        [core = core_.get()](auto done) { core->drain(std::move(done)); }, token);
  }

 private:
  template <typename Signature, typename Begin, typename Token>
  auto start(Begin begin, Token& token) {
    return boost::asio::async_initiate<Token, Signature>(
        [executor = core_->executor()](auto handler, Begin b) {
          b(detail::on_its_executor<decltype(handler)>(std::move(handler), executor));
        },
        token, std::move(begin));
  }

  std::unique_ptr<detail::async_core> core_;
};

}  // namespace pubsubsql
