#include <array>
#include <cstring>
#include <stdexcept>

#include "parser/frame.hpp"
#include "tools/bench/event_text.hpp"
#include "tools/bench/pubsub_wire.hpp"

namespace bench {

namespace {

namespace parser = pubsubsql::parser;

constexpr std::string_view rows_member = R"(,"rows":)";

std::array<char, parser::frame_header_bytes> header_of(std::size_t bytes, std::uint32_t request_id) {
  return parser::encode({.payload_bytes = static_cast<std::uint32_t>(bytes), .request_id = request_id});
}

std::string frame(std::uint32_t request_id, const std::string& statement) {
  const auto header = header_of(statement.size(), request_id);
  return std::string(header.data(), header.size()) + statement;
}

class framed_wire : public pubsub_wire {
 public:
  framed_wire(std::size_t keys, bool with_replies) {
    const std::string condition = " where ticker = " + make_stock(0).ticker;
    for (std::size_t key = 0; key < keys; ++key) {
      publishes_.push_back(frame(0, (with_replies ? "" : "stream ") + update_statement(make_stock(key))));
    }
    number_from_end_ = condition.size() + number_digits;
    row_bytes_ = update_event(make_stock(0)).size() - update_event(make_stock(0)).find("[[") - 3;
  }

  std::string subscribe(std::optional<std::size_t> key) override {
    const std::string condition = key ? " where ticker = " + make_stock(*key).ticker : "";
    return frame(++subscriptions_, "subscribe skip * from " + std::string(stocks_table) + condition);
  }

  void publish(std::string& out, std::size_t key, std::uint64_t number) override {
    const std::size_t start = out.size();
    out += publishes_[key];
    // Never 0, however many are published.
    const auto header =
        header_of(out.size() - start - parser::frame_header_bytes, static_cast<std::uint32_t>(number) | 0x8000'0000U);
    std::memcpy(out.data() + start, header.data(), header.size());
    put_number(out.data() + out.size() - number_from_end_, number);
  }

  std::size_t take(std::string_view input, received& r) override {
    std::size_t at = 0;
    while (input.size() - at >= parser::frame_header_bytes) {
      const parser::frame_header header = parser::decode_frame_header(input.substr(at));
      if (input.size() - at - parser::frame_header_bytes < header.payload_bytes) break;
      const std::string_view message = input.substr(at + parser::frame_header_bytes, header.payload_bytes);
      header.request_id == 0 ? take_event(message, r) : take_reply(message, r);
      at += parser::frame_header_bytes + header.payload_bytes;
    }
    return at;
  }

 private:
  static void take_reply(std::string_view message, received& r) {
    if (!message.starts_with(R"({"status":"ok")")) {
      throw std::runtime_error("the server says: " + std::string(message));
    }
    ++r.confirmations;
  }

  /// Nothing but the number of its rows is read if that is all that is wanted.
  void take_event(std::string_view message, received& r) const {
    std::size_t at = event_head.size();
    while (at < message.size() && message[at] != '"') ++at;
    at += event_columns.size();
    if (at >= message.size() || message.substr(at - rows_member.size(), rows_member.size()) != rows_member) {
      throw std::runtime_error("the server sends " + std::string(message.substr(0, stock_event_bytes)));
    }
    std::uint64_t rows = 0;
    for (; message[at] >= '0' && message[at] <= '9'; ++at) {
      rows = rows * 10 + static_cast<std::uint64_t>(message[at] - '0');
    }
    r.events += rows;
    if (r.wants_numbers) take_numbers(message, rows, r);
  }

  void take_numbers(std::string_view message, std::uint64_t rows, received& r) const {
    const std::size_t bytes = (row_bytes_ + 1) * (rows - 1) + number_from_event_end;
    if (rows == 0 || bytes > message.size()) throw std::runtime_error("an event has less rows than it says");
    for (std::size_t at = message.size() - bytes; at < message.size(); at += row_bytes_ + 1) {
      r.numbers.push_back(number_in(message.substr(at)));
    }
  }

  std::vector<std::string> publishes_;  // by key
  std::size_t number_from_end_ = 0;
  std::size_t row_bytes_ = 0;
  std::uint32_t subscriptions_ = 0;
};

}  // namespace

std::unique_ptr<pubsub_wire> make_framed_wire(std::size_t keys, bool with_replies) {
  return std::make_unique<framed_wire>(keys, with_replies);
}

}  // namespace bench
