#include "client/connection.hpp"

#include <algorithm>

#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "parser/print.hpp"

namespace pubsubsql {

namespace asio = boost::asio;
using boost::system::error_code;

connection::connection(asio::any_io_executor executor, const client_options& options)
    : options_(options),
      protocol_(options),
      executor_(std::move(executor)),
      resolver_(executor_),
      connect_timer_(executor_),
      reply_timer_(executor_) {}

// --- connecting ---

void connection::connect(std::string host, std::uint16_t port, done_handler done) {
  close();
  host_ = std::move(host);
  port_ = port;
  connect_done_ = std::move(done);
  open();
}

void connection::open() {
  state_ = state::connecting;
  const auto attempt = ++attempt_;
  channel_ = std::make_shared<channel>(executor_);
  if (options_.tls.mode != tls_mode::off) {
    if (auto problem = channel_->use_tls(options_.tls, host_)) {
      asio::post(executor_, [self = shared_from_this(), attempt, p = std::move(*problem)] {
        if (attempt == self->attempt_) self->opened(p);
      });
      return;
    }
  }
  if (options_.connect_timeout.count() > 0) {
    connect_timer_.expires_after(options_.connect_timeout);
    connect_timer_.async_wait([self = shared_from_this(), attempt](error_code failure) {
      if (failure || attempt != self->attempt_ || self->connected()) return;
      self->opened(error(errc::timeout, "no answer from " + self->address() + " within " +
                                            std::to_string(self->options_.connect_timeout.count()) +
                                            " ms; check the address, or raise connect_timeout"));
    });
  }
  resolver_.async_resolve(host_, std::to_string(port_),
                          [self = shared_from_this(), attempt](error_code failure, const auto& found) {
                            if (attempt == self->attempt_) self->resolved(failure, found);
                          });
}

void connection::resolved(const error_code& failure, const asio::ip::tcp::resolver::results_type& found) {
  if (failure) return opened(error(errc::cannot_connect, "cannot find host '" + host_ + "': " + failure.message()));
  asio::async_connect(
      channel_->socket(), found,
      [self = shared_from_this(), c = channel_, attempt = attempt_](error_code refused, const auto&) {
        if (attempt != self->attempt_) return;
        if (!refused) return self->connected_to_socket();
        self->opened(error(errc::cannot_connect, "cannot connect to " + self->address() + ": " + refused.message() +
                                                     "; is pubsubsqld running there?"));
      });
}

void connection::connected_to_socket() {
  error_code ignored;  // without these options the connection merely works less well
  channel_->socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  channel_->socket().set_option(asio::socket_base::keep_alive(true), ignored);
  if (!channel_->uses_tls()) return reached();
  channel_->async_handshake([self = shared_from_this(), c = channel_, attempt = attempt_](error_code failure) {
    if (attempt != self->attempt_) return;
    if (!failure) return self->reached();
    self->opened(error(errc::cannot_connect, self->address() + " " + c->explain_handshake(failure)));
  });
}

/// Something answers there; what is left is to say who we are.
void connection::reached() {
  protocol_.connected();
  read();
  if (options_.user.empty()) {
    opened(std::nullopt);
  } else {
    authenticate();
  }
}

void connection::authenticate() {
  state_ = state::authenticating;
  parser::statement s;
  s.body = parser::auth_statement{.user = options_.user, .password = options_.password};
  const auto sent = protocol_.request(parser::print(s));
  if (!sent) return opened(sent.error());
  auth_id_ = *sent;
  flush();
}

void connection::authenticated(const protocol::outcome& answer) {
  auth_id_ = 0;
  if (answer) return opened(std::nullopt);
  retrying_ = retrying_ && answer.error().code() != errc::refused;
  opened(answer.error());
}

void connection::opened(std::optional<error> failure) {
  connect_timer_.cancel();
  if (failure) {
    why_ = *failure;
    hang_up();
    static_cast<void>(protocol_.disconnected(why_));
    if (retrying_) retry_later();
  } else {
    state_ = state::connected;
    retrying_ = false;
    retry_delay_ = {};
    protocol_.restore();
    flush();
  }
  if (connect_done_) connect_done_(std::move(failure));
}

// --- the end of a connection ---

void connection::hang_up() {
  ++attempt_;
  state_ = state::disconnected;
  reading_ = false;
  resolver_.cancel();
  connect_timer_.cancel();
  reply_timer_.cancel();
  timer_armed_ = false;
  auth_id_ = 0;
  if (channel_) channel_->close();
  channel_.reset();
}

void connection::lost(const error& why) {
  why_ = why;
  hang_up();
  retrying_ = options_.reconnect.automatic;
  if (retrying_) retry_later();
  fail_pending(why);
}

void connection::close() {
  const bool was_open = state_ != state::disconnected || retrying_;
  retrying_ = false;
  hang_up();
  if (was_open) why_ = error(errc::connection_lost, "the connection was closed by this client; call connect() again");
  fail_pending(why_);
}

/// Handlers run later, on a clean stack: they may call anything, connect() included.
void connection::fail_pending(const error& why) {
  const auto fail_later = [&](auto handler) {
    asio::post(executor_, [h = std::move(handler), why]() mutable { h(why); });
  };
  for (auto& ended : protocol_.disconnected(why)) {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](auto& w) { return w.id == ended.id; });
    if (found == waiting_.end()) continue;
    asio::post(executor_, [h = std::move(found->done), f = std::move(ended)]() mutable { h(std::move(f.answer)); });
  }
  waiting_.clear();
  if (connect_done_) fail_later(std::move(connect_done_));
  if (room_done_) fail_later(std::move(room_done_));
  if (event_done_ && !retrying_) fail_later(std::move(event_done_));
}

void connection::retry_later() {
  const auto& policy = options_.reconnect;
  retry_delay_ = std::clamp(retry_delay_ * 2, policy.first_delay, std::max(policy.first_delay, policy.delay_max));
  connect_timer_.expires_after(retry_delay_);
  connect_timer_.async_wait([self = shared_from_this(), attempt = attempt_](error_code failure) {
    if (!failure && attempt == self->attempt_) self->open();
  });
}

// --- reading ---

void connection::read() {
  reading_ = true;
  const auto room = protocol_.prepare();
  channel_->async_read(
      room, [self = shared_from_this(), c = channel_, room, attempt = attempt_](error_code failure, std::size_t bytes) {
        if (attempt != self->attempt_) return;
        self->reading_ = false;
        if (!failure) {
          c->take(room, bytes);
          self->protocol_.commit(bytes);
          return self->process();
        }
        const std::string why = channel::explain_loss(failure);
        const char* doubt = self->waiting_.empty() ? "" : "; a statement without a reply may or may not have happened";
        self->lost(error(errc::connection_lost, "lost the server at " + self->address() + ": " + why + doubt));
      });
}

/// Takes everything out of the protocol, then reads on, unless too many events wait to be taken.
void connection::process() {
  const auto attempt = attempt_;
  while (!events_full()) {
    auto got = protocol_.next();
    if (!got) break;
    handle(std::move(*got));
    if (attempt != attempt_) return;
  }
  flush();
  if (!events_full() && !reading_) read();
}

void connection::handle(protocol::incoming&& got) {
  if (auto* f = std::get_if<protocol::finished>(&got)) return finished(std::move(*f));
  if (auto* a = std::get_if<protocol::arrived>(&got)) return queue_event(std::move(*a));
  if (auto* s = std::get_if<stream_error>(&got)) {
    if (stream_errors_.size() < stream_errors_max) stream_errors_.push_back(std::move(*s));
    return;
  }
  lost(error(errc::protocol_error, "talking with " + address() + " failed: " + std::get<protocol::broken>(got).reason));
}

void connection::finished(protocol::finished&& f) {
  if (auth_id_ != 0 && f.id == auth_id_) return authenticated(f.answer);
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.id == f.id; });
  if (found == waiting_.end()) return;
  reply_handler done = std::move(found->done);
  waiting_.erase(found);
  done(std::move(f.answer));
}

// --- events ---

void connection::queue_event(protocol::arrived&& a) {
  const std::size_t bytes = sizeof(queued_event) + a.what.rows.bytes() + a.what.message.size();
  event_bytes_ += bytes;
  (a.dispatched ? dispatched_ : pulled_).push_back({std::move(a.what), bytes});
  if (event_done_ && !a.dispatched) hand_out_event();
}

std::optional<event> connection::take_event(bool dispatched) {
  auto& queue = dispatched ? dispatched_ : pulled_;
  if (queue.empty()) return std::nullopt;
  queued_event first = std::move(queue.front());
  queue.pop_front();
  event_bytes_ -= first.bytes;
  resume_reading();
  return std::move(first.what);
}

void connection::hand_out_event() {
  if (auto first = take_event(false)) event_done_(std::move(*first));
}

void connection::resume_reading() {
  if (reading_ || !connected() || events_full()) return;
  asio::post(executor_, [self = shared_from_this(), attempt = attempt_] {
    if (attempt == self->attempt_ && !self->reading_) self->process();
  });
}

void connection::next_event(event_handler done) {
  const auto post = [&](result<event, error> what) {
    asio::post(executor_, [h = std::move(done), w = std::move(what)]() mutable { h(std::move(w)); });
  };
  if (event_done_) return post(error(errc::usage, "an earlier wait for the next event has not ended yet"));
  if (auto first = take_event(false)) return post(std::move(*first));
  if (state_ == state::disconnected && !retrying_) return post(why_);
  event_done_ = std::move(done);
}

// --- statements ---

std::uint32_t connection::execute(std::string_view sql, bool dispatched, reply_handler done,
                                  const std::optional<subscribe_options>& how) {
  const auto request = [&] {
    return how ? protocol_.request(sql, dispatched, *how) : protocol_.request(sql, dispatched);
  };
  auto sent = connected() ? request() : result<std::uint32_t, error>(why_);
  if (!sent) {
    asio::post(executor_, [h = std::move(done), why = sent.error()]() mutable { h(why); });
    return 0;
  }
  waiting_.push_back({*sent, std::chrono::steady_clock::now() + options_.reply_timeout, std::move(done)});
  arm_reply_timer();
  flush();
  return *sent;
}

void connection::abandon(std::uint32_t id) {
  protocol_.abandon(id);
  std::erase_if(waiting_, [id](const waiting& w) { return w.id == id; });
}

std::uint32_t connection::unsubscribe(subscription handle, reply_handler done) {
  const auto* entry = protocol_.book().find(handle);
  if (entry != nullptr && entry->pubsubid != 0) {
    return execute(subscription_book::unsubscribe_statement(entry->table, entry->pubsubid), false, std::move(done));
  }
  auto answer = entry == nullptr
                    ? protocol::outcome(error(errc::usage, "no such subscription; it may have been ended before"))
                    : protocol::outcome(reply{});
  protocol_.forget(handle);
  asio::post(executor_, [h = std::move(done), a = std::move(answer)]() mutable { h(std::move(a)); });
  return 0;
}

void connection::arm_reply_timer() {
  if (timer_armed_ || waiting_.empty() || options_.reply_timeout.count() <= 0) return;
  timer_armed_ = true;
  reply_timer_.expires_at(waiting_.front().deadline);
  reply_timer_.async_wait([self = shared_from_this(), attempt = attempt_](error_code failure) {
    if (failure || attempt != self->attempt_) return;
    self->timer_armed_ = false;
    self->expire_replies();
  });
}

void connection::expire_replies() {
  const auto now = std::chrono::steady_clock::now();
  while (!waiting_.empty() && waiting_.front().deadline <= now) {
    waiting late = std::move(waiting_.front());
    waiting_.pop_front();
    protocol_.abandon(late.id);
    late.done(error(errc::timeout, "no reply within " + std::to_string(options_.reply_timeout.count()) +
                                       " ms; the statement may still happen (reply_timeout)"));
  }
  arm_reply_timer();
}

// --- writing ---

result<std::uint32_t, error> connection::stream(std::string_view sql) {
  if (!connected()) return why_;
  auto sent = protocol_.stream(sql);
  if (protocol_.output().size() >= flush_bytes) flush();
  return sent;
}

void connection::flush() {
  if (!has_channel() || !channel_->writing.empty() || protocol_.output().empty()) return;
  protocol_.swap_output(channel_->writing);
  channel_->async_write([self = shared_from_this(), c = channel_, attempt = attempt_](error_code failure, std::size_t) {
    if (attempt == self->attempt_) self->written(failure);
  });
}

void connection::written(const error_code& failure) {
  // The reader sees the end of the connection too, behind whatever the server still had to say.
  if (failure) return;
  channel_->writing.clear();
  flush();
  if (room_done_ && has_room()) room_done_(std::nullopt);
}

void connection::when_room(done_handler done) {
  std::optional<error> refused;
  if (!connected()) refused = why_;
  if (room_done_) refused = error(errc::usage, "an earlier wait for room has not ended yet");
  if (refused || has_room()) {
    asio::post(executor_, [h = std::move(done), refused]() mutable { h(std::move(refused)); });
    return;
  }
  room_done_ = std::move(done);
}

}  // namespace pubsubsql
