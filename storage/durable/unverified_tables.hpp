#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pubsubsql::storage::durable {

/// Tables that the server began with when MySQL was not there. MySQL may have got changes of them that the data
/// directory has not, because the server before ended between the two commits: it has to give them up before anything
/// is written to it, whichever tables are written.
class unverified_tables {
 public:
  struct entry {
    std::string table;
    std::uint64_t sequence = 0;  ///< of the last change that the data directory had at the start
  };

  /// To be called before any thread verifies.
  void add(std::string_view table, std::uint64_t sequence) { left_.push_back({std::string(table), sequence}); }

  /// Has `verify` look at each that is left; where it throws, the rest stays for the next call. From any thread, one at
  /// a time: when this returns, all are verified.
  void verify_all(const std::function<void(const entry&)>& verify) {
    const std::scoped_lock lock(mutex_);
    while (!left_.empty()) {
      verify(left_.back());
      left_.pop_back();
    }
  }

 private:
  std::mutex mutex_;
  std::vector<entry> left_;  // guarded by mutex_
};

}  // namespace pubsubsql::storage::durable
