#include "storage/subscriptions.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include "storage/shrink.hpp"
#include "storage/subscription_filter.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

namespace matching {

/// A group of `column = text`.
struct text_group : subscription_group {
  std::string text;
};

/// The groups whose filter is `column = text` with one column.
struct column_filters {
  /// A set of groups, looked up by their texts.
  struct hash_of_text {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return text_hash()(text); }
    std::size_t operator()(const std::unique_ptr<text_group>& g) const { return text_hash()(g->text); }
  };
  struct same_text {
    using is_transparent = void;
    bool operator()(const std::unique_ptr<text_group>& a, const std::unique_ptr<text_group>& b) const {
      return a->text == b->text;
    }
    bool operator()(const std::unique_ptr<text_group>& a, std::string_view text) const { return a->text == text; }
  };

  std::string column;
  std::optional<column_index> index;  // nothing while the table has no such column
  absl::flat_hash_set<std::unique_ptr<text_group>, hash_of_text, same_text> by_text;
  std::unique_ptr<text_group> never;  // `column = null`

  [[nodiscard]] text_group* find(const value& v) const {
    if (!v) return nullptr;
    const auto it = by_text.find(*v);
    return it == by_text.end() ? nullptr : it->get();
  }
};

}  // namespace matching

namespace {

constexpr std::size_t id_digits_max = std::numeric_limits<std::uint64_t>::digits10 + 1;

/// A row's value of any column, `id` included, whose digits it holds.
class column_text {
 public:
  column_text(row_view row, column_index column) {
    if (column != id_column) {
      value_ = row.at(column);
    } else if (row.has_id()) {
      const auto end = std::to_chars(digits_, digits_ + id_digits_max, row.id()).ptr;
      value_ = std::string_view(digits_, static_cast<std::size_t>(end - digits_));
    }
  }
  column_text(const column_text&) = delete;
  column_text& operator=(const column_text&) = delete;

  [[nodiscard]] const value& get() const { return value_; }

 private:
  char digits_[id_digits_max];
  value value_;
};

}  // namespace

subscriptions::subscriptions(const table& of) : table_(&of), everything_(std::make_unique<group>()) {}
subscriptions::~subscriptions() = default;

matching::column_filters& subscriptions::filters_of(std::string_view column, std::optional<column_index> index) {
  const auto it = filters_.find(column);
  if (it != filters_.end()) return *it->second;
  auto made = std::make_unique<column_filters>();
  made->column = column;
  made->index = index;
  if (index) active_.push_back(made.get());
  return *filters_.emplace(column, std::move(made)).first->second;
}

void subscriptions::add(const event_target& target, const std::optional<filter>& f,
                        std::optional<column_index> column) {
  group* g = everything_.get();
  if (f) {
    column_filters& filters = filters_of(f->column, column);
    const auto it = f->text ? filters.by_text.find(*f->text) : filters.by_text.end();
    if (it != filters.by_text.end()) {
      g = it->get();
    } else if (!f->text && filters.never) {
      g = filters.never.get();
    } else {
      auto made = std::make_unique<matching::text_group>();
      g = made.get();
      g->of = &filters;
      if (f->text) {
        made->text = *f->text;
        filters.by_text.insert(std::move(made));
      } else {
        filters.never = std::move(made);
      }
    }
  }
  join(g, target);
}

std::optional<std::span<const column_index>> subscriptions::add(const event_target& target, predicate p) {
  if (!p.filter && !p.columns) {
    join(everything_.get(), target);
    return std::nullopt;
  }
  if (!filtered_) filtered_ = std::make_unique<filtered_groups>(*table_);
  filtered_group& g = filtered_->group_of(std::move(p.filter), p.canonical_text, p.columns);
  join(&g, target);
  if (g.list == nullptr) return std::nullopt;
  return g.list->columns();
}

const matching::live_query& subscriptions::add(const event_target& target, std::unique_ptr<matching::live_query> made,
                                               std::int64_t now_us, sql::work_budget& budget) {
  if (!live_) live_ = std::make_unique<matching::live_queries>(*table_);
  matching::live_query& q = live_->enter(std::move(made), now_us, budget);
  join(&q, target);
  return q;
}

void subscriptions::tell_live(std::span<const change> changes, std::span<const column_index> sent,
                              std::span<const column_index> all, std::vector<event>& out) {
  const auto update = std::ranges::find(changes, change_kind::update_row, &change::kind);
  const std::span<const column_index> assigned =
      update == changes.end() ? std::span<const column_index>() : update->assigned;
  live_->tell(changes,
              {.statement = statement_, .now_us = now_us_, .rows = {}, .assigned = assigned, .sent = sent, .all = all},
              budget_, out);
}

void subscriptions::join(group* g, const event_target& target) {
  const auto at = std::ranges::upper_bound(g->targets, target.pubsubid, {}, &event_target::pubsubid);
  g->targets.insert(at, target);
  by_id_.emplace(target.pubsubid, g);
  if (g->events > 0) events_before_[target.pubsubid] = g->events;
}

void subscriptions::forget(std::uint64_t pubsubid) {
  by_id_.erase(pubsubid);
  shrink_if_sparse(by_id_);
  if (events_before_.erase(pubsubid) > 0) shrink_if_sparse(events_before_);
}

void subscriptions::key_events(std::uint64_t pubsubid) {
  by_id_.find(pubsubid)->second->is_keyed = true;
}

subscriptions::definition subscriptions::refresh(std::uint64_t pubsubid, std::int64_t now_us,
                                                 sql::work_budget& budget) {
  group* g = by_id_.find(pubsubid)->second;
  if (g->is_live) live_->refresh(static_cast<matching::live_query&>(*g), now_us, budget);
  return definition_of(pubsubid);
}

subscriptions::definition subscriptions::definition_of(std::uint64_t pubsubid) const {
  const group* g = by_id_.find(pubsubid)->second;
  if (g == everything_.get()) return {};
  if (g->is_live) {
    const auto& q = static_cast<const matching::live_query&>(*g);
    return {.where = q.filter(), .live = &q};
  }
  if (g->of == nullptr) {
    const auto& filtered = static_cast<const filtered_group&>(*g);
    return {.where = filtered.filter.get(), .list = filtered.list};
  }
  const column_filters& filters = *g->of;
  const bool never = g == filters.never.get();
  return {.equality = filter{.column = filters.column,
                             .text = never ? value{} : value{static_cast<const matching::text_group*>(g)->text}},
          .column = filters.index};
}

std::vector<subscriptions::entry> subscriptions::entries() const {
  std::vector<entry> all;
  all.reserve(by_id_.size());
  for (const auto& [pubsubid, g] : by_id_) {
    const auto target = std::ranges::lower_bound(g->targets, pubsubid, {}, &event_target::pubsubid);
    const auto before = events_before_.find(pubsubid);
    all.push_back({.target = *target, .events = g->events - (before == events_before_.end() ? 0 : before->second)});
  }
  return all;
}

void subscriptions::remove(std::uint64_t pubsubid) {
  group* g = by_id_.find(pubsubid)->second;
  forget(pubsubid);
  g->targets.erase(std::ranges::lower_bound(g->targets, pubsubid, {}, &event_target::pubsubid));
  drop_if_empty(g);
}

void subscriptions::remove_all(subscriber_id subscriber, std::span<const std::uint64_t> pubsubids) {
  absl::flat_hash_set<group*> groups;
  for (const std::uint64_t pubsubid : pubsubids) {
    groups.insert(by_id_.find(pubsubid)->second);
    forget(pubsubid);
  }
  for (group* g : groups) {
    const auto mine = [&](const event_target& target) { return target.subscriber == subscriber; };
    g->targets.erase(std::remove_if(g->targets.begin(), g->targets.end(), mine), g->targets.end());
    drop_if_empty(g);
  }
}

void subscriptions::drop_if_empty(group* g) {
  if (!g->targets.empty()) return;
  if (g == everything_.get()) {
    g->is_keyed = false;
    return;
  }
  if (g->is_live) {
    live_->drop(static_cast<matching::live_query&>(*g));
    if (live_->empty()) live_.reset();
    return;
  }
  if (g->of == nullptr) {
    filtered_->drop(static_cast<filtered_group&>(*g));
    if (filtered_->empty()) filtered_.reset();
    return;
  }
  column_filters* filters = g->of;
  if (g == filters->never.get()) {
    filters->never.reset();
  } else {
    const std::string_view text = static_cast<const matching::text_group*>(g)->text;
    filters->by_text.erase(filters->by_text.find(text));
    shrink_if_sparse(filters->by_text);
  }
  if (!filters->by_text.empty() || filters->never) return;
  std::erase(active_, filters);
  filters_.erase(filters_.find(filters->column));
  shrink_if_sparse(filters_);
}

void subscriptions::column_added(std::string_view name, column_index column) {
  if (filtered_) filtered_->column_added(name);
  if (live_) live_->column_added(name, column);
  const auto it = filters_.find(name);
  if (it == filters_.end()) return;
  if (!table_->compares_texts(column)) return read_as_predicates(*it->second);
  it->second->index = column;
  active_.push_back(it->second.get());
}

void subscriptions::move_targets(const group& from, const parser::condition& where) {
  const absl::InlinedVector<event_target, 1> targets = from.targets;
  for (const event_target& target : targets) {
    std::unique_ptr<subscription_filter> made;
    // An equality of a column and a text can always be bound.
    static_cast<void>(subscription_filter::make(where, {}, *table_, made));
    std::string canonical_text = made->canonical_text();
    forget(target.pubsubid);
    add(target, predicate{.filter = std::move(made), .canonical_text = std::move(canonical_text)});
    if (from.is_keyed) key_events(target.pubsubid);
  }
}

void subscriptions::read_as_predicates(column_filters& f) {
  for (const auto& g : f.by_text) move_targets(*g, {.column = f.column, .value = {.text = g->text}});
  if (f.never) move_targets(*f.never, {.column = f.column, .value = {.text = {}, .is_null = true}});
  std::erase(active_, &f);
  filters_.erase(filters_.find(f.column));
}

void subscriptions::column_leaves(column_index column) {
  if (filtered_) filtered_->column_leaves(column);
  if (live_) live_->column_leaves(column);
  std::erase_if(active_, [&](column_filters* f) {
    if (f->index != column) return false;
    f->index.reset();
    return true;
  });
}

void subscriptions::column_left() {
  if (filtered_) filtered_->column_left();
  if (live_) live_->column_left();
}

void subscriptions::column_is_dropped(column_index column, std::int64_t now_us, sql::work_budget& budget) {
  matched_before_drop_.clear();
  const auto filters = std::ranges::find(active_, column, &column_filters::index);
  if (filters != active_.end()) {
    absl::flat_hash_map<group*, std::vector<row_number>> rows;
    table_->directory().for_each([&](row_number row) {
      if (group* g = (*filters)->find(table_->get(row).at(column))) rows[g].push_back(row);
    });
    for (auto& [g, matched] : rows) matched_before_drop_.push_back({.of = g, .rows = std::move(matched)});
    std::ranges::sort(matched_before_drop_, {}, [](const matched_rows& m) { return m.of->targets.front().pubsubid; });
  }
  if (!filtered_) return;
  for (filtered_group* g : filtered_->readers_of(column)) {
    std::vector<row_number>& matched = matched_before_drop_.emplace_back(matched_rows{.of = g, .rows = {}}).rows;
    table_->directory().for_each([&](row_number row) {
      if (budget.steps_left > 0 && g->filter->matches(table_->get(row), now_us, budget)) matched.push_back(row);
    });
  }
  if (budget.steps_left == 0) matched_before_drop_.clear();
}

void subscriptions::on_dropped_column(std::span<const column_index> all, std::vector<event>& out) {
  for (const auto& [of, rows] : std::exchange(matched_before_drop_, {})) {
    if (of->of != nullptr) {
      for (const row_number row : rows) send(of, event_action::remove, table_->get(row), all, out);
    } else {
      send_moved(static_cast<filtered_group&>(*of), rows, all, out);
    }
  }
}

void subscriptions::send_moved(filtered_group& g, std::span<const row_number> matched_before,
                               std::span<const column_index> all, std::vector<event>& out) {
  const auto columns = g.list == nullptr ? all : g.list->columns();
  auto before = matched_before.begin();
  table_->directory().for_each([&](row_number number) {
    const bool matched = before != matched_before.end() && *before == number;
    if (matched) ++before;
    const row_view row = table_->get(number);
    if (g.is_over) return;
    budget_.begin_rows(1, row.size());
    const bool matches = g.filter->matches(row, now_us_, budget_.start());
    if (!budget_.charge(g)) return;
    if (matched != matches) send(&g, matches ? event_action::add : event_action::remove, row, columns, out);
  });
}

void subscriptions::move_to(const table& t) {
  table_ = &t;
  if (filtered_) filtered_->move_to(t);
  if (live_) live_->move_to(t);
  columns_changed();
}

void subscriptions::columns_changed() {
  if (filtered_) filtered_->columns_changed();
  if (live_) live_->columns_changed();
  active_.clear();
  std::vector<column_filters*> typed;
  for (const auto& [name, filters] : filters_) {
    filters->index = table_->find_column(name);
    if (!filters->index) continue;
    (table_->compares_texts(*filters->index) ? active_ : typed).push_back(filters.get());
  }
  for (column_filters* f : typed) read_as_predicates(*f);
  std::ranges::sort(active_, {}, [](const column_filters* f) { return *f->index; });
}

void subscriptions::send(group* g, event_action action, row_view row, std::span<const column_index> columns,
                         std::vector<event>& out) {
  if (g == nullptr) return;
  ++g->events;
  out.push_back({.action = action, .is_keyed = g->is_keyed, .columns = columns, .row = row, .targets = g->targets});
}

void subscriptions::send_to_all(event_action action, row_view row, std::span<const column_index> columns,
                                std::vector<event>& out) {
  if (!everything_->targets.empty()) send(everything_.get(), action, row, columns, out);
}

void subscriptions::send_filtered(std::span<filtered_group* const> groups, event_action action, row_view row,
                                  std::span<const column_index> all, std::vector<event>& out) {
  for (filtered_group* g : groups) send(g, action, row, g->list == nullptr ? all : g->list->columns(), out);
}

void subscriptions::send_removed(std::span<filtered_group* const> groups, row_view before, row_view after,
                                 std::span<const column_index> all, std::vector<event>& out) {
  for (filtered_group* const g : groups) {
    const bool is_hidden = g->filter && g->filter->hides_rows();
    send_filtered(std::span(&g, 1), event_action::remove, is_hidden ? before : after, all, out);
  }
}

void subscriptions::send_updated(std::span<filtered_group* const> groups, row_view before, row_view after,
                                 std::span<const column_index> assigned, std::span<const column_index> sent,
                                 std::vector<event>& out) {
  for (filtered_group* g : groups) {
    if (g->list == nullptr) {
      send(g, event_action::update, after, sent, out);
      continue;
    }
    const std::vector<column_index>& shown = g->list->update_of(statement_, assigned).shown;
    if (matching::differ(shown, before, after)) send(g, event_action::update, after, shown, out);
  }
}

void subscriptions::on_whole_row(event_action action, row_view row, std::span<const column_index> all,
                                 std::vector<event>& out) {
  send_to_all(action, row, all, out);
  for (const column_filters* f : active_) {
    send(f->find(column_text(row, *f->index).get()), action, row, all, out);
  }
  if (!filtered_) return;
  budget_.begin_rows(1, row.size());
  send_filtered(filtered_->matching(row, now_us_, budget_), action, row, all, out);
}

void subscriptions::on_insert(row_view row, std::span<const column_index> all, std::vector<event>& out) {
  on_whole_row(event_action::insert, row, all, out);
}

void subscriptions::on_publish(row_view row, std::span<const column_index> all, std::vector<event>& out) {
  on_whole_row(event_action::publish, row, all, out);
}

void subscriptions::on_delete(row_view row, std::span<const column_index> all, std::vector<event>& out) {
  on_whole_row(event_action::delete_row, row, all, out);
}

void subscriptions::on_update(row_view before, row_view after, std::span<const column_index> assigned,
                              std::span<const column_index> sent, std::span<const column_index> all,
                              std::vector<event>& out) {
  // Removes go first, then adds, then updates: so the groups that the row left or entered are looked at before those
  // that it stayed in.
  const auto moved = [&](const column_filters& f) {
    return std::ranges::find(assigned, *f.index) != assigned.end() && before.at(*f.index) != after.at(*f.index);
  };
  filtered_groups::movement filtered;
  if (filtered_) {
    budget_.begin_rows(1, before.size() + after.size());
    filtered = filtered_->move(before, after, assigned, now_us_, budget_);
  }
  for (const column_filters* f : active_) {
    if (moved(*f)) send(f->find(before.at(*f->index)), event_action::remove, after, all, out);
  }
  if (filtered_) send_removed(filtered.left, before, after, all, out);
  for (const column_filters* f : active_) {
    if (moved(*f)) send(f->find(after.at(*f->index)), event_action::add, after, all, out);
  }
  if (filtered_) send_filtered(filtered.entered, event_action::add, after, all, out);
  send_to_all(event_action::update, after, sent, out);
  for (const column_filters* f : active_) {
    if (moved(*f)) continue;
    send(f->find(column_text(after, *f->index).get()), event_action::update, after, sent, out);
  }
  if (filtered_) send_updated(filtered.stayed, before, after, assigned, sent, out);
}

}  // namespace pubsubsql::storage
