#include <stdexcept>

#include "tools/bench/event_text.hpp"
#include "tools/bench/pubsub_wire.hpp"

namespace bench {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t number_from_end = number_from_event_end + line_end.size();

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + std::string(line_end) + std::string(text) + std::string(line_end);
}

/// Channels have names of the same size, and so have all messages to subscribers, which makes them cheap to count.
class redis_wire : public pubsub_wire {
 public:
  redis_wire(std::size_t keys, bool by_key) : by_key_(by_key) {
    for (std::size_t key = 0; key < keys; ++key) {
      publishes_.push_back("*3\r\n" + bulk("PUBLISH") + bulk(channel(key)) + bulk(update_event(make_stock(key))));
    }
    message_begin_ = "*3\r\n" + bulk("message");
    message_bytes_ = message_begin_.size() + bulk(channel(0)).size() + bulk(update_event(make_stock(0))).size();
    confirmation_begin_ = "*3\r\n" + bulk("subscribe");
    confirmation_count_ = confirmation_begin_.size() + bulk(channel(0)).size();
  }

  std::string subscribe(std::optional<std::size_t> key) override {
    return "*2\r\n" + bulk("SUBSCRIBE") + bulk(channel(key.value_or(0)));
  }

  void publish(std::string& out, std::size_t key, std::uint64_t number) override {
    out += publishes_[key];
    put_number(out.data() + out.size() - number_from_end, number);
  }

  std::size_t take(std::string_view input, received& r) override {
    std::size_t at = 0;
    while (at < input.size()) {
      const std::size_t bytes = take_one(input.substr(at), r);
      if (bytes == 0) break;
      at += bytes;
    }
    return at;
  }

 private:
  [[nodiscard]] std::string channel(std::size_t key) const {
    return std::string(stocks_table) + (by_key_ ? "." + make_stock(key).ticker : "");
  }

  /// The size of the message at the front; 0 when it is not complete.
  std::size_t take_one(std::string_view input, received& r) const {
    if (input.front() == ':') return through_line_end(input, 0);  // how many subscribers a publish had
    if (input.front() != '*')
      throw std::runtime_error("Redis says: " + std::string(input.substr(0, stock_event_bytes)));
    if (input.size() < confirmation_begin_.size()) return 0;
    if (input.starts_with(message_begin_)) {
      if (input.size() < message_bytes_) return 0;
      ++r.events;
      if (r.wants_numbers) r.numbers.push_back(number_in(input.substr(message_bytes_ - number_from_end)));
      return message_bytes_;
    }
    if (!input.starts_with(confirmation_begin_)) throw std::runtime_error("Redis sends what was not subscribed to");
    const std::size_t bytes = through_line_end(input, confirmation_count_);
    if (bytes > 0) ++r.confirmations;
    return bytes;
  }

  static std::size_t through_line_end(std::string_view input, std::size_t from) {
    const std::size_t end = input.find(line_end, from);
    return end == std::string_view::npos ? 0 : end + line_end.size();
  }

  bool by_key_;
  std::vector<std::string> publishes_;  // by key
  std::string message_begin_;
  std::size_t message_bytes_ = 0;
  std::string confirmation_begin_;
  std::size_t confirmation_count_ = 0;
};

}  // namespace

std::unique_ptr<pubsub_wire> make_redis_wire(std::size_t keys, bool by_key) {
  return std::make_unique<redis_wire>(keys, by_key);
}

}  // namespace bench
