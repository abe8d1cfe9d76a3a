#include "server/event_quota.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/kept_events.hpp"

using namespace pubsubsql::server;
using pubsubsql::storage::event_target;
using pubsubsql::storage::subscriber_id;

namespace {

constexpr subscriber_id greedy{1};
constexpr subscriber_id modest{2};

encoded_event one_row(std::size_t bytes, std::uint64_t position) {
  encoded_event e;
  e.rows = std::string(bytes, 'x');
  e.sequence = position;
  return e;
}

std::vector<std::uint64_t> admitted(event_quota& quota, std::size_t kept, std::size_t bytes, lost_event_map& lost,
                                    std::vector<event_target> targets, std::uint64_t position = 0) {
  quota.admit(kept, bytes, one_row(0, position), targets, lost);
  std::vector<std::uint64_t> left;
  for (const event_target& t : targets) left.push_back(t.pubsubid);
  return left;
}

using ids = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("event quota: who has the most loses first, and from twice as much on everybody") {
  event_quota quota(1000, 300);
  lost_event_map lost;
  CHECK(admitted(quota, 400, 5000, lost, {{greedy, 1}}) == ids{1});  // not counted below half
  CHECK(admitted(quota, 600, 200, lost, {{greedy, 1}, {modest, 2}}) == ids{1, 2});
  CHECK(admitted(quota, 800, 200, lost, {{greedy, 1}}) == ids{1});
  CHECK(admitted(quota, 1000, 1, lost, {{greedy, 1}}) == ids{1});
  CHECK(lost.empty());
  CHECK(admitted(quota, 1001, 50, lost, {{greedy, 1}, {modest, 2}, {greedy, 3}}, 7) == ids{2});
  CHECK(admitted(quota, 1051, 50, lost, {{greedy, 1}, {modest, 2}}, 8) == ids{2});
  CHECK(admitted(quota, 2002, 1, lost, {{greedy, 1}, {modest, 2}}, 9).empty());
  REQUIRE(lost.size() == 3);
  CHECK(lost[1].events == 3);
  CHECK(lost[1].position == 9);
  CHECK(lost[2].events == 1);
  CHECK(lost[3].events == 1);
  CHECK(lost[3].position == 7);
}

TEST_CASE("event quota: half as much again, and everybody begins anew") {
  event_quota quota(1000, 300);
  lost_event_map lost;
  CHECK(admitted(quota, 900, 400, lost, {{greedy, 1}}) == ids{1});
  CHECK(admitted(quota, 1100, 1, lost, {{greedy, 1}}).empty());
  CHECK(admitted(quota, 500, 1, lost, {{greedy, 1}}) == ids{1});
  CHECK(admitted(quota, 1100, 1, lost, {{greedy, 1}}) == ids{1});
}

TEST_CASE("event quota: 0 is no bound") {
  event_quota quota(0, 0);
  lost_event_map lost;
  CHECK(admitted(quota, ~std::size_t{0}, 1, lost, {{greedy, 1}}) == ids{1});
  CHECK(lost.empty());
}

TEST_CASE("kept events: what a statement keeps is bounded, and says who has lost how many") {
  event_quota quota(10'000, 1000);
  kept_events kept;
  CHECK(kept.empty());
  for (std::uint64_t i = 1; i <= 100; ++i) kept.add({one_row(1000, i), {{greedy, 1}}}, quota);
  CHECK(!kept.empty());
  CHECK(kept.events().size() < 10);
  CHECK(kept.events().back().event.sequence == kept.events().size());
  CHECK(kept.bytes() < 13'000);
  REQUIRE(kept.lost().contains(1));
  CHECK(kept.lost().at(1).events == 100 - kept.events().size());
  CHECK(kept.lost().at(1).position == 100);

  kept.add({one_row(10, 101), {{modest, 2}}}, quota);
  CHECK(kept.events().back().targets.front().pubsubid == 2);

  kept.forget([](const event_target& t) { return t.pubsubid == 1; });
  CHECK(kept.events().size() == 1);
  CHECK(kept.lost().empty());
}
