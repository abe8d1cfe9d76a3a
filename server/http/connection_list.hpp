#pragma once

#include <unordered_set>

namespace pubsubsql::server::http {

class connection;

/// The HTTP connections of a worker, for when the server stops. Used by the worker's thread only.
class connection_list {
 public:
  void add(connection& c) { open_.insert(&c); }
  void remove(connection& c) { open_.erase(&c); }
  /// Has each finish, and those that come later, too.
  void finish();
  [[nodiscard]] bool is_finishing() const { return finishing_; }

 private:
  std::unordered_set<connection*> open_;
  bool finishing_ = false;
};

}  // namespace pubsubsql::server::http
