#include "client/subscription_book.hpp"

#include <variant>

#include "parser/parser.hpp"
#include "parser/print.hpp"

namespace pubsubsql {

std::optional<subscription> subscription_book::add(std::string_view sql, bool dispatched) {
  parser::statement_arena arena;
  const auto parsed = parser::parse(sql, arena);
  if (!parsed || !std::holds_alternative<parser::subscribe_statement>(parsed->body)) return std::nullopt;
  const subscription handle{++last_handle_};
  entries_.emplace(handle, entry{.sql = std::string(sql),
                                 .table = std::string(parser::table_of(*parsed)),
                                 .dispatched = dispatched,
                                 .pubsubid = 0});
  return handle;
}

void subscription_book::confirm(subscription handle, std::uint64_t pubsubid) {
  const auto found = entries_.find(handle);
  if (found == entries_.end() || pubsubid == 0) return;
  found->second.pubsubid = pubsubid;
  live_[pubsubid] = handle;
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
