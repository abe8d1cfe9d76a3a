#include "server/auth_throttle.hpp"

#include <doctest/doctest.h>

using pubsubsql::server::auth_throttle;
using namespace std::chrono_literals;

TEST_CASE("throttle: each failure doubles the wait, up to a most") {
  auth_throttle throttle;
  const auth_throttle::clock::time_point t{100s};
  CHECK(throttle.begin("a", t) == 0ms);
  CHECK(throttle.failed("a", t) == 250ms);
  CHECK(throttle.begin("a", t) == 250ms);
  CHECK(throttle.begin("b", t) == 0ms);
  CHECK(throttle.failed("a", t + 1s) == 500ms);
  for (int i = 0; i < 40; ++i) throttle.failed("a", t + 2s);
  CHECK(throttle.failed("a", t + 2s) == 8s);
}

TEST_CASE("throttle: attempts of one address wait behind each other, and too many are refused") {
  auth_throttle throttle;
  const auth_throttle::clock::time_point t{100s};
  for (int i = 0; i < 10; ++i) throttle.failed("a", t);
  CHECK(throttle.begin("a", t) == 8s);
  CHECK(throttle.begin("a", t) == 16s);
  CHECK(throttle.begin("a", t) == 24s);
  CHECK_FALSE(throttle.begin("a", t).has_value());
  CHECK(throttle.begin("a", t + 8s) == 24s);
}

TEST_CASE("throttle: failures are forgotten") {
  auth_throttle throttle;
  const auth_throttle::clock::time_point t{100s};
  throttle.failed("a", t);
  throttle.failed("a", t);
  CHECK(throttle.failed("a", t + 30s) == 500ms);
  CHECK(throttle.begin("a", t + 100s) == 0ms);
}

TEST_CASE("throttle: no more addresses are remembered than there may be") {
  auth_throttle throttle;
  const auth_throttle::clock::time_point t{100s};
  throttle.failed("first", t);
  for (std::size_t i = 0; i < auth_throttle::addresses_max; ++i) throttle.failed(std::to_string(i), t + 1ms);
  CHECK(throttle.begin("first", t + 2ms) == 0ms);
  CHECK(*throttle.begin("7", t + 2ms) > 0ms);
}

TEST_CASE("throttle: what an address counts as") {
  CHECK(auth_throttle::host_of("10.0.0.1:1234") == "10.0.0.1");
  CHECK(auth_throttle::host_of("[2001:db8::1]:1") == auth_throttle::host_of("[2001:db8::2:3:4]:2"));
  CHECK(auth_throttle::host_of("[2001:db8::1]:1") != auth_throttle::host_of("[2001:db8:0:1::1]:1"));
}
