#include "server/reply_slots.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::server;

namespace {

std::vector<std::string> take_done(reply_slots& slots) {
  std::vector<std::string> out;
  while (auto done = slots.take_first_done()) out.push_back(done->bytes);
  return out;
}

void complete(reply_slots& slots, std::uint64_t number, const std::string& bytes) {
  slots.fill(*slots.find(number), bytes);
}

using replies = std::vector<std::string>;

}  // namespace

TEST_CASE("reply slots: replies leave in the order of the requests") {
  reply_slots slots;
  const auto a = slots.open();
  const auto b = slots.open();
  const auto c = slots.open();
  CHECK(slots.size() == 3);
  complete(slots, c, "c");
  CHECK(take_done(slots).empty());
  complete(slots, a, "a");
  CHECK(take_done(slots) == replies{"a"});
  CHECK(slots.find(a) == nullptr);
  const auto d = slots.open();
  complete(slots, b, "b");
  CHECK(take_done(slots) == replies{"b", "c"});
  complete(slots, d, "d");
  CHECK(take_done(slots) == replies{"d"});
  CHECK(slots.empty());
  CHECK(slots.find(d) == nullptr);
  CHECK(slots.find(d + 1) == nullptr);
}

TEST_CASE("reply slots: an event that is there before its reply follows it") {
  reply_slots slots;
  const auto subscribing = slots.open(17);
  slots.add_event(*slots.find(subscribing), [](std::string& out) { out += "event"; });
  complete(slots, subscribing, "reply");
  CHECK(slots.reply_bytes() == 5);
  CHECK(slots.event_bytes() == 5);
  CHECK(take_done(slots) == replies{"replyevent"});
  CHECK(slots.reply_bytes() == 0);
  CHECK(slots.event_bytes() == 0);
}

TEST_CASE("reply slots: what waits is counted, replies and events apart") {
  reply_slots slots;
  const auto first = slots.open();
  const auto subscribing = slots.open(17);
  slots.note_request(*slots.find(first), 100);
  slots.note_request(*slots.find(subscribing), 20);
  CHECK(slots.request_bytes() == 120);
  complete(slots, subscribing, "reply");
  CHECK(slots.request_bytes() == 100);
  slots.add_event(*slots.find(subscribing), [](std::string& out) { out += "event"; });
  slots.add_event(*slots.find(subscribing), [](std::string& out) { out += "one more"; });
  CHECK(slots.reply_bytes() == 5);
  CHECK(slots.event_bytes() == 13);
  complete(slots, first, "f");
  CHECK(slots.reply_bytes() == 6);
  CHECK(slots.request_bytes() == 0);
  CHECK(take_done(slots) == replies{"f", "replyeventone more"});
  CHECK(slots.reply_bytes() == 0);
  CHECK(slots.event_bytes() == 0);
}

TEST_CASE("reply slots: a subscription is found while its reply is due") {
  reply_slots slots;
  const auto first = slots.open();
  const auto subscribing = slots.open(17);
  CHECK(slots.find_subscription(17) == slots.find(subscribing));
  CHECK(slots.find_subscription(18) == nullptr);
  complete(slots, subscribing, "s");
  CHECK(slots.find_subscription(17) != nullptr);
  complete(slots, first, "f");
  CHECK(take_done(slots) == replies{"f", "s"});
  CHECK(slots.find_subscription(17) == nullptr);
}

TEST_CASE("reply slots: numbers stay right over many requests") {
  reply_slots slots;
  std::vector<std::uint64_t> due;
  std::uint64_t taken = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    due.push_back(slots.open());
    if (i % 3 == 0) continue;
    complete(slots, due[taken], std::to_string(taken));
    CHECK(take_done(slots) == replies{std::to_string(taken)});
    ++taken;
  }
  CHECK(slots.size() == due.size() - taken);
}
