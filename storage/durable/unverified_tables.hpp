#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/durable/mysql_catalog.hpp"

namespace pubsubsql::storage::durable {

/// Tables of the data directory of which MySQL may have got changes that the directory has not, because a server ended
/// between the two commits and the next began when MySQL was not there. Where nobody was told of a change it has to be
/// given up before anything is written to MySQL, whichever tables are written.
class unverified_tables {
 public:
  struct entry {
    std::string table;
    std::uint64_t sequence = 0;           ///< of the last change that the data directory had at the start
    std::uint64_t made_at = 0;            ///< see table_description
    std::vector<catalog_column> columns;  ///< all but `id`, as they were at the start
  };

  /// In place of what was said of the table before. To be called before any thread verifies.
  void add(const table_description& d) {
    left_.insert_or_assign(
        d.name, entry{.table = d.name, .sequence = d.sequence, .made_at = d.made_at, .columns = catalog_columns(d)});
  }

  /// Has `verify` look at each that is left; where it throws, the rest stays for the next call. From any thread, one at
  /// a time: when this returns, all are verified.
  void verify_all(const std::function<void(const entry&)>& verify) {
    const std::scoped_lock lock(mutex_);
    while (!left_.empty()) {
      verify(left_.begin()->second);
      left_.erase(left_.begin());
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::string, entry> left_;  // guarded by mutex_
};

}  // namespace pubsubsql::storage::durable
