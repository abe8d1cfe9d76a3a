// What a session does with the events of subscriptions that do not end it when it is slow.

#include <utility>

#include <boost/asio/post.hpp>

#include "server/router.hpp"
#include "server/session.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server {

void session::bear(std::uint64_t pubsubid, const slow_subscriptions::subscription& s) {
  if (slow_ == nullptr) slow_ = std::make_unique<slow_subscriptions>(worker_.slow());
  slow_->add(pubsubid, s);
}

void session::deliver(slow_subscriptions::subscription& s, const encoded_event& e, std::uint64_t pubsubid) {
  const bool conflates = s.policy == parser::slow_policy::conflate;
  const backlog_gauge& backlog = worker_.backlog();
  const auto is_full = [&] {
    return conflates ? output_.unsent_bytes() > backlog.fold_at() : output_.unsent_event_bytes() > backlog.drop_at();
  };
  const bool is_behind = conflates ? slow_->is_folding() : s.lost > 0;
  if (!is_behind && is_full()) {
    flush();  // the socket gets its chance before the client is called slow
    if (stage_ == stage::closed) return;
  }
  if (!is_behind && !is_full()) {
    output_.append_event(mode(), e, pubsubid, position_to_tell(e, pubsubid));
  } else if (!conflates) {
    slow_->leave_out(s, pubsubid, e.count, e.sequence);
  } else {
    slow_->fold(s, pubsubid, e);
    if (slow_->folded_bytes() > worker_.shared().settings.backlog_bytes_max) {
      return end_as_slow("too slow a subscriber of too many rows");
    }
  }
  wants_flush();
}

void session::miss(const lost_events& l) {
  if (events_are_due) take_due_events();
  if (stage_ == stage::draining || stage_ == stage::closed) return;
  slow_subscriptions::subscription* const s = slow_ != nullptr ? slow_->find(l.target.pubsubid) : nullptr;
  const bool waits = slots_.find_subscription(l.target.pubsubid) != nullptr;
  if (s == nullptr || s->policy != parser::slow_policy::drop || waits) {
    return end_as_slow("a subscriber for which more events are on their way than --max-total-backlog-bytes allows");
  }
  slow_->leave_out(*s, l.target.pubsubid, l.events, l.position);
  wants_flush();
}

bool session::refill() {
  return slow_->refill(output_, mode(), worker_.backlog().fold_at());
}

/// Tells the worker what waits, and sees to what was left out when there is room again.
void session::account_backlog() {
  if (slow_ != nullptr && slow_->has_question() && stage_ == stage::open &&
      output_.unsent_bytes() <= worker_.backlog().drop_at() / 2) {
    // Later, not from here: a statement may be running at this moment whose events made this connection write.
    boost::asio::post(transport_.executor(), [self = shared_from_this()] { self->resume_dropped(); });
  }
  if (!output_.empty()) output_.note_time(worker_.now_us());
  const std::size_t bytes = waiting_event_bytes();
  const std::size_t replies = waiting_reply_bytes();
  if (replies > 0 && bytes_out_ != std::exchange(bytes_out_seen_, bytes_out_)) last_read_us_ = worker_.now_us();
  if (bytes == backlog_bytes_ && replies == reply_bytes_) return;
  worker_.backlog().change(std::exchange(backlog_bytes_, bytes), bytes);
  worker_.unread_replies().change(std::exchange(reply_bytes_, replies), replies);
  worker_.backlog_changed();
}

void session::resume_dropped() {
  if (stage_ != stage::open || !slow_->has_question()) return;
  if (events_are_due) take_due_events();
  if (stage_ != stage::open || output_.unsent_bytes() > worker_.backlog().drop_at() / 2) return;
  const auto q = slow_->next_question(output_, mode());
  if (q) {
    worker_.statements().show_again(
        q->owner, {.session = id(), .pubsubid = q->pubsubid, .mode = mode(), .tells_positions = q->tells_positions});
  }
  wants_flush();
}

void session::go_on(std::uint64_t pubsubid, const std::optional<std::string>& first_rows, std::uint64_t position) {
  if (events_are_due) take_due_events();
  if (stage_ == stage::draining || stage_ == stage::closed) return;
  if (slow_->find(pubsubid) != nullptr && !first_rows) {
    return close("its subscription would begin with more than --max-result-bytes or --max-statement-steps allow by now",
                 close_code::refused);
  }
  slow_->go_on(output_, mode(), pubsubid, first_rows ? std::string_view(*first_rows) : std::string_view(), position);
  wants_flush();
}

}  // namespace pubsubsql::server
