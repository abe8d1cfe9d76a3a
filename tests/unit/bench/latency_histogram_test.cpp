#include "tools/bench/latency_histogram.hpp"

#include <cstdint>

#include <doctest/doctest.h>

using bench::latency_histogram;

TEST_CASE("latency_histogram: percentiles are at most 1/128 too high, whatever the size") {
  for (const std::uint64_t unit : {1ULL, 100ULL, 12'345ULL, 1'000'000ULL, 3'000'000ULL}) {
    CAPTURE(unit);
    latency_histogram h;
    for (std::uint64_t i = 1; i <= 1'000; ++i) h.record(i * unit);
    CHECK(h.count() == 1'000);
    CHECK(h.max() == 1'000 * unit);
    CHECK(h.percentile(1) == 1'000 * unit);
    for (const double part : {0.001, 0.5, 0.99, 0.999}) {
      CAPTURE(part);
      const double exact = part * 1'000 * static_cast<double>(unit);
      const auto found = static_cast<double>(h.percentile(part));
      CHECK(found >= exact - 0.5);
      CHECK(found <= exact * (1 + 1.0 / 128));
    }
    CHECK(h.mean() == doctest::Approx(500.5 * static_cast<double>(unit)));
  }
}

TEST_CASE("latency_histogram: small durations are exact") {
  latency_histogram h;
  for (std::uint64_t i = 0; i < 256; ++i) h.record(i);
  CHECK(h.percentile(0.5) == 127);
  CHECK(h.percentile(1.0 / 256) == 0);
}

TEST_CASE("latency_histogram: nothing recorded, counted several times, added and cleared") {
  latency_histogram h;
  CHECK(h.percentile(0.5) == 0);
  CHECK(h.mean() == 0);
  h.record(10, 99);
  latency_histogram other;
  other.record(200);
  h.add(other);
  CHECK(h.count() == 100);
  CHECK(h.percentile(0.99) == 10);
  CHECK(h.percentile(0.999) == 200);
  h.clear();
  CHECK(h.count() == 0);
  CHECK(h.max() == 0);
  CHECK(h.percentile(1) == 0);
}

TEST_CASE("latency_histogram: more than an hour counts as an hour") {
  latency_histogram h;
  h.record(~std::uint64_t{0});
  CHECK(h.percentile(1) == 3'600'000'000'000);
}
