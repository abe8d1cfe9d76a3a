#include "storage/subscriptions.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include "storage/shrink.hpp"

namespace pubsubsql::storage {

/// The subscriptions with one filter, by rising pubsubid.
struct subscriptions::group {
  absl::InlinedVector<event_target, 1> targets;
  column_filters* of = nullptr;  // nullptr: no filter
  std::string text;
};

/// The groups whose filter names one column.
struct subscriptions::column_filters {
  /// A set of groups, looked up by their texts.
  struct hash_of_text {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return text_hash()(text); }
    std::size_t operator()(const std::unique_ptr<group>& g) const { return text_hash()(g->text); }
  };
  struct same_text {
    using is_transparent = void;
    bool operator()(const std::unique_ptr<group>& a, const std::unique_ptr<group>& b) const {
      return a->text == b->text;
    }
    bool operator()(const std::unique_ptr<group>& a, std::string_view text) const { return a->text == text; }
  };

  std::string column;
  std::optional<column_index> index;  // nothing while the table has no such column
  absl::flat_hash_set<std::unique_ptr<group>, hash_of_text, same_text> by_text;
  std::unique_ptr<group> never;  // `column = null`

  [[nodiscard]] const group* find(const value& v) const {
    if (!v) return nullptr;
    const auto it = by_text.find(*v);
    return it == by_text.end() ? nullptr : it->get();
  }
};

namespace {

constexpr std::size_t id_digits_max = std::numeric_limits<std::uint64_t>::digits10 + 1;

/// A row's value of any column, `id` included, whose digits it holds.
class column_text {
 public:
  column_text(row_view row, column_index column) {
    if (column != id_column) {
      value_ = row.at(column);
    } else {
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

subscriptions::subscriptions() : everything_(std::make_unique<group>()) {}
subscriptions::~subscriptions() = default;

subscriptions::column_filters& subscriptions::filters_of(std::string_view column, std::optional<column_index> index) {
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
      auto made = std::make_unique<group>();
      g = made.get();
      g->of = &filters;
      if (f->text) {
        g->text = *f->text;
        filters.by_text.insert(std::move(made));
      } else {
        filters.never = std::move(made);
      }
    }
  }
  const auto at = std::ranges::upper_bound(g->targets, target.pubsubid, {}, &event_target::pubsubid);
  g->targets.insert(at, target);
  by_id_.emplace(target.pubsubid, g);
}

void subscriptions::remove(std::uint64_t pubsubid) {
  const auto it = by_id_.find(pubsubid);
  group* g = it->second;
  by_id_.erase(it);
  shrink_if_sparse(by_id_);
  g->targets.erase(std::ranges::lower_bound(g->targets, pubsubid, {}, &event_target::pubsubid));
  drop_if_empty(g);
}

void subscriptions::remove_all(subscriber_id subscriber, std::span<const std::uint64_t> pubsubids) {
  absl::flat_hash_set<group*> groups;
  for (const std::uint64_t pubsubid : pubsubids) {
    const auto it = by_id_.find(pubsubid);
    groups.insert(it->second);
    by_id_.erase(it);
  }
  shrink_if_sparse(by_id_);
  for (group* g : groups) {
    const auto mine = [&](const event_target& target) { return target.subscriber == subscriber; };
    g->targets.erase(std::remove_if(g->targets.begin(), g->targets.end(), mine), g->targets.end());
    drop_if_empty(g);
  }
}

void subscriptions::drop_if_empty(group* g) {
  if (!g->targets.empty() || g->of == nullptr) return;
  column_filters* filters = g->of;
  if (g == filters->never.get()) {
    filters->never.reset();
  } else {
    filters->by_text.erase(filters->by_text.find(std::string_view(g->text)));
    shrink_if_sparse(filters->by_text);
  }
  if (!filters->by_text.empty() || filters->never) return;
  std::erase(active_, filters);
  filters_.erase(filters_.find(filters->column));
  shrink_if_sparse(filters_);
}

void subscriptions::column_added(std::string_view name, column_index column) {
  const auto it = filters_.find(name);
  if (it == filters_.end()) return;
  it->second->index = column;
  active_.push_back(it->second.get());
}

void subscriptions::column_removed(column_index column) {
  std::erase_if(active_, [&](column_filters* f) {
    if (f->index != column) return false;
    f->index.reset();
    return true;
  });
}

void subscriptions::send(const group* g, event_action action, row_view row, std::span<const column_index> columns,
                         std::vector<event>& out) {
  if (g == nullptr) return;
  out.push_back({.action = action, .columns = columns, .row = row, .targets = g->targets});
}

void subscriptions::send_to_all(event_action action, row_view row, std::span<const column_index> columns,
                                std::vector<event>& out) const {
  if (!everything_->targets.empty()) send(everything_.get(), action, row, columns, out);
}

void subscriptions::on_whole_row(event_action action, row_view row, std::span<const column_index> all,
                                 std::vector<event>& out) const {
  send_to_all(action, row, all, out);
  for (const column_filters* f : active_) {
    send(f->find(column_text(row, *f->index).get()), action, row, all, out);
  }
}

void subscriptions::on_insert(row_view row, std::span<const column_index> all, std::vector<event>& out) const {
  on_whole_row(event_action::insert, row, all, out);
}

void subscriptions::on_delete(row_view row, std::span<const column_index> all, std::vector<event>& out) const {
  on_whole_row(event_action::delete_row, row, all, out);
}

void subscriptions::on_update(row_view before, row_view after, std::span<const column_index> assigned,
                              std::span<const column_index> sent, std::span<const column_index> all,
                              std::vector<event>& out) const {
  // Removes go first, then adds, then updates: so the groups that the row left or entered are looked at before those
  // that it stayed in.
  const auto moved = [&](const column_filters& f) {
    return std::ranges::find(assigned, *f.index) != assigned.end() && before.at(*f.index) != after.at(*f.index);
  };
  for (const column_filters* f : active_) {
    if (moved(*f)) send(f->find(before.at(*f->index)), event_action::remove, after, all, out);
  }
  for (const column_filters* f : active_) {
    if (moved(*f)) send(f->find(after.at(*f->index)), event_action::add, after, all, out);
  }
  send_to_all(event_action::update, after, sent, out);
  for (const column_filters* f : active_) {
    if (moved(*f)) continue;
    send(f->find(column_text(after, *f->index).get()), event_action::update, after, sent, out);
  }
}

}  // namespace pubsubsql::storage
