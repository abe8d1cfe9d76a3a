#include "storage/matching/filtered_groups.hpp"

#include <algorithm>
#include <utility>

#include "storage/shrink.hpp"

namespace pubsubsql::storage::matching {

namespace {

/// Appends a text so that what follows it cannot be taken for a part of it.
void append_counted(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(1, ':').append(text);
}

std::string key_of_list(std::span<const std::string_view> columns) {
  std::string key;
  for (const std::string_view name : columns) append_counted(key, name);
  return key;
}

}  // namespace

filtered_groups::filtered_groups(const table& of) : table_(&of), index_(of) {}

column_list& filtered_groups::list_of(std::span<const std::string_view> columns) {
  std::unique_ptr<column_list>& list = lists_[key_of_list(columns)];
  if (!list) {
    list = std::make_unique<column_list>(columns);
    list->bind(*table_);
  }
  return *list;
}

void filtered_groups::drop_list(column_list& list) {
  if (--list.users > 0) return;
  const std::vector<std::string_view> names(list.names().begin(), list.names().end());
  lists_.erase(lists_.find(key_of_list(names)));
  shrink_if_sparse(lists_);
}

filtered_group& filtered_groups::group_of(std::unique_ptr<row_filter> filter, std::string_view canonical_text,
                                          std::optional<std::span<const std::string_view>> columns) {
  std::string key;
  append_counted(key, filter ? canonical_text : std::string_view{});
  if (columns) key.append(1, '/').append(key_of_list(*columns));
  if (const auto it = groups_.find(std::string_view(key)); it != groups_.end()) return **it;

  auto made = std::make_unique<filtered_group>();
  filtered_group& g = *made;
  g.number = ++groups_made_;
  g.key = std::move(key);
  g.filter = std::move(filter);
  if (columns) {
    g.list = &list_of(*columns);
    ++g.list->users;
  }
  groups_.insert(std::move(made));
  bind(g);
  enter(g);
  return g;
}

void filtered_groups::drop(filtered_group& g) {
  leave(g);
  if (g.list != nullptr) drop_list(*g.list);
  groups_.erase(groups_.find(std::string_view(g.key)));
  shrink_if_sparse(groups_);
}

void filtered_groups::bind(filtered_group& g) {
  if (g.filter) g.filter->bind(*table_);
}

/// Lets a group be found, as it is bound.
void filtered_groups::enter(filtered_group& g) {
  index_.insert(g);
  if (!g.filter) return;
  for (const column_index column : g.filter->columns()) {
    if (column >= readers_.size()) readers_.resize(column + 1);
    ++readers_[column];
  }
  for (const std::string& name : g.filter->missing()) waiting_[name].insert(&g);
}

void filtered_groups::leave(filtered_group& g) {
  index_.erase(g);
  if (!g.filter) return;
  for (const column_index column : g.filter->columns()) --readers_[column];
  for (const std::string& name : g.filter->missing()) {
    const auto it = waiting_.find(name);
    it->second.erase(&g);
    if (it->second.empty()) waiting_.erase(it);
  }
}

void filtered_groups::column_added(std::string_view name) {
  for (auto& [key, list] : lists_) {
    if (std::ranges::find(list->names(), name) != list->names().end()) list->bind(*table_);
  }
  const auto it = waiting_.find(name);
  if (it == waiting_.end()) return;
  std::vector<filtered_group*> groups(it->second.begin(), it->second.end());
  std::ranges::sort(groups, {}, &filtered_group::number);
  for (filtered_group* g : groups) {
    leave(*g);
    bind(*g);
    enter(*g);
  }
}

std::vector<filtered_group*> filtered_groups::readers_of(column_index column) const {
  std::vector<filtered_group*> out;
  if (column >= readers_.size() || readers_[column] == 0) return out;
  for (const auto& g : groups_) {
    if (g->filter && std::ranges::binary_search(g->filter->columns(), column)) out.push_back(g.get());
  }
  std::ranges::sort(out, {}, &filtered_group::number);
  return out;
}

void filtered_groups::column_leaves(column_index column) {
  unbound_ = readers_of(column);
  for (filtered_group* g : unbound_) leave(*g);
}

void filtered_groups::column_left() {
  for (auto& [key, list] : lists_) list->bind(*table_);
  for (filtered_group* g : std::exchange(unbound_, {})) {
    bind(*g);
    enter(*g);
  }
}

void filtered_groups::move_to(const table& t) {
  table_ = &t;
  index_.move_to(t);
}

void filtered_groups::columns_changed() {
  // What the groups were entered by does not hold any more: all of it is made anew.
  index_.clear();
  readers_.clear();
  waiting_.clear();
  for (auto& [key, list] : lists_) list->bind(*table_);
  std::vector<filtered_group*> groups;
  for (const auto& g : groups_) groups.push_back(g.get());
  std::ranges::sort(groups, {}, &filtered_group::number);
  for (filtered_group* g : groups) {
    bind(*g);
    enter(*g);
  }
}

std::span<filtered_group* const> filtered_groups::matching(row_view row, std::int64_t now_us, match_budget& budget) {
  after_.clear();
  index_.find(row, now_us, budget, [&](filtered_group& g) { after_.push_back(&g); });
  return after_;
}

bool filtered_groups::may_move(row_view before, row_view after, std::span<const column_index> assigned) const {
  return std::ranges::any_of(assigned, [&](column_index column) {
    return column < readers_.size() && readers_[column] > 0 && before.at(column) != after.at(column);
  });
}

filtered_groups::movement filtered_groups::move(row_view before, row_view after, std::span<const column_index> assigned,
                                                std::int64_t now_us, match_budget& budget) {
  if (!may_move(before, after, assigned)) return {.left = {}, .entered = {}, .stayed = matching(after, now_us, budget)};
  before_.clear();
  after_.clear();
  stayed_.clear();
  // Who matched before is marked; who matches now as well loses the mark, so that the others who had it are left.
  const std::uint64_t mark = ++changes_;
  index_.find(before, now_us, budget, [&](filtered_group& g) {
    g.matched = mark;
    before_.push_back(&g);
  });
  index_.find(after, now_us, budget, [&](filtered_group& g) {
    if (g.matched == mark) {
      g.matched = 0;
      stayed_.push_back(&g);
    } else {
      after_.push_back(&g);
    }
  });
  std::erase_if(before_, [&](const filtered_group* g) { return g->matched != mark; });
  return {.left = before_, .entered = after_, .stayed = stayed_};
}

}  // namespace pubsubsql::storage::matching
