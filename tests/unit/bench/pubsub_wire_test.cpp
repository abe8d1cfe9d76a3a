#include "tools/bench/pubsub_wire.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <doctest/doctest.h>

#include "parser/frame.hpp"
#include "tools/bench/null_events.hpp"
#include "tools/bench/stock_rows.hpp"

namespace bench {

namespace {

constexpr std::size_t keys = 20;

std::string frame(std::uint32_t request_id, const std::string& payload) {
  const auto header = pubsubsql::parser::encode(
      {.payload_bytes = static_cast<std::uint32_t>(payload.size()), .request_id = request_id});
  return std::string(header.data(), header.size()) + payload;
}

/// An event of a stock as it is published under that number.
std::string event(std::size_t stock, const std::string& number, const std::string& pubsubid = "1") {
  std::string text = update_event(make_stock(stock), pubsubid);
  text.replace(text.size() - number.size() - 4, number.size(), number);
  return text;
}

/// Feeds bytes one at a time.
received read(pubsub_wire& wire, const std::string& bytes) {
  received r;
  r.wants_numbers = true;
  std::string input;
  for (const char c : bytes) {
    input += c;
    input.erase(0, wire.take(input, r));
  }
  CHECK(input.empty());
  return r;
}

}  // namespace

TEST_CASE("a publish of each wire has the event's 171 bytes in it, whichever stock") {
  for (const std::size_t stock : {0U, 7U, 19U}) {
    CHECK(event(stock, "42").size() == stock_event_bytes);
    std::string redis;
    make_redis_wire(keys, true)->publish(redis, stock, 42);
    const std::string ticker = make_stock(stock).ticker;
    CHECK(redis == "*3\r\n$7\r\nPUBLISH\r\n$16\r\nstocks." + ticker + "\r\n$171\r\n" + event(stock, "42") + "\r\n");
    std::string nats;
    make_nats_wire(keys, true)->publish(nats, stock, 42);
    CHECK(nats == "PUB stocks." + ticker + " 171\r\n" + event(stock, "42") + "\r\n");
  }
}

TEST_CASE("an update carries the number of its publish where the event will have it") {
  std::string out;
  make_framed_wire(keys, false)->publish(out, 19, 123'456);
  CHECK(out.substr(8) ==
        "stream update stocks set bid = 100.19, ask = 100.20, time = 0000000000000123456"
        " where ticker = T00000019");
}

TEST_CASE("messages are told apart and counted, however they are cut") {
  SUBCASE("PubSubSQL") {
    const auto wire = make_framed_wire(keys, false);
    std::string merged = event(0, "7", "3333");
    const std::string row = merged.substr(merged.find("[[") + 1, merged.find("]]") - merged.find("[["));
    merged.replace(merged.find(R"("rows":1)"), 8, R"("rows":12)");
    merged.replace(merged.find(R"("torow":1)"), 9, R"("torow":12)");
    for (int i = 1; i < 12; ++i) merged.insert(merged.size() - 2, "," + row);
    const received r = read(*wire, frame(5, R"({"status":"ok","action":"subscribe","pubsubid":"3333"})") +
                                       frame(0, event(19, "6", "3333")) + frame(0, merged));
    CHECK(r.confirmations == 1);
    CHECK(r.events == 13);
    REQUIRE(r.numbers.size() == 13);
    CHECK(r.numbers.front() == 6);
    CHECK(r.numbers[1] == 7);
    CHECK(r.numbers.back() == 7);
    CHECK_THROWS_AS(read(*wire, frame(1, R"({"status":"err","msg":"no"})")), std::runtime_error);
  }
  SUBCASE("Redis") {
    const auto wire = make_redis_wire(keys, true);
    const received r = read(*wire,
                            "*3\r\n$9\r\nsubscribe\r\n$16\r\nstocks.T00000007\r\n:1\r\n:0\r\n"
                            "*3\r\n$7\r\nmessage\r\n$16\r\nstocks.T00000007\r\n$171\r\n" +
                                event(7, "8") + "\r\n:1000\r\n");
    CHECK(r.confirmations == 1);
    CHECK(r.events == 1);
    CHECK(r.numbers == std::vector<std::uint64_t>{8});
    CHECK_THROWS_AS(read(*wire, "-ERR no\r\n"), std::runtime_error);
  }
  SUBCASE("NATS") {
    const auto wire = make_nats_wire(keys, false);
    const received r =
        read(*wire, "INFO {\"max_payload\":1}\r\nPONG\r\nMSG stocks 1 171\r\n" + event(7, "9") + "\r\nPING\r\n");
    CHECK(r.confirmations == 1);
    CHECK(r.must_answer);
    CHECK(r.numbers == std::vector<std::uint64_t>{9});
    CHECK_THROWS_AS(read(*wire, "-ERR 'Unknown'\r\n"), std::runtime_error);
  }
}

TEST_CASE("the null server's events are what a client of the wire expects") {
  const auto wire = make_framed_wire(keys, false);
  null_events events;
  null_output all(3);
  null_output one(4);
  const auto subscribe = [&](null_output& to, std::optional<std::size_t> key) {
    events.subscribe(to, wire->subscribe(key).substr(8), 1);
  };
  subscribe(all, std::nullopt);
  subscribe(one, 7);
  const auto publish = [&](std::size_t key, std::uint64_t number) {
    std::string out;
    wire->publish(out, key, number);
    events.update(std::string_view(out).substr(8));
  };
  for (std::uint64_t number = 0; number < 250; ++number) publish(number % keys, number);

  CHECK(events.take_changed() == std::vector<int>{3, 4});
  const received got = read(*wire, std::string(all.unsent()));
  CHECK(got.confirmations == 1);
  REQUIRE(got.numbers.size() == 250);
  for (std::uint64_t number = 0; number < 250; ++number) CHECK(got.numbers[number] == number);
  std::size_t messages = 0;
  for (std::size_t at = 0; (at = all.unsent().find("columns", at)) != std::string_view::npos; ++at) ++messages;
  CHECK(messages == 3);
  CHECK(read(*wire, std::string(one.unsent())).numbers.front() == 7);

  one.sent(one.unsent().size());
  publish(7, 300);
  const std::string sent(one.unsent());
  CHECK(sent == frame(0, event(7, "300", "2")));
  events.forget(one);
  publish(7, 301);
  CHECK(one.unsent() == sent);
}

}  // namespace bench
