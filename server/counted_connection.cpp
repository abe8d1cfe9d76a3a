#include "server/counted_connection.hpp"

#include <utility>

#include "server/shared_state.hpp"

namespace pubsubsql::server {

counted_connection::counted_connection(counted_connection&& other) noexcept
    : shared_(std::exchange(other.shared_, nullptr)), address_(std::move(other.address_)), admitted_(other.admitted_) {}

void counted_connection::release() {
  if (shared_ == nullptr) return;
  if (admitted_ == admission::served) {
    shared_->origins.remove(address_);
    shared_->connections.fetch_sub(1, std::memory_order_relaxed);
  }
  std::exchange(shared_, nullptr)->connection_ended();
}

}  // namespace pubsubsql::server
