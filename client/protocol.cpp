#include "client/protocol.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "parser/frame.hpp"
#include "parser/request_reader.hpp"

namespace pubsubsql {
namespace {

constexpr std::size_t read_bytes = 64U << 10;       // room for one read
constexpr std::size_t input_bytes_idle = 1U << 20;  // a larger buffer is given back once it is empty

constexpr std::array<std::pair<std::string_view, event_action>, 10> action_names{{
    {"add", event_action::add},
    {"insert", event_action::insert},
    {"update", event_action::update},
    {"remove", event_action::remove},
    {"delete", event_action::deleted},
    {"publish", event_action::publish},
    {"resync", event_action::resync},
    {"resumed", event_action::resumed},
    {"gap", event_action::gap},
    {"ended", event_action::ended},
}};

error server_error(const message& m) {
  std::optional<std::size_t> offset;
  if (m.offset) offset = static_cast<std::size_t>(*m.offset);
  return {errc::refused, m.text, offset};
}

}  // namespace

std::string_view name_of(event_action action) {
  for (const auto& [name, a] : action_names) {
    if (a == action) return name;
  }
  return "unknown";
}

void protocol::connected() {
  output_.clear();
  input_begin_ = input_end_ = 0;
  broken_ = false;
  next_.reset();
}

void protocol::restore() {
  for (const subscription handle : book_.handles()) ask_again(handle);
}

void protocol::ask_again(subscription handle) {
  waiting w;
  w.sql = book_.find(handle)->table;
  w.kind = statement_kind::subscribe;
  w.handle = handle;
  w.restoring = true;
  ask_for(w);
  w.asked = w.id;
  pending_.push_back(std::move(w));
}

/// Sends a subscription's statement.
void protocol::ask_for(waiting& w) {
  const std::string text = book_.statement(w.handle);
  w.with_position = text != book_.find(w.handle)->sql;
  w.id = append_frame({}, text);
}

/// Of the answer that is due: whether the subscription was asked for anew as it was given. A server that knows no
/// positions refuses to read the clause; to what is wrong with the statement itself its own text has the offset.
bool protocol::ask_as_given(const message& refused) {
  if (!pending_.front().with_position || (refused.has_code && !refused.offset)) return false;
  waiting w = std::move(pending_.front());
  pending_.pop_front();
  const auto* entry = book_.find(w.handle);
  if (entry == nullptr) return pending_.push_front(std::move(w)), false;
  w.with_position = false;
  w.id = append_frame({}, entry->sql);
  pending_.push_back(std::move(w));
  return true;
}

std::vector<protocol::finished> protocol::disconnected(const error& why) {
  std::vector<finished> ended;
  for (waiting& w : std::exchange(pending_, {})) {
    if (w.kind == statement_kind::subscribe && !w.restoring) book_.remove(w.handle);
    if (w.abandoned || w.restoring) continue;
    if (w.kind == statement_kind::ending) {
      w.so_far.action_ = "close";
      ended.push_back({w.asked, std::move(w.so_far)});
    } else {
      ended.push_back({w.asked, why});
    }
  }
  next_.reset();
  book_.disconnected();
  output_.clear();
  return ended;
}

std::optional<error> protocol::refusal(std::string_view sql) const {
  if (sql.size() >= parser::statement_bytes_limit) {
    return error(errc::usage, "the statement has " + std::to_string(sql.size()) +
                                  " bytes, and a frame holds less than " +
                                  std::to_string(parser::statement_bytes_limit) + "; send it in parts");
  }
  if (output_.size() + sql.size() > options_.output_bytes_max) {
    return error(errc::limit, "too much waits to be sent (output_bytes_max is " +
                                  std::to_string(options_.output_bytes_max) + "); wait for earlier replies first");
  }
  return std::nullopt;
}

std::uint32_t protocol::append_frame(std::string_view prefix, std::string_view sql) {
  if (++last_id_ == 0) ++last_id_;
  const auto header =
      parser::encode({.payload_bytes = static_cast<std::uint32_t>(prefix.size() + sql.size()), .request_id = last_id_});
  output_.append(header.data(), header.size()).append(prefix).append(sql);
  return last_id_;
}

result<std::uint32_t, error> protocol::request(std::string_view sql, bool dispatched, const subscribe_options& how) {
  if (auto refused = refusal(sql)) return *refused;
  if (pending_.size() >= options_.pending_max) {
    return error(errc::limit, std::to_string(pending_.size()) +
                                  " statements wait for their replies (pending_max); wait for some of them first");
  }
  waiting w;
  w.kind = kind_of(sql);
  if (w.kind == statement_kind::subscribe) w.handle = book_.add(sql, dispatched, how).value_or(subscription::none);
  if (w.kind == statement_kind::unsubscribe) w.sql = sql;
  if (w.handle == subscription::none) {
    w.id = append_frame({}, sql);
  } else {
    ask_for(w);
  }
  if (w.kind == statement_kind::streamed) {
    // Answers come in order: once this one is answered, the stream statement before it has been executed.
    w.streamed_id = w.id;
    w.id = append_frame({}, "status");
  }
  w.asked = w.id;
  pending_.push_back(std::move(w));
  return last_id_;
}

result<std::uint32_t, error> protocol::stream(std::string_view sql) {
  if (auto refused = refusal(sql)) return *refused;
  return append_frame(kind_of(sql) == statement_kind::streamed ? "" : "stream ", sql);
}

void protocol::abandon(std::uint32_t id) {
  for (waiting& w : pending_) {
    if (w.asked == id) w.abandoned = true;
  }
}

std::span<char> protocol::prepare() {
  if (input_begin_ == input_end_) {
    input_begin_ = input_end_ = 0;
    if (input_.size() > input_bytes_idle) input_ = {};
  }
  if (input_.size() - input_end_ < read_bytes) {
    // Consumed bytes at the front are given up only when they are the larger part, so each byte moves rarely.
    if (input_begin_ >= input_end_ - input_begin_) {
      input_.erase(0, input_begin_);
      input_end_ -= std::exchange(input_begin_, 0);
    }
    input_.resize(std::max(input_.size(), 2 * input_end_ + read_bytes));
  }
  return std::span<char>(input_).subspan(input_end_);
}

std::optional<protocol::incoming> protocol::next() {
  if (next_) return std::exchange(next_, std::nullopt);
  while (!broken_) {
    const auto received = std::string_view(input_).substr(input_begin_, input_end_ - input_begin_);
    if (received.size() < parser::frame_header_bytes) return std::nullopt;
    const auto header = parser::decode_frame_header(received);
    if (header.payload_bytes > options_.frame_bytes_max) {
      broken_ = true;
      return broken{"a frame of " + std::to_string(header.payload_bytes) +
                    " bytes was announced; is this a PubSubSQL server? (frame_bytes_max)"};
    }
    const std::size_t frame_bytes = parser::frame_header_bytes + header.payload_bytes;
    if (received.size() < frame_bytes) return std::nullopt;
    message m;
    const auto failure = decode(received.substr(parser::frame_header_bytes, header.payload_bytes), m);
    input_begin_ += frame_bytes;
    auto got = failure ? incoming(broken{"the server sent what is no reply: " + *failure})
                       : take(header.request_id, std::move(m));
    if (got && std::holds_alternative<broken>(*got)) broken_ = true;
    if (got) return got;
  }
  return std::nullopt;
}

std::optional<protocol::incoming> protocol::take(std::uint32_t id, message&& m) {
  if (id == 0) return take_event(std::move(m));
  if (!pending_.empty() && pending_.front().id == id) return take_reply(std::move(m));
  return take_failure_out_of_turn(id, m);
}

std::optional<protocol::incoming> protocol::take_event(message&& m) {
  if (!m.ok) return broken{"the server says: " + m.text};
  const auto named = std::find_if(action_names.begin(), action_names.end(),
                                  [&](const auto& known) { return known.first == m.action; });
  if (named == action_names.end()) return broken{"an event of the unknown kind '" + m.action + "' came"};
  arrived a;
  a.what.action = named->second;
  a.what.pubsubid = m.pubsubid;
  a.what.subscription = book_.by_pubsubid(m.pubsubid);
  a.what.rows = std::move(m.data);
  a.what.lost = m.lost;
  a.what.seq = m.seq;
  a.what.snapshot_end = m.snapshot_end;
  a.what.message = std::move(m.text);
  book_.passed(a.what);
  if (const auto* entry = book_.find(a.what.subscription)) a.dispatched = entry->dispatched;
  if (a.what.action == event_action::ended) book_.remove(a.what.subscription);
  return a;
}

/// Not the answer that is due: the failure of a stream statement.
std::optional<protocol::incoming> protocol::take_failure_out_of_turn(std::uint32_t id, const message& m) {
  const bool asked = std::any_of(pending_.begin(), pending_.end(), [id](const waiting& w) { return w.id == id; });
  if (asked) return broken{"the reply to request " + std::to_string(id) + " came before those to earlier ones"};
  if (m.ok) return std::nullopt;
  for (waiting& w : pending_) {
    if (w.streamed_id == id) return w.failure = server_error(m), std::nullopt;
  }
  return stream_error{id, server_error(m)};
}

std::optional<protocol::incoming> protocol::take_reply(message&& m) {
  waiting& w = pending_.front();
  if (w.kind == statement_kind::streamed) {
    w.so_far.action_ = "stream";
    return finish();
  }
  if (!m.ok) {
    if (ask_as_given(m)) return std::nullopt;
    w.failure = server_error(m);
    return finish();
  }
  const bool last = !m.last_row || *m.last_row >= m.rows;
  collect(w, std::move(m));
  if (!last) return std::nullopt;
  return finish();
}

void protocol::collect(waiting& w, message&& m) const {
  if (w.failure) return;
  if (w.abandoned) m.data = {};
  reply& r = w.so_far;
  if (!r.has_rows()) {
    r.action_ = std::move(m.action);
    r.affected_ = m.rows;
    r.subscriptions_ = m.subscriptions;
    r.pubsubid_ = m.pubsubid;
    r.seq_ = m.seq;
    r.resync_ = m.resync;
    r.resumed_ = m.resumed;
    r.facts_ = std::move(m.facts);
    r.rows_ = std::move(m.data);
  } else if (r.columns() != m.data.columns()) {
    w.failure = error(errc::protocol_error, "the columns changed in the middle of a reply");
  } else {
    r.rows_.append(m.data);
  }
  if (r.rows_.bytes() > options_.reply_bytes_max) {
    r = {};
    w.failure = error(errc::limit, "the reply has more than " + std::to_string(options_.reply_bytes_max) +
                                       " bytes (reply_bytes_max); select fewer rows or columns");
  }
}

std::optional<protocol::incoming> protocol::finish() {
  waiting w = std::move(pending_.front());
  pending_.pop_front();
  if (w.kind == statement_kind::subscribe) {
    if (w.failure && !w.restoring) book_.remove(w.handle);
    if (!w.failure) w.resumed = book_.confirm(w.handle, w.so_far.pubsubid_, w.so_far.seq_, w.so_far.resync_);
    w.resumed = w.resumed || w.so_far.resumed_;
    w.so_far.subscription_ = w.handle;
  }
  if (w.kind == statement_kind::unsubscribe && !w.failure) book_.unsubscribed(w.sql);
  if (w.restoring) return finish_restoring(std::move(w));
  if (!w.abandoned) {
    if (w.so_far.resync_ && w.handle != subscription::none) next_ = told(w, event_action::resync);
    return finished{w.asked, w.failure ? outcome(std::move(*w.failure)) : outcome(std::move(w.so_far))};
  }

  if (const auto* entry = book_.find(w.handle)) {
    end_on_server(entry->table, entry->pubsubid);
    book_.remove(w.handle);
  }
  return std::nullopt;
}

void protocol::end_on_server(std::string_view table, std::uint64_t pubsubid) {
  waiting w;
  w.kind = statement_kind::unsubscribe;
  w.sql = subscription_book::unsubscribe_statement(table, pubsubid);
  w.id = append_frame({}, w.sql);
  w.abandoned = true;
  pending_.push_back(std::move(w));
}

std::optional<protocol::incoming> protocol::finish_restoring(waiting&& w) {
  const auto* entry = book_.find(w.handle);
  if (entry == nullptr) {
    if (!w.failure) end_on_server(w.sql, w.so_far.pubsubid_);
    return std::nullopt;
  }
  if (!w.failure) return told(w, w.resumed ? event_action::resumed : event_action::resync);
  arrived a = told(w, event_action::ended);
  a.what.message = w.failure->what();
  book_.remove(w.handle);
  return a;
}

/// What this client itself tells of a subscription. REQUIRES: the book has it.
protocol::arrived protocol::told(const waiting& w, event_action action) const {
  arrived a;
  a.what.action = action;
  a.what.subscription = w.handle;
  a.what.pubsubid = w.so_far.pubsubid_;
  a.dispatched = book_.find(w.handle)->dispatched;
  return a;
}

}  // namespace pubsubsql
