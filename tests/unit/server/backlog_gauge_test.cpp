#include "server/backlog_gauge.hpp"

#include <atomic>
#include <cstdint>

#include <doctest/doctest.h>

using namespace pubsubsql::server;

TEST_CASE("backlog gauge: connections have all their room until half of the total is taken, then less and less") {
  std::atomic<std::int64_t> all{0};
  backlog_gauge g({.connection_max = 1'000'000, .total_max = 10'000'000}, all);
  CHECK(g.drop_at() == 1'000'000);
  CHECK(g.fold_at() == 64U << 10);
  g.change(0, 5'000'000);
  CHECK(g.publish() == 0);
  CHECK(g.drop_at() == 1'000'000);
  g.change(5'000'000, 7'500'000);
  CHECK(g.publish() == 0);
  CHECK(g.drop_at() == 125'000);
  g.change(7'500'000, 10'000'000);
  CHECK(g.publish() == 0);
  CHECK(g.drop_at() == 4'096);
  CHECK(g.fold_at() == 4'096);
  g.change(10'000'000, 0);
  CHECK(g.publish() == 0);
  CHECK(g.drop_at() == 1'000'000);
  CHECK(all == 0);
}

TEST_CASE("backlog gauge: each worker gives up its part of what is too much") {
  std::atomic<std::int64_t> all{0};
  const backlog_bounds bounds{.connection_max = 1'000, .total_max = 8'000};
  backlog_gauge one(bounds, all);
  backlog_gauge two(bounds, all);
  one.change(0, 12'000);
  two.change(0, 4'000);
  CHECK(two.publish() == 0);
  CHECK(one.publish() == 12'000 - 12'000 * 7 / 16);
  CHECK(one.is_over());
  CHECK(two.publish() == 4'000 - 4'000 * 7 / 16);
  one.change(12'000, 5'250);
  two.change(4'000, 1'750);
  CHECK(one.publish() > 0);
  CHECK(two.publish() == 0);
  CHECK(one.publish() == 0);
}

TEST_CASE("backlog gauge: without a bound of the total there is none") {
  std::atomic<std::int64_t> all{0};
  backlog_gauge g({.connection_max = 1'000, .total_max = 0}, all);
  g.change(0, 1'000'000'000);
  CHECK(g.publish() == 0);
  CHECK(!g.is_over());
  CHECK(g.drop_at() == 1'000);
}
