#include "client/subscription_book.hpp"

#include <variant>

#include "parser/parser.hpp"
#include "parser/print.hpp"

namespace pubsubsql {

std::optional<subscription> subscription_book::add(std::string_view sql, bool dispatched,
                                                   const subscribe_options& how) {
  parser::statement_arena arena;
  const auto parsed = parser::parse(sql, arena);
  if (!parsed) return std::nullopt;
  const auto* s = std::get_if<parser::subscribe_statement>(&parsed->body);
  if (s == nullptr) return std::nullopt;
  const subscription handle{++last_handle_};
  // Of one with a name the server keeps the position.
  const bool resume = (how.resume || how.since) && s->name.empty();
  entries_.emplace(handle, entry{.sql = std::string(sql),
                                 .table = std::string(s->table),
                                 .dispatched = dispatched,
                                 .resume = resume,
                                 .skip = s->skip,
                                 .position = !resume     ? std::nullopt
                                             : how.since ? how.since
                                                         : s->since});
  return handle;
}

std::string subscription_book::statement(subscription handle) const {
  const entry& e = entries_.at(handle);
  if (!e.resume) return e.sql;
  parser::statement_arena arena;
  auto parsed = parser::parse(e.sql, arena);
  auto& s = std::get<parser::subscribe_statement>(parsed->body);
  if (s.tells_positions() && s.since == e.position) return e.sql;
  s.with_seq = !e.position;
  s.since = e.position;
  return parser::print(*parsed);
}

bool subscription_book::confirm(subscription handle, std::uint64_t pubsubid, std::optional<std::uint64_t> seq,
                                bool resync) {
  const auto found = entries_.find(handle);
  if (found == entries_.end() || pubsubid == 0) return false;
  entry& e = found->second;
  e.pubsubid = pubsubid;
  live_[pubsubid] = handle;
  if (!e.resume) return false;
  const bool goes_on = seq && e.position && !resync;
  if (!goes_on) e.position = e.skip ? seq : std::nullopt;
  return goes_on;
}

void subscription_book::passed(event& e) {
  const auto found = entries_.find(e.subscription);
  if (found == entries_.end() || !found->second.resume) return;
  entry& s = found->second;
  if (e.action == event_action::gap && !s.skip) {
    s.position.reset();
  } else if ((e.snapshot_end || s.position) && e.seq) {
    s.position = e.seq;
  }
  if (!s.position) e.seq.reset();
}

void subscription_book::remove(subscription handle) {
  const auto found = entries_.find(handle);
  if (found == entries_.end()) return;
  if (found->second.pubsubid != 0) live_.erase(found->second.pubsubid);
  entries_.erase(found);
}

void subscription_book::unsubscribed(std::string_view sql) {
  parser::statement_arena arena;
  const auto parsed = parser::parse(sql, arena);
  if (!parsed) return;
  const auto* s = std::get_if<parser::unsubscribe_statement>(&parsed->body);
  if (s == nullptr) return;
  for (const subscription handle : handles()) {
    const entry& e = entries_.at(handle);
    if (e.pubsubid == 0 || e.table != s->table) continue;
    if (!s->pubsubid || *s->pubsubid == e.pubsubid) remove(handle);
  }
}

void subscription_book::disconnected() {
  live_.clear();
  for (auto& [handle, e] : entries_) e.pubsubid = 0;
}

const subscription_book::entry* subscription_book::find(subscription handle) const {
  const auto found = entries_.find(handle);
  return found == entries_.end() ? nullptr : &found->second;
}

subscription subscription_book::by_pubsubid(std::uint64_t pubsubid) const {
  const auto found = live_.find(pubsubid);
  return found == live_.end() ? subscription::none : found->second;
}

std::vector<subscription> subscription_book::handles() const {
  std::vector<subscription> all;
  all.reserve(entries_.size());
  for (const auto& [handle, e] : entries_) all.push_back(handle);
  return all;
}

std::string subscription_book::unsubscribe_statement(std::string_view table, std::uint64_t pubsubid) {
  return "unsubscribe from " + parser::quote_name(table) + " where pubsubid = " + std::to_string(pubsubid);
}

}  // namespace pubsubsql
