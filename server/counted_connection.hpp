#pragma once

#include <string>
#include <utility>

#include "server/connection_origins.hpp"

namespace pubsubsql::server {

struct shared_state;

/// A client's connection as the server counts it: from where it comes, and whether it is served. Counts as long as it
/// lives, unless it is released before. Moved between threads, used by one at a time.
class counted_connection {
 public:
  /// One that has been counted where connections are accepted. `shared` outlives it.
  counted_connection(shared_state& shared, std::string address, admission admitted)
      : shared_(&shared), address_(std::move(address)), admitted_(admitted) {}
  /// A session within a connection that is counted already.
  explicit counted_connection(std::string address) : address_(std::move(address)) {}
  ~counted_connection() { release(); }
  counted_connection(counted_connection&& other) noexcept;
  counted_connection& operator=(counted_connection&&) = delete;

  /// Of the client, as logs show it.
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] admission admitted() const { return admitted_; }

  /// Does not count any more.
  void release();

 private:
  shared_state* shared_ = nullptr;  // nullptr: does not count
  std::string address_;
  admission admitted_ = admission::served;
};

}  // namespace pubsubsql::server
