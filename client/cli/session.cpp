#include "client/cli/session.hpp"

#include <algorithm>

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

/// The session sees to it that a connection comes back: so it can tell when one is lost.
client_options without_reconnect(client_options options) {
  options.reconnect.automatic = false;
  return options;
}

}  // namespace

session::session(boost::asio::io_context& loop, const client_options& options, listener hears)
    : loop_(loop),
      hears_(std::move(hears)),
      reconnect_(options.reconnect),
      client_(loop.get_executor(), without_reconnect(options)),
      retry_timer_(loop) {}

std::optional<error> session::connect(const std::string& host, std::uint16_t port) {
  struct state {
    bool done = false;
    std::optional<error> failure;
  };
  comes_back_ = comes_back_ && host == host_ && port == port_;
  host_ = host;
  port_ = port;
  ++listening_;
  retry_timer_.cancel();
  lost_.reset();
  is_back_ = false;
  const auto s = std::make_shared<state>();
  client_.async_connect(host, port, [s](const std::exception_ptr& failure) {
    s->done = true;
    if (failure) s->failure = held_by(failure);
  });
  if (!wait([s] { return s->done; })) {
    hang_up();
    return error(errc::timeout, "connecting was interrupted");
  }
  if (s->failure) {
    try_again_later();
    return s->failure;
  }
  comes_back_ = reconnect_.automatic;
  retry_delay_ = {};
  listen();
  return std::nullopt;
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

/// Once the loss has been told.
void session::try_again_later() {
  if (!comes_back_) return;
  retry_delay_ = std::clamp(retry_delay_ * 2, reconnect_.first_delay, reconnect_.delay_max);
  retry_timer_.expires_after(retry_delay_);
  retry_timer_.async_wait([this, me = listening_](const boost::system::error_code& cancelled) {
    if (!cancelled && me == listening_ && comes_back_) try_again();
  });
}

void session::try_again() {
  client_.async_reconnect([this, me = listening_](const std::exception_ptr& failure) {
    if (me != listening_) return;
    if (!failure) {
      retry_delay_ = {};
      is_back_ = true;
      return listen();
    }
    error why = held_by(failure);
    if (why.code() != errc::refused) return try_again_later();
    stay_away();
    lost_ = std::move(why);
  });
}

bool session::show_event() {
  if (std::exchange(is_back_, false)) {
    hears_.on_back();
    return true;
  }
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
    try_again_later();
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
