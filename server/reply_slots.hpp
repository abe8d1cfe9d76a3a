#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/metrics/statement_mark.hpp"

namespace pubsubsql::server {

/// The replies of one connection that are still due, in the order of its requests. A request answered by another worker
/// opens a slot; whatever is answered after it waits behind. Sans-io; lives in a session.
class reply_slots {
 public:
  /// One request's reply, and the events that must not overtake it.
  struct slot {
    std::string bytes;
    std::uint64_t pubsubid = 0;  ///< of the subscription that the request makes; 0: none
    bool done = false;
    std::size_t event_bytes = 0;    ///< of `bytes`, at their end
    std::size_t request_bytes = 0;  ///< of the request, which is kept until it is done
    statement_mark mark = {};       ///< of the request
  };

  [[nodiscard]] bool empty() const { return first_ == slots_.size(); }
  [[nodiscard]] std::size_t size() const { return slots_.size() - first_; }

  /// Opens a slot behind the others and returns its number.
  std::uint64_t open(std::uint64_t pubsubid = 0);

  /// The request of a slot takes so many bytes until its reply is there. REQUIRES: it is not.
  void note_request(slot& s, std::size_t bytes) {
    s.request_bytes = bytes;
    request_bytes_ += bytes;
  }

  /// The slot of that number, or nullptr when there is none any more.
  [[nodiscard]] slot* find(std::uint64_t number);

  /// The slot whose request makes that subscription, if its reply is still due.
  [[nodiscard]] slot* find_subscription(std::uint64_t pubsubid);

  /// The reply of a slot is there, before what the slot has of events.
  void fill(slot& s, std::string reply) {
    request_bytes_ -= std::exchange(s.request_bytes, 0);
    reply_bytes_ += reply.size();
    if (s.bytes.empty()) {
      s.bytes = std::move(reply);
    } else {
      s.bytes.insert(0, reply);
    }
    s.done = true;
  }
  /// `append` adds an event behind the reply of a slot.
  template <typename Append>
  void add_event(slot& s, Append&& append) {
    const std::size_t before = s.bytes.size();
    append(s.bytes);
    s.event_bytes += s.bytes.size() - before;
    event_bytes_ += s.bytes.size() - before;
  }

  // What waits here, events apart.
  [[nodiscard]] std::size_t reply_bytes() const { return reply_bytes_; }
  [[nodiscard]] std::size_t event_bytes() const { return event_bytes_; }
  /// Of requests whose replies are still due.
  [[nodiscard]] std::size_t request_bytes() const { return request_bytes_; }

  /// Takes the first slot if its reply is there.
  [[nodiscard]] std::optional<slot> take_first_done();

 private:
  std::vector<slot> slots_;
  std::size_t first_ = 0;           // slots before it have been taken
  std::uint64_t first_number_ = 1;  // number of slots_[first_]
  std::size_t subscribing_ = 0;     // slots with a pubsubid
  std::size_t reply_bytes_ = 0;
  std::size_t event_bytes_ = 0;
  std::size_t request_bytes_ = 0;
};

}  // namespace pubsubsql::server
