// Who subscribes, and the end of it.

#include <algorithm>

#include "storage/access_path.hpp"
#include "storage/errors.hpp"
#include "storage/executor.hpp"
#include "storage/matching/live_groups.hpp"
#include "storage/matching/live_window.hpp"
#include "storage/shrink.hpp"
#include "storage/subscription_filter.hpp"

namespace pubsubsql::storage {

namespace {

bool has_aggregates(const parser::expression& e) {
  return e.op == parser::operation::aggregate ||
         std::ranges::any_of(e.operands, [](const parser::expression* operand) { return has_aggregates(*operand); });
}

bool has_aggregates(const parser::projection& list) {
  return std::ranges::any_of(list.items, [](const parser::select_item& item) { return has_aggregates(*item.value); });
}

}  // namespace

executor::failure executor::run(const parser::subscribe_statement& s) {
  if (!s.name.empty()) definition_ = definition_text(s);
  return who_.user == nullptr ? subscribe(s, {}) : subscribe_guarded(s);
}

/// `needed`: the columns without which no row may be shown.
executor::failure executor::subscribe(const parser::subscribe_statement& s, std::span<const std::string> needed) {
  table* t = nullptr;
  if (auto failed = find_or_create(s.table, t)) return failed;
  const event_target target{.subscriber = who_.subscriber, .pubsubid = who_.pubsubid};
  const bool is_live = !s.columns.items.empty() || !s.group_by.empty() || !s.order_by.empty();
  since_ = s.since;
  const bool tells = s.tells_positions() && !is_live;
  const std::uint64_t first_told = tells ? told_since(*t) : 0;
  may_resume_ = since_.value_or(0) >= first_told;
  if (!s.name.empty()) {
    if (auto failed = begin_named(*t, s)) return failed;
  }
  resumes_ = tells && since_ && can_resume(*t, *since_);
  if (tells) ask_for_history(*t, first_told > t->sequence());
  if (is_live) {
    if (auto failed = subscribe_live(*t, s, target, needed)) return failed;
  } else if (s.columns.all && (!s.where || compares_texts(*t, *s.where))) {
    if (auto failed = subscribe_by_text(*t, s, target)) return failed;
  } else {
    if (auto failed = subscribe_by_predicate(*t, s, target, needed)) return failed;
  }
  by_subscriber_[who_.subscriber].emplace(who_.pubsubid, t);
  if (resumes_) {
    if (auto failed = replay(*t, s, *since_)) {
      drop_subscription(who_.subscriber, who_.pubsubid);
      return failed;
    }
  }
  if (tells) note_told(*t);
  if (s.on_slow.value_or(who_.on_slow) == parser::slow_policy::conflate) t->subscribers().key_events(who_.pubsubid);
  outcome_.kind = reply_kind::subscribed;
  outcome_.pubsubid = who_.pubsubid;
  outcome_.snapshot = shows_rows(s);
  outcome_.tells_positions = s.tells_positions();
  if (!s.name.empty()) take_named(*t, s.name, tells && s.skip && !resumes_);
  outcome_.resumes = resumes_;
  outcome_.resyncs = since_ && !resumes_;
  outcome_.position = resumes_ ? *since_ : t->sequence();  // what is replayed leads on from there
  return std::nullopt;
}

/// Whether a condition is an equality with a column whose values are equal when their texts are.
bool executor::compares_texts(const table& t, const parser::condition& where) {
  if (where.predicate != nullptr) return false;
  const auto column = t.find_column(where.column);
  if (!column) return !t.is_declared();
  return *column == id_column || t.compares_texts(*column);
}

/// All columns of all rows, or of those where one column has one value.
executor::failure executor::subscribe_by_text(table& t, const parser::subscribe_statement& s,
                                              const event_target& target) {
  std::optional<subscriptions::filter> filter;
  std::optional<column_index> column;
  if (s.where) {
    const parser::literal& text = s.where->value;
    if (s.where->column.size() > limits_.name_bytes_max) {
      return name_too_long(s.where->column, limits_.name_bytes_max);
    }
    filter = {.column = s.where->column, .text = text.is_null ? value{} : value{text.text}};
    column = t.find_column(s.where->column);
    if (column && filter->text) t.find_equal(*column, *filter->text, found_);
    if (column == id_column && found_.empty() && !since_)
      return unknown_row(t.name(), text.is_null ? "null" : text.text);
  } else if (shows_rows(s)) {
    t.find_all(found_);
  }
  if (!shows_rows(s)) found_.clear();
  outcome_.columns = t.all_columns();
  if (auto failed = show_rows(t, "subscribe")) return failed;
  t.subscribers().add(target, filter, column);
  return std::nullopt;
}

/// The names that a subscription lists, without `id`, which comes by itself.
executor::failure executor::listed_names(const table& t, const parser::projection& list,
                                         std::vector<std::string_view>& out) {
  for (const std::string_view name : list.names) {
    const auto column = t.find_column(name);
    if (!column) return unknown_column(t.name(), name);
    if (column != id_column) out.push_back(name);
  }
  return std::nullopt;
}

/// Groups, or the first rows in an order.
executor::failure executor::subscribe_live(table& t, const parser::subscribe_statement& s, const event_target& target,
                                           std::span<const std::string> needed) {
  std::unique_ptr<subscription_filter> filter;
  std::string filter_text;
  if (s.where) {
    if (auto failed = subscription_filter::make(*s.where, needed, t, filter)) return failed;
    filter_text = filter->canonical_text();
  }
  std::unique_ptr<matching::live_query> made;
  if (!s.columns.items.empty() || !s.group_by.empty()) {
    if (s.group_by.empty() && !has_aggregates(s.columns)) return subscribe_computes();
    if (s.columns.items.size() + s.columns.names.size() + s.group_by.size() > limits_.columns_max) {
      return too_many_columns(t.name(), limits_.columns_max);
    }
    if (auto failed = matching::live_groups::make(s, t, std::move(filter), filter_text, made)) return failed;
  } else {
    if (!s.limit) return subscribe_without_limit();
    if (s.limit->offset > 0) return subscribe_with_offset();
    if (s.limit->count > limits_.window_rows_max) return subscribe_limit_too_large(limits_.window_rows_max);
    std::vector<std::string_view> names;
    if (auto failed = listed_names(t, s.columns, names)) return failed;
    std::optional<std::span<const std::string_view>> listed;
    if (!s.columns.all) listed = names;
    if (auto failed = matching::live_window::make(s, t, std::move(filter), filter_text, listed, made)) return failed;
  }
  const matching::live_query& q = t.subscribers().add(target, std::move(made), who_.now_us, budget_);
  if (auto failed = check_steps()) {
    t.subscribers().remove(target.pubsubid);
    return failed;
  }
  if (shows_rows(s)) q.show(data_);
  outcome_.about = &t;
  outcome_.action = "subscribe";
  outcome_.rows = data_.size();
  outcome_.data = data_;
  outcome_.columns = q.columns();
  outcome_.titles = q.titles();
  auto failed = check_result();
  if (failed) t.subscribers().remove(target.pubsubid);
  return failed;
}

executor::failure executor::subscribe_by_predicate(table& t, const parser::subscribe_statement& s,
                                                   const event_target& target, std::span<const std::string> needed) {
  std::vector<std::string_view> names;
  if (auto failed = listed_names(t, s.columns, names)) return failed;
  std::unique_ptr<subscription_filter> filter;
  if (s.where) {
    if (auto failed = subscription_filter::make(*s.where, needed, t, filter)) return failed;
  }
  if (shows_rows(s) && !filter) t.find_all(found_);
  if (shows_rows(s) && filter) {
    const std::vector<conjunction> any_of = filter->conjunctions();
    access_path(t, {.any_of = any_of, .filtered = true}).find(found_);
    if (auto failed = keep_matching(t, *filter)) return failed;
  }
  place_rows(t, "subscribe");
  subscriptions::predicate p;
  if (filter) p.canonical_text = filter->canonical_text();
  p.filter = std::move(filter);
  if (!s.columns.all) p.columns = names;
  const auto listed = t.subscribers().add(target, std::move(p));
  outcome_.columns = listed ? *listed : t.all_columns();
  auto failed = check_result();
  if (failed) t.subscribers().remove(target.pubsubid);
  return failed;
}

std::size_t executor::unsubscribe_one(table& t, std::uint64_t pubsubid) {
  const auto mine = by_subscriber_.find(who_.subscriber);
  if (mine == by_subscriber_.end()) return 0;
  const auto it = mine->second.find(pubsubid);
  if (it == mine->second.end() || it->second != &t) return 0;
  mine->second.erase(it);
  if (mine->second.empty()) by_subscriber_.erase(mine);
  t.subscribers().remove(pubsubid);
  ended_.push_back(pubsubid);
  return 1;
}

std::size_t executor::unsubscribe_all(table& t) {
  const auto mine = by_subscriber_.find(who_.subscriber);
  if (mine == by_subscriber_.end()) return 0;
  for (const auto& [pubsubid, of] : mine->second) {
    if (of == &t) ended_.push_back(pubsubid);
  }
  for (const std::uint64_t pubsubid : ended_) mine->second.erase(pubsubid);
  if (mine->second.empty()) by_subscriber_.erase(mine);
  t.subscribers().remove_all(who_.subscriber, ended_);
  return ended_.size();
}

executor::failure executor::run(const parser::unsubscribe_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  const std::size_t ended = s.pubsubid ? unsubscribe_one(*t, *s.pubsubid) : unsubscribe_all(*t);
  if (ended == 0 && s.pubsubid) return unknown_subscription(t->name(), *s.pubsubid);
  outcome_.kind = reply_kind::unsubscribed;
  outcome_.about = t;
  outcome_.action = "unsubscribe";
  outcome_.rows = ended;
  outcome_.ended = ended_;
  return std::nullopt;
}

void executor::drop_subscription(subscriber_id subscriber, std::uint64_t pubsubid) {
  const auto mine = by_subscriber_.find(subscriber);
  if (mine == by_subscriber_.end()) return;
  const auto it = mine->second.find(pubsubid);
  if (it == mine->second.end()) return;
  it->second->subscribers().remove(pubsubid);
  mine->second.erase(it);
  if (mine->second.empty()) by_subscriber_.erase(mine);
}

void executor::drop_subscriber(subscriber_id subscriber) {
  const auto mine = by_subscriber_.find(subscriber);
  if (mine == by_subscriber_.end()) return;
  absl::flat_hash_map<table*, std::vector<std::uint64_t>> by_table;
  for (const auto& [pubsubid, of] : mine->second) by_table[of].push_back(pubsubid);
  for (const auto& [of, pubsubids] : by_table) of->subscribers().remove_all(subscriber, pubsubids);
  by_subscriber_.erase(mine);
  shrink_if_sparse(by_subscriber_);
}

}  // namespace pubsubsql::storage
