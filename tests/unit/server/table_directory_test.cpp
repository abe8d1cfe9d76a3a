#include "server/table_directory.hpp"

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

TEST_CASE("subscriber: an id holds worker, place and generation") {
  const subscriber s{.worker = 255, .place = 0xfffffe, .generation = 0xfffffffd};
  const subscriber back = subscriber::of(s.id());
  CHECK(back.worker == s.worker);
  CHECK(back.place == s.place);
  CHECK(back.generation == s.generation);
}
