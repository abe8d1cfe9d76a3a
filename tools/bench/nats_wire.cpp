#include <stdexcept>

#include "tools/bench/event_text.hpp"
#include "tools/bench/pubsub_wire.hpp"

namespace bench {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t number_from_end = number_from_event_end + line_end.size();

/// Only the line before an event varies in size, by the number of the subscription in it.
class nats_wire : public pubsub_wire {
 public:
  nats_wire(std::size_t keys, bool by_key) : by_key_(by_key) {
    for (std::size_t key = 0; key < keys; ++key) {
      const std::string event = update_event(make_stock(key));
      publishes_.push_back("PUB " + subject(key) + " " + std::to_string(event.size()) + "\r\n" + event + "\r\n");
    }
  }

  std::string hello() const override {
    return R"(CONNECT {"verbose":false,"pedantic":false,"echo":false,"lang":"c++","version":"1"})" +
           std::string(line_end);
  }
  std::string answer() const override { return "PONG\r\n"; }
  std::string confirm() const override { return "PING\r\n"; }

  std::string subscribe(std::optional<std::size_t> key) override {
    return "SUB " + subject(key.value_or(0)) + " " + std::to_string(++subscriptions_) + std::string(line_end);
  }

  void publish(std::string& out, std::size_t key, std::uint64_t number) override {
    out += publishes_[key];
    put_number(out.data() + out.size() - number_from_end, number);
  }

  std::size_t take(std::string_view input, received& r) override {
    std::size_t at = 0;
    while (at < input.size()) {
      const std::size_t end = input.find('\n', at);
      if (end == std::string_view::npos) break;
      const std::string_view line = input.substr(at, end - at);
      if (line.starts_with("MSG ")) {
        const std::size_t next = end + 1 + stock_event_bytes + line_end.size();
        if (input.size() < next) break;
        ++r.events;
        if (r.wants_numbers) r.numbers.push_back(number_in(input.substr(next - number_from_end)));
        at = next;
      } else {
        take_line(line, r);
        at = end + 1;
      }
    }
    return at;
  }

 private:
  [[nodiscard]] std::string subject(std::size_t key) const {
    return std::string(stocks_table) + (by_key_ ? "." + make_stock(key).ticker : "");
  }

  static void take_line(std::string_view line, received& r) {
    if (line.starts_with("PONG")) {
      ++r.confirmations;
    } else if (line.starts_with("PING")) {
      r.must_answer = true;
    } else if (!line.starts_with("INFO ") && !line.starts_with("+OK")) {
      throw std::runtime_error("NATS says: " + std::string(line));
    }
  }

  bool by_key_;
  std::vector<std::string> publishes_;  // by key
  std::uint64_t subscriptions_ = 0;
};

}  // namespace

std::unique_ptr<pubsub_wire> make_nats_wire(std::size_t keys, bool by_key) {
  return std::make_unique<nats_wire>(keys, by_key);
}

}  // namespace bench
