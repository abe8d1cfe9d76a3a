#include <array>
#include <utility>

#include <spdlog/spdlog.h>

#include "server/log_text.hpp"
#include "server/session.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server {

namespace {

using boost::system::error_code;

/// How long, and how much, a connection that must go is still read, so that the client sees the reason and not a reset.
constexpr std::chrono::milliseconds drain_time{2'000};
constexpr std::uint64_t drain_bytes_max = 64U << 20;

}  // namespace

void session::finish(std::string_view why, close_code code) {
  if (stage_ != stage::open) return;
  stage_ = stage::finishing;
  end_reason_ = why;
  end_code_ = code;
  if (transaction != transaction_id{}) worker_.statements().abandon(transaction);
  if (leases_ && !slots_.empty()) worker_.statements().stop_waiting(id(), subscribed_workers_);
  wants_flush();
}

void session::begin_draining() {
  stage_ = stage::draining;
  if (transport_.is_web()) return close(end_reason_, end_code_);
  transport_.socket().shut_down_sending();
  if (end_of_stream_) return close(end_reason_);
  set_deadline(drain_time);
  on_drainable({});
}

void session::on_drainable(const error_code& error) {
  if (stage_ != stage::draining) return;
  if (error) return close(end_reason_);
  const std::span<char> buffer = worker_.read_buffer();
  error_code problem;
  const std::size_t bytes = transport_.socket().discard_some(buffer, problem);
  drained_bytes_ += bytes;
  const bool quiet = problem == boost::asio::error::would_block;
  const bool ended = problem && !quiet;
  if (ended || (quiet && !misread_) || drained_bytes_ > drain_bytes_max) return close(end_reason_);
  transport_.wait_readable([self = shared_from_this()](const error_code& e) { self->on_drainable(e); });
}

void session::set_deadline(std::chrono::milliseconds after) {
  deadline_ = std::make_unique<boost::asio::steady_timer>(transport_.executor(), after);
  deadline_->async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->close(self->end_reason_);
  });
}

void session::note_idleness(unsigned looks_max) {
  const bool is_reading = !output_.empty() && bytes_out_ != std::exchange(bytes_out_before_, bytes_out_);
  if (stage_ != stage::open || subscriptions_ > 0 || !slots_.empty() || is_reading) {
    idle_looks_ = 0;
  } else if (++idle_looks_ > looks_max) {
    worker_.shared().counters.refused("idle-timeout-seconds");
    constexpr std::string_view why = "idle for longer than --idle-timeout-seconds";
    return output_.empty() ? finish(why, close_code::refused) : close(why, close_code::refused);
  }
}

void session::end_as_unread() {
  worker_.shared().counters.refused("max-total-reply-bytes");
  spdlog::warn(
      "disconnected {}: it has not read {} bytes of replies, and more than --max-total-reply-bytes wait for all; it "
      "must read faster, or ask for less at a time",
      address(), reply_bytes_);
  close("replies that it does not read, and more than --max-total-reply-bytes wait for all", close_code::refused);
}

void session::end_as_costly(const storage::costly_subscription& c) {
  if (stage_ == stage::closed) return;
  worker_.shared().counters.refused("max-filter-steps");
  spdlog::warn(
      "disconnected {}: its subscription {} took {} steps for one row of table {}, and those of all together more than "
      "--max-filter-steps; it must ask for something simpler",
      address(), c.target.pubsubid, c.steps, log_text(c.table));
  close("a subscription took too many steps, and all together more than --max-filter-steps", close_code::refused);
}

void session::abort(std::string_view why, close_code code) {
  close(why, code);
}

void session::close(std::string_view why, close_code code, bool slow) {
  if (stage_ == stage::closed) return;
  stage_ = stage::closed;
  if (transaction != transaction_id{}) worker_.statements().abandon(transaction);
  if (slow) {
    worker_.shared().counters.refused("max-backlog-bytes");
    spdlog::warn(
        "disconnected {}: {}, {} bytes of events waited for it; it must read faster, or raise "
        "--max-backlog-bytes",
        address(), why, waiting_event_bytes());
    ++worker_.slow().disconnects;
  } else {
    log_end(why);
  }
  transport_.close(code, why);
  if (deadline_) deadline_->cancel();
  output_.release();
  slots_ = reply_slots();
  slow_.reset();
  positioned_.reset();
  account_backlog();
  count_ended(subscriptions_);
  worker_.ended(*this, subscribed_workers_);
}

void session::log_end(std::string_view why) const {
  const std::string encryption = transport_.description();
  const std::string_view talk = transport_.is_web() ? transport_.link_name() : name_of_protocol(talks());
  spdlog::log(is_momentary_ ? spdlog::level::debug : spdlog::level::info,
              "connection {} ended: {}; {}{}{}, {} statements, {} bytes in, {} bytes out", address(), why, talk,
              encryption.empty() ? "" : " over ", encryption, statements_, bytes_in_, bytes_out_);
}

}  // namespace pubsubsql::server
