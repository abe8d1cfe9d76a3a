#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/table_bindings.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::server {

/// Which tables copy rows to which others, as of one moment. Immutable.
struct binding_graph {
  struct table {
    std::vector<std::string> queues;  ///< that it copies to, each once, in the order of their names
    unsigned rank = 0;                ///< larger than those of all tables that copy to it
  };
  storage::text_map<table> tables;  ///< all that a binding names

  [[nodiscard]] bool is_source(std::string_view name) const {
    const auto it = tables.find(name);
    return it != tables.end() && !it->second.queues.empty();
  }
  [[nodiscard]] bool is_bound(std::string_view table, std::string_view queue) const;
  [[nodiscard]] unsigned rank_of(std::string_view name) const {
    const auto it = tables.find(name);
    return it == tables.end() ? 0 : it->second.rank;
  }
  /// Appends all queues that rows of a table can get to, those that get them from other queues among them. Those that
  /// are in `out` already are left out, with what they lead to.
  void append_reachable(std::string_view table, std::vector<std::string>& out) const;
};

/// What is bound to what, in all tables: so a session's worker knows that an insert is about more than its table, and
/// a circle is found before it is closed. The tables themselves have the bindings, and the stores keep them there.
/// Shared by all workers and thread-safe.
class binding_directory {
 public:
  binding_directory() : graph_(std::make_shared<const binding_graph>()) {}

  /// Another with each change of what look() shows; begins with 0, when there are no bindings.
  [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  [[nodiscard]] std::shared_ptr<const binding_graph> look() const;

  /// Whether a queue may be bound to a table: not if its rows get there. If so, that is noted until set() is called for
  /// the table, and the binding gets a number, which rises.
  [[nodiscard]] std::optional<std::uint64_t> claim(std::string_view table, std::string_view queue);

  /// What is bound to the table now.
  void set(std::string_view table, std::span<const storage::binding> all);

  /// Nothing is bound to these tables any more, since the queue has been dropped.
  struct forgotten {
    std::vector<std::string> tables;
    std::uint64_t until = 0;  ///< the number of the last binding that may be meant
  };
  [[nodiscard]] forgotten forget_queue(std::string_view queue);

  /// A binding, for a listing.
  struct entry {
    std::string queue;
    std::string table;
    std::string where;
    std::uint64_t copied = 0;
  };
  /// By queue and table; those of one queue and one table in the order in which they were made.
  [[nodiscard]] std::vector<entry> list() const;

 private:
  struct one {
    storage::binding_description what;
    std::shared_ptr<std::atomic<std::uint64_t>> copied;
  };

  [[nodiscard]] bool leads(std::string_view from, std::string_view to) const;
  void build() const;

  mutable std::mutex mutex_;
  std::atomic<std::uint64_t> version_{0};
  storage::text_map<std::vector<one>> bound_;            // by table
  storage::text_map<std::vector<std::string>> claimed_;  // queues, by table
  std::uint64_t last_number_ = 0;
  mutable std::shared_ptr<const binding_graph> graph_;
  mutable bool is_stale_ = false;  // graph_ is not that of bound_
};

/// A worker's view of the directory.
class binding_view {
 public:
  explicit binding_view(const binding_directory& of) : of_(of), graph_(of.look()) {}

  /// Valid until the next call.
  [[nodiscard]] const binding_graph& get() {
    if (of_.version() != seen_) refresh();
    return *graph_;
  }

 private:
  void refresh() {
    seen_ = of_.version();
    graph_ = of_.look();
  }

  const binding_directory& of_;
  std::uint64_t seen_ = 0;
  std::shared_ptr<const binding_graph> graph_;
};

}  // namespace pubsubsql::server
