#include "server/fair_queue.hpp"

#include <vector>

#include <doctest/doctest.h>

using pubsubsql::server::fair_queue;

TEST_CASE("fair_queue: peers take turns, each in its own order") {
  fair_queue<int> q(10, 100);
  for (int i = 0; i < 4; ++i) CHECK(q.push("many", i));
  CHECK(q.push("one", 10));
  CHECK(q.push("two", 20));
  CHECK(q.push("two", 21));
  std::vector<int> order;
  while (const auto job = q.take()) order.push_back(*job);
  CHECK(order == std::vector<int>{0, 10, 20, 1, 21, 2, 3});
  CHECK(q.empty());
}

TEST_CASE("fair_queue: one peer's share is bounded, and the whole is") {
  fair_queue<int> q(2, 3);
  CHECK(q.push("a", 1));
  CHECK(q.push("a", 2));
  CHECK_FALSE(q.push("a", 3));
  CHECK(q.push("b", 4));
  CHECK_FALSE(q.push("c", 5));
  CHECK(q.take() == 1);
  CHECK(q.push("c", 5));
  CHECK(q.size() == 3);
  q.clear();
  CHECK(q.empty());
  CHECK_FALSE(q.take());
}
