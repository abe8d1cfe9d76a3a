#include "server/binding_directory.hpp"

#include <algorithm>
#include <utility>

namespace pubsubsql::server {

namespace {

/// Ranks by the longest way to a table. What is in a circle, which only a store that was changed by others can have,
/// gets some rank.
class ranking {
 public:
  explicit ranking(binding_graph& of) : of_(of) {}

  void run() {
    for (const auto& [name, t] : of_.tables) visit(name);
    for (auto name = order_.rbegin(); name != order_.rend(); ++name) {
      const binding_graph::table& from = of_.tables.find(*name)->second;
      for (const std::string& queue : from.queues) {
        binding_graph::table& to = of_.tables.find(queue)->second;
        to.rank = std::max(to.rank, from.rank + 1);
      }
    }
  }

 private:
  /// A table comes behind all that it leads to. Without recursion: a chain may be long.
  void visit(const std::string& first) {
    struct step {
      const std::string* name;
      std::size_t next = 0;
    };
    if (!seen_.emplace(first, true).second) return;
    std::vector<step> way = {{.name = &first}};
    while (!way.empty()) {
      step& s = way.back();
      const std::vector<std::string>& queues = of_.tables.find(*s.name)->second.queues;
      if (s.next == queues.size()) {
        order_.push_back(*s.name);
        way.pop_back();
      } else if (const std::string& queue = queues[s.next++]; seen_.emplace(queue, true).second) {
        way.push_back({.name = &queue});
      }
    }
  }

  binding_graph& of_;
  storage::text_map<bool> seen_;
  std::vector<std::string> order_;
};

}  // namespace

bool binding_graph::is_bound(std::string_view from, std::string_view queue) const {
  const auto it = tables.find(from);
  return it != tables.end() && std::ranges::binary_search(it->second.queues, queue);
}

void binding_graph::append_reachable(std::string_view start, std::vector<std::string>& out) const {
  const std::size_t first = out.size();
  const auto append = [&](std::string_view from) {
    const auto it = tables.find(from);
    if (it == tables.end()) return;
    for (const std::string& queue : it->second.queues) {
      if (std::ranges::find(out, queue) == out.end()) out.push_back(queue);
    }
  };
  append(start);
  for (std::size_t i = first; i < out.size(); ++i) append(std::string(out[i]));
}

std::shared_ptr<const binding_graph> binding_directory::look() const {
  const std::scoped_lock lock(mutex_);
  if (is_stale_) build();
  return graph_;
}

void binding_directory::build() const {
  auto made = std::make_shared<binding_graph>();
  for (const auto& [name, all] : bound_) {
    std::vector<std::string> queues;
    for (const one& b : all) queues.push_back(b.what.queue);
    std::ranges::sort(queues);
    queues.erase(std::unique(queues.begin(), queues.end()), queues.end());
    for (const std::string& queue : queues) made->tables.try_emplace(queue);
    made->tables[name].queues = std::move(queues);
  }
  ranking(*made).run();
  graph_ = std::move(made);
  is_stale_ = false;
}

bool binding_directory::leads(std::string_view from, std::string_view to) const {
  std::vector<std::string_view> seen = {from};
  storage::text_map<bool> known;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (seen[i] == to) return true;
    const auto go_on = [&](std::string_view queue) {
      if (known.emplace(std::string(queue), true).second) seen.push_back(queue);
    };
    if (const auto it = bound_.find(seen[i]); it != bound_.end()) {
      for (const one& b : it->second) go_on(b.what.queue);
    }
    if (const auto it = claimed_.find(seen[i]); it != claimed_.end()) {
      for (const std::string& queue : it->second) go_on(queue);
    }
  }
  return false;
}

std::optional<std::uint64_t> binding_directory::claim(std::string_view table, std::string_view queue) {
  const std::scoped_lock lock(mutex_);
  if (leads(queue, table)) return std::nullopt;
  claimed_[std::string(table)].emplace_back(queue);
  return ++last_number_;
}

void binding_directory::set(std::string_view table, std::span<const storage::binding> all) {
  const std::scoped_lock lock(mutex_);
  if (const auto it = claimed_.find(table); it != claimed_.end()) claimed_.erase(it);
  const bool had_some = bound_.contains(table);
  if (!had_some && all.empty()) return;
  if (had_some) bound_.erase(bound_.find(table));
  if (!all.empty()) {
    std::vector<one>& here = bound_[std::string(table)];
    for (const storage::binding& b : all) here.push_back({.what = b.what, .copied = b.copied});
  }
  is_stale_ = true;
  version_.fetch_add(1, std::memory_order_release);
}

binding_directory::forgotten binding_directory::forget_queue(std::string_view queue) {
  const std::scoped_lock lock(mutex_);
  forgotten all{.tables = {}, .until = last_number_};
  for (auto& [table, bound] : bound_) {
    if (std::erase_if(bound, [&](const one& b) { return b.what.queue == queue; }) > 0) all.tables.push_back(table);
  }
  for (const std::string& table : all.tables) {
    if (const auto it = bound_.find(table); it->second.empty()) bound_.erase(it);
  }
  if (all.tables.empty()) return all;
  is_stale_ = true;
  version_.fetch_add(1, std::memory_order_release);
  return all;
}

std::vector<binding_directory::entry> binding_directory::list() const {
  std::vector<entry> all;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [table, bound] : bound_) {
      for (const one& b : bound) {
        all.push_back({.queue = b.what.queue,
                       .table = table,
                       .where = b.what.where,
                       .copied = b.copied->load(std::memory_order_relaxed)});
      }
    }
  }
  std::ranges::stable_sort(
      all, {}, [](const entry& e) { return std::pair<const std::string&, const std::string&>(e.queue, e.table); });
  return all;
}

}  // namespace pubsubsql::server
