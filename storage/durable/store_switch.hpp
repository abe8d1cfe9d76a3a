#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "storage/durable/store.hpp"

namespace pubsubsql::storage::durable {

/// Where workers hand over their changes, while stores come and go behind it. Thread-safe, but a store may only be
/// exchanged when no worker submits.
class store_switch : public store {
 public:
  /// nullptr: there is no store.
  void set(store* to) { to_.store(to, std::memory_order_release); }
  [[nodiscard]] bool has_store() const { return to_.load(std::memory_order_relaxed) != nullptr; }

  /// REQUIRES: has_store().
  void submit(std::vector<write>& writes) override { to_.load(std::memory_order_acquire)->submit(writes); }
  [[nodiscard]] std::size_t queued_bytes() const override {
    const store* const to = to_.load(std::memory_order_acquire);
    return to == nullptr ? 0 : to->queued_bytes();
  }
  /// The stores behind it are stopped by those who made them.
  void stop() override {}

 private:
  std::atomic<store*> to_ = nullptr;
};

}  // namespace pubsubsql::storage::durable
