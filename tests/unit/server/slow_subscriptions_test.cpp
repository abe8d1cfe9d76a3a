#include "server/slow_subscriptions.hpp"

#include <array>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace pubsubsql::server;
using pubsubsql::parser::slow_policy;
using pubsubsql::parser::wire_mode;

namespace {

std::string take_all(connection_output& out) {
  std::string bytes;
  while (!out.empty()) {
    std::array<std::string_view, 1> piece;
    REQUIRE(out.to_write(piece) == 1);
    bytes += piece[0];
    out.sent(piece[0].size());
  }
  return bytes;
}

std::string gap(int pubsubid, int lost) {
  return R"({"status":"ok","action":"gap","pubsubid":")" + std::to_string(pubsubid) + R"(","lost":)" +
         std::to_string(lost) + R"(,"columns":[],"rows":0,"fromrow":0,"torow":0,"data":[]})" + "\n";
}

struct fixture {
  slow_counts counts;
  slow_subscriptions all{counts};
  buffer_pool pool;
  connection_output out{pool};

  void lose(std::uint64_t pubsubid, std::size_t events) { all.leave_out(*all.find(pubsubid), pubsubid, events); }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "slow subscriptions: one is asked for at a time, and told of its gap with its rows") {
  all.add(1, {.policy = slow_policy::drop, .owner = 3});
  all.add(2, {.policy = slow_policy::drop});
  CHECK(!all.has_question());
  lose(1, 5);
  lose(2, 1);
  REQUIRE(all.has_question());
  const auto q = all.next_question(out, wire_mode::text);
  REQUIRE(q);
  CHECK(q->pubsubid == 1);
  CHECK(q->owner == 3);
  CHECK(!all.has_question());
  lose(1, 2);
  all.go_on(out, wire_mode::text, 1, "rows\n");
  CHECK(take_all(out) == gap(1, 7) + "rows\n");
  CHECK(all.find(1)->lost == 0);
  CHECK(all.find(1)->dropped == 7);
  CHECK(all.next_question(out, wire_mode::text)->pubsubid == 2);
  CHECK(counts.gaps == 1);
  CHECK(counts.dropped == 8);
}

TEST_CASE_FIXTURE(fixture, "slow subscriptions: those that began without rows go on without") {
  all.add(1, {.policy = slow_policy::drop, .skip = true});
  lose(1, 9);
  CHECK(!all.next_question(out, wire_mode::text));
  CHECK(take_all(out) == gap(1, 9));
  CHECK(!all.has_question());
}

TEST_CASE_FIXTURE(fixture,
                  "slow subscriptions: one that ends while it is asked for gets nothing, and others their turn") {
  all.add(1, {.policy = slow_policy::drop});
  all.add(2, {.policy = slow_policy::drop, .skip = true});
  lose(1, 1);
  lose(2, 1);
  CHECK(all.next_question(out, wire_mode::text)->pubsubid == 1);
  all.forget(1);
  CHECK(!all.has_question());
  all.go_on(out, wire_mode::text, 1, "");
  CHECK(take_all(out).empty());
  CHECK(!all.next_question(out, wire_mode::text));
  CHECK(take_all(out) == gap(2, 1));
}

TEST_CASE_FIXTURE(fixture, "slow subscriptions: what is folded leaves as there is room") {
  all.add(1, {.policy = slow_policy::conflate});
  encoded_event e;
  e.action = pubsubsql::storage::event_action::insert;
  e.head = event_head(e.action);
  e.columns = R"(","columns":["id"])";
  for (int i = 0; i < 3; ++i) {
    e.rows = "[\"" + std::to_string(i) + std::string(100, 'x') + "\"]";
    e.parts = {{.row = i, .end = e.rows.size()}};
    all.fold(*all.find(1), 1, e);
  }
  CHECK(all.folded_bytes() > 300);
  CHECK(all.refill(out, wire_mode::text, 1));
  CHECK(all.is_folding());
  const std::string first = take_all(out);
  CHECK(first.find("\"0xx") != std::string::npos);
  CHECK(first.find("\"1xx") == std::string::npos);
  CHECK(all.refill(out, wire_mode::text, 1'000));
  CHECK(!all.is_folding());
  CHECK(take_all(out).find("\"2xx") != std::string::npos);
  CHECK(!all.refill(out, wire_mode::text, 1'000));
}

TEST_CASE_FIXTURE(fixture, "slow subscriptions: while something is folded, only what all of it is behind is told") {
  all.add(1, {.policy = slow_policy::conflate, .tells_positions = true});
  encoded_event e;
  e.action = pubsubsql::storage::event_action::update;
  e.head = event_head(e.action);
  e.columns = R"(","columns":["id"])";
  const auto fold = [&](int row, std::uint64_t sequence) {
    e.rows = "[\"" + std::to_string(row) + "\"]";
    e.parts = {{.row = row, .end = e.rows.size()}};
    e.first_sequence = e.sequence = sequence;
    all.fold(*all.find(1), 1, e);
  };
  fold(1, 20);
  fold(2, 21);
  fold(1, 22);
  CHECK(all.refill(out, wire_mode::text, 1));
  const std::string first = take_all(out);
  CHECK(first.find(R"([["2"]],"seq":19})") != std::string::npos);
  CHECK(all.refill(out, wire_mode::text, 1));
  const std::string second = take_all(out);
  CHECK(second.find(R"([["1"]],"seq":22})") != std::string::npos);
  fold(3, 30);
  CHECK(all.refill(out, wire_mode::text, 1));
  CHECK(take_all(out).find(R"("seq":30})") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "slow subscriptions: a gap says where it leads to") {
  all.add(1, {.policy = slow_policy::drop, .tells_positions = true});
  all.add(2, {.policy = slow_policy::drop, .skip = true, .tells_positions = true});
  all.leave_out(*all.find(1), 1, 2, 7);
  all.leave_out(*all.find(2), 2, 2, 8);
  CHECK(all.next_question(out, wire_mode::text)->tells_positions);
  all.go_on(out, wire_mode::text, 1, "rows\n", 12);
  CHECK(!all.next_question(out, wire_mode::text));
  const std::string told = take_all(out);
  CHECK(told.find(R"("lost":2,"columns":[],"rows":0,"fromrow":0,"torow":0,"data":[],"seq":12})") != std::string::npos);
  CHECK(told.find(R"("seq":8})") != std::string::npos);
}
