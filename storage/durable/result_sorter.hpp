#pragma once

#include <utility>
#include <vector>

#include "storage/durable/store.hpp"

namespace pubsubsql::storage::durable {

/// Collects results and hands them over by worker. What was committed one after the other in a queue is handed over as
/// one result: a commit speaks for all before it.
class result_sorter {
 public:
  explicit result_sorter(result_handler to) : to_(std::move(to)) {}

  void add(write_result r) {
    const unsigned worker = r.origin.worker;
    if (by_worker_.size() <= worker) by_worker_.resize(worker + 1);
    std::vector<write_result>& results = by_worker_[worker];
    if (!results.empty() && is_committed(r) && is_committed(results.back()) &&
        results.back().origin.queue == r.origin.queue) {
      results.back().origin.ticket = r.origin.ticket;
    } else {
      results.push_back(std::move(r));
    }
  }

  void hand_over() {
    for (unsigned worker = 0; worker < by_worker_.size(); ++worker) {
      if (by_worker_[worker].empty()) continue;
      to_(worker, by_worker_[worker]);
      by_worker_[worker].clear();
    }
  }

 private:
  static bool is_committed(const write_result& r) { return r.what == write_result::fate::committed; }

  result_handler to_;
  std::vector<std::vector<write_result>> by_worker_;
};

}  // namespace pubsubsql::storage::durable
