#include "server/reply_slots.hpp"

#include <utility>

namespace pubsubsql::server {

std::uint64_t reply_slots::open(std::uint64_t pubsubid) {
  // Taken slots are dropped once they are half of all, so the vector stays within twice what is due.
  if (first_ > 0 && first_ * 2 >= slots_.size()) {
    slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  slots_.push_back({.bytes = {}, .pubsubid = pubsubid, .done = false});
  if (pubsubid != 0) ++subscribing_;
  return first_number_ + size() - 1;
}

reply_slots::slot* reply_slots::find(std::uint64_t number) {
  if (number < first_number_ || number >= first_number_ + size()) return nullptr;
  return &slots_[first_ + static_cast<std::size_t>(number - first_number_)];
}

reply_slots::slot* reply_slots::find_subscription(std::uint64_t pubsubid) {
  if (subscribing_ == 0) return nullptr;
  for (std::size_t i = first_; i < slots_.size(); ++i) {
    if (slots_[i].pubsubid == pubsubid) return &slots_[i];
  }
  return nullptr;
}

std::optional<reply_slots::slot> reply_slots::take_first_done() {
  if (empty() || !slots_[first_].done) return std::nullopt;
  slot taken = std::move(slots_[first_]);
  ++first_;
  ++first_number_;
  if (taken.pubsubid != 0) --subscribing_;
  reply_bytes_ -= taken.bytes.size() - taken.event_bytes;
  event_bytes_ -= taken.event_bytes;
  if (empty()) {
    slots_.clear();
    first_ = 0;
  }
  return taken;
}

}  // namespace pubsubsql::server
