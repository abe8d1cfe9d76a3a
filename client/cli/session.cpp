#include "client/cli/session.hpp"

namespace pubsubsql::cli {
namespace {

/// A handler's failure as the error that it holds.
error held_by(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    return e;
  }
}

}  // namespace

session::session(boost::asio::io_context& loop, const client_options& options, listener hears)
    : loop_(loop), hears_(std::move(hears)), client_(loop.get_executor(), options) {}

std::optional<error> session::connect(const std::string& host, std::uint16_t port) {
  struct state {
    bool done = false;
    std::optional<error> failure;
  };
  host_ = host;
  port_ = port;
  ++listening_;
  const auto s = std::make_shared<state>();
  client_.async_connect(host, port, [s](const std::exception_ptr& failure) {
    s->done = true;
    if (failure) s->failure = held_by(failure);
  });
  if (!wait([s] { return s->done; })) {
    client_.close();
    return error(errc::timeout, "connecting was interrupted");
  }
  if (!s->failure) listen();
  return s->failure;
}

void session::listen() {
  client_.async_next_event([this, me = ++listening_](const std::exception_ptr& failure, event e) {
    if (me != listening_) return;
    if (failure) {
      lost_ = held_by(failure);
    } else {
      event_ = std::move(e);
    }
  });
}

bool session::show_event() {
  if (event_) {
    const event shown = std::move(*event_);
    event_.reset();
    listen();
    hears_.on_event(shown);
    return true;
  }
  if (lost_) {
    const error shown = *lost_;
    lost_.reset();
    hears_.on_lost(shown);
    return true;
  }
  return false;
}

void session::show_pending() {
  do {
    loop_.restart();
    loop_.poll();
  } while (show_event());
}

void session::start(std::string_view sql, std::function<void(outcome)> done) {
  client_.async_execute(sql, [done = std::move(done)](const std::exception_ptr& failure, reply r) {
    done(failure ? outcome(held_by(failure)) : outcome(std::move(r)));
  });
}

session::outcome session::execute(std::string_view sql) {
  const auto answer = std::make_shared<std::optional<outcome>>();
  start(sql, [answer](outcome got) { answer->emplace(std::move(got)); });
  if (wait([answer] { return answer->has_value(); })) return std::move(**answer);
  return error(errc::timeout, "interrupted; the statement may still be executed");
}

bool session::wait(const std::function<bool()>& condition, std::optional<clock::time_point> deadline) {
  for (;;) {
    if (condition()) return true;
    if (take_interrupt()) return false;
    if (show_event()) continue;
    loop_.restart();
    if (!deadline) {
      loop_.run_one();
    } else if (clock::now() < *deadline) {
      loop_.run_one_until(*deadline);
    } else {
      return false;
    }
  }
}

bool session::wait_quietly(const std::function<bool()>& condition, clock::time_point deadline) {
  while (!condition()) {
    if (clock::now() >= deadline) return false;
    loop_.restart();
    loop_.run_one_until(deadline);
  }
  return true;
}

void session::interrupt() {
  interrupted_ = true;
}

}  // namespace pubsubsql::cli
