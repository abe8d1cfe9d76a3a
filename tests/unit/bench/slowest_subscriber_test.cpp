#include "tools/bench/slowest_subscriber.hpp"

#include <algorithm>
#include <array>
#include <random>

#include <doctest/doctest.h>

namespace bench {

TEST_CASE("the slowest of many is known after each step") {
  constexpr std::uint64_t lead_max = 9;
  std::array<std::uint64_t, 5> subscribers{};
  slowest_subscriber slowest(subscribers.size(), lead_max);
  std::mt19937 random(1);
  for (int i = 0; i < 10'000; ++i) {
    std::uint64_t& s = subscribers[random() % subscribers.size()];
    const std::uint64_t after = std::min(s + 1 + random() % 4, *std::ranges::min_element(subscribers) + lead_max);
    if (after == s) continue;
    slowest.advance(s, after);
    s = after;
    REQUIRE(slowest.events() == *std::ranges::min_element(subscribers));
  }
  CHECK(slowest.events() > 1'000);
}

}  // namespace bench
