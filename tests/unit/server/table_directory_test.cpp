#include "server/table_directory.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/subscriber.hpp"

using namespace pubsubsql::server;

TEST_CASE("table directory: tables spread over workers and stay") {
  table_directory directory(3, 5);
  CHECK_FALSE(directory.find("a"));
  CHECK(directory.find_or_place("a", 2) == 2U);
  CHECK(directory.find_or_place("b", 2) == 0U);
  CHECK(directory.find_or_place("c", 2) == 1U);
  CHECK(directory.find_or_place("d", 1) == 1U);
  CHECK(directory.find_or_place("a", 0) == 2U);
  CHECK(directory.find("d") == 1U);
  CHECK(directory.find_or_place("e", 0) == 0U);
  CHECK_FALSE(directory.find_or_place("f", 0));
  CHECK(directory.find_or_place("e", 0) == 0U);
}

TEST_CASE("table directory: tables and subscriptions share their names") {
  table_directory directory(2, 5);
  CHECK(directory.find_or_place("t", 0));
  CHECK(directory.claim_subscription("t", "t"));
  CHECK_FALSE(directory.claim_subscription("s", "t"));
  CHECK_FALSE(directory.claim_subscription("s", "t"));
  CHECK(directory.claim_subscription("s", "u"));
  CHECK_FALSE(directory.find_or_place("s", 0));
  CHECK(directory.set_subscriptions("t", {"s", "r"}).empty());
  CHECK(directory.set_subscriptions("u", {"r", "q"}) == std::vector<std::string>{"r"});
  CHECK(directory.table_of_subscription("r") == "t");
  CHECK(directory.table_of_subscription("q") == "u");
  CHECK(directory.set_subscriptions("t", {"r"}).empty());
  CHECK_FALSE(directory.table_of_subscription("s"));
  CHECK(directory.find_or_place("s", 0));
}

TEST_CASE("subscriber: an id holds worker, place and generation") {
  const subscriber s{.worker = 255, .place = 0xfffffe, .generation = 0xfffffffd};
  const subscriber back = subscriber::of(s.id());
  CHECK(back.worker == s.worker);
  CHECK(back.place == s.place);
  CHECK(back.generation == s.generation);
}
