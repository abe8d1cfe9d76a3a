#include "server/table_locks.hpp"

#include <chrono>

#include <doctest/doctest.h>

using pubsubsql::server::table_locks;
using pubsubsql::server::transaction_id;

namespace {

transaction_id entered(table_locks& locks) {
  const transaction_id id = locks.make_id();
  REQUIRE(locks.enter(id, [] {}));
  return id;
}

}  // namespace

TEST_CASE("two that want what the other has") {
  table_locks locks;
  const transaction_id a = entered(locks);
  const transaction_id b = entered(locks);
  CHECK(locks.want(a, "x"));
  CHECK(locks.want(b, "y"));
  CHECK(locks.want(a, "y"));
  CHECK_FALSE(locks.want(b, "x"));

  // The refused one is as it was: it still has its table, and gives it up to the other.
  locks.release(b, "y");
  const transaction_id c = entered(locks);
  CHECK(locks.want(c, "z"));
  CHECK(locks.want(c, "x"));
  CHECK_FALSE(locks.want(a, "z"));
}

TEST_CASE("a circle of four, and those who wait outside of it") {
  table_locks locks;
  const transaction_id t[] = {entered(locks), entered(locks), entered(locks), entered(locks)};
  const char* const tables[] = {"0", "1", "2", "3"};
  for (int i = 0; i < 4; ++i) CHECK(locks.want(t[i], tables[i]));
  const transaction_id outside = entered(locks);
  CHECK(locks.want(outside, "2"));
  for (int i = 0; i < 3; ++i) CHECK(locks.want(t[i], tables[i + 1]));
  CHECK_FALSE(locks.want(t[3], "0"));
}

TEST_CASE("one who waits in the same queue is waited for") {
  table_locks locks;
  const transaction_id holder = entered(locks);
  const transaction_id first = entered(locks);
  const transaction_id second = entered(locks);
  CHECK(locks.want(holder, "x"));
  CHECK(locks.want(second, "y"));
  CHECK(locks.want(first, "x"));
  CHECK(locks.want(second, "x"));
  // Behind the second, who comes after the first itself.
  CHECK_FALSE(locks.want(first, "y"));
}

TEST_CASE("who no longer waits is no part of a circle") {
  table_locks locks;
  const transaction_id a = entered(locks);
  const transaction_id b = entered(locks);
  CHECK(locks.want(a, "x"));
  CHECK(locks.want(b, "y"));
  CHECK(locks.want(a, "y"));
  locks.release(a, "y");
  CHECK(locks.want(b, "x"));
}

TEST_CASE("nobody enters while it is closed") {
  table_locks locks;
  const transaction_id inside = entered(locks);
  CHECK(locks.want(inside, "x"));
  locks.close();
  const transaction_id outside = locks.make_id();
  int woken = 0;
  CHECK_FALSE(locks.enter(outside, [&] { ++woken; }));
  CHECK_FALSE(locks.wait_until_empty(std::chrono::milliseconds(0)));
  CHECK(locks.want(inside, "y"));
  locks.release(inside, "x");
  CHECK_FALSE(locks.wait_until_empty(std::chrono::milliseconds(0)));
  locks.release(inside, "y");
  CHECK(locks.wait_until_empty(std::chrono::milliseconds(0)));
  CHECK(woken == 0);
  locks.open();
  CHECK(woken == 1);
  CHECK(locks.enter(outside, [] {}));
  locks.leave(outside);
  CHECK(locks.wait_until_empty(std::chrono::milliseconds(0)));
}
