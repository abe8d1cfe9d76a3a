#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// What a connection of the null server has to send. As from pubsubsqld, events join the message before them as long as
/// that is of the same subscription, has less than 100 rows, and no part of it was given to the kernel. Its counts are
/// written when no more can join.
class null_output {
 public:
  explicit null_output(int descriptor) : descriptor_(descriptor) {}

  /// The buffer to append replies to. Valid until the next call.
  [[nodiscard]] std::string& replies();
  /// Appends an event of the subscription. `begin` is its message up to the number of rows.
  void append_event(std::uint64_t pubsubid, std::string_view begin, std::string_view row);

  [[nodiscard]] std::string_view unsent();
  void sent(std::size_t bytes);

  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  void end_event();

  int descriptor_;
  std::string bytes_;
  std::size_t sent_ = 0;
  /// The event message that may still grow: it is the last, and lacks its end.
  std::uint64_t pubsubid_ = 0;  // 0: there is none
  std::size_t begins_at_ = 0;
  std::size_t counts_at_ = 0;
  std::size_t rows_ = 0;
};

/// Who has subscribed to what at a null server: to the table of stocks or to one stock by its ticker. Updates become
/// ready-made events into which nothing but the number of the publish is put.
class null_events {
 public:
  /// Appends the reply.
  void subscribe(null_output& to, std::string_view statement, std::uint32_t request_id);
  /// Events for an update of a stock by its ticker.
  void update(std::string_view statement);
  /// The descriptors of those that got events since this was last called.
  [[nodiscard]] std::vector<int> take_changed();
  /// REQUIRES: called before an output that has subscribed goes.
  void forget(const null_output& gone);

  [[nodiscard]] bool empty() const { return subscriptions_ == 0; }

 private:
  struct subscription {
    null_output* to;
    std::uint64_t pubsubid;
    std::string begin;
    std::uint64_t turn = 0;  ///< in which it has got events
  };

  void deliver(subscription& s, std::string_view row);
  [[nodiscard]] std::string& row_of(std::size_t stock);

  std::vector<subscription> to_all_;
  std::vector<std::vector<subscription>> by_stock_;
  std::vector<std::string> rows_;  // by stock; empty when not made yet
  std::uint64_t subscriptions_ = 0;
  std::uint64_t last_pubsubid_ = 0;
  std::uint64_t turn_ = 1;
  std::vector<int> changed_;
};

}  // namespace bench
