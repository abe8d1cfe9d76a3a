// Who subscribes, and the end of it.

#include <algorithm>

#include "storage/errors.hpp"
#include "storage/executor.hpp"
#include "storage/shrink.hpp"

namespace pubsubsql::storage {

executor::failure executor::run(const parser::subscribe_statement& s) {
  table* t = nullptr;
  if (auto failed = find_or_create(s.table, t)) return failed;
  std::optional<subscriptions::filter> filter;
  std::optional<column_index> column;
  if (s.where) {
    const parser::literal& text = s.where->value;
    if (s.where->column.size() > limits_.name_bytes_max) {
      return name_too_long(s.where->column, limits_.name_bytes_max);
    }
    filter = {.column = s.where->column, .text = text.is_null ? value{} : value{text.text}};
    column = t->find_column(s.where->column);
    if (column && filter->text) t->find_equal(*column, *filter->text, found_);
    if (column == id_column && found_.empty()) return unknown_row(t->name(), text.is_null ? "null" : text.text);
  } else if (!s.skip) {
    t->find_all(found_);
  }
  if (s.skip) found_.clear();
  if (auto failed = show_rows(*t, "subscribe")) return failed;
  t->subscribers().add({.subscriber = who_.subscriber, .pubsubid = who_.pubsubid}, filter, column);
  by_subscriber_[who_.subscriber].push_back({.of = t, .pubsubid = who_.pubsubid});

  outcome_.columns = t->all_columns();
  outcome_.kind = reply_kind::subscribed;
  outcome_.pubsubid = who_.pubsubid;
  outcome_.snapshot = !s.skip;
  return std::nullopt;
}

executor::failure executor::run(const parser::unsubscribe_statement& s) {
  table* t = find_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  std::size_t ended = 0;
  if (const auto mine = by_subscriber_.find(who_.subscriber); mine != by_subscriber_.end()) {
    ended = std::erase_if(mine->second, [&](const subscription_place& place) {
      if (place.of != t || (s.pubsubid && place.pubsubid != *s.pubsubid)) return false;
      t->subscribers().remove(place.pubsubid);
      return true;
    });
    if (mine->second.empty()) by_subscriber_.erase(mine);
  }
  if (ended == 0 && s.pubsubid) return unknown_subscription(t->name(), *s.pubsubid);
  outcome_.kind = reply_kind::unsubscribed;
  outcome_.about = t;
  outcome_.action = "unsubscribe";
  outcome_.rows = ended;
  return std::nullopt;
}

void executor::drop_subscriber(subscriber_id subscriber) {
  const auto mine = by_subscriber_.find(subscriber);
  if (mine == by_subscriber_.end()) return;
  for (const auto& [of, pubsubid] : mine->second) of->subscribers().remove(pubsubid);
  by_subscriber_.erase(mine);
  shrink_if_sparse(by_subscriber_);
}

}  // namespace pubsubsql::storage
