#include "storage/matching/interval_index.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

// The tree against a list of all intervals, over long random sequences of changes.

using namespace pubsubsql::storage::matching;

namespace {

struct interval {
  std::string lower;
  std::string upper;
  bool has_lower = false;
  bool has_upper = false;
  bool lower_inclusive = false;
  bool upper_inclusive = false;
  bool ask = false;

  [[nodiscard]] key_interval view() const {
    key_interval i;
    if (has_lower) i.lower = {.key = lower, .inclusive = lower_inclusive};
    if (has_upper) i.upper = {.key = upper, .inclusive = upper_inclusive};
    return i;
  }
  [[nodiscard]] bool contains(const std::string& key) const {
    if (has_lower && (key < lower || (key == lower && !lower_inclusive))) return false;
    return !has_upper || key < upper || (key == upper && upper_inclusive);
  }
};

class random_intervals {
 public:
  random_intervals(unsigned seed, std::size_t keys, std::size_t size) : random_(seed), keys_(keys), size_(size) {}

  void step() {
    const bool grow = intervals_.empty() || pick(2 * size_) >= intervals_.size();
    if (grow) {
      const std::uint64_t number = ++numbers_;
      const interval i = make();
      owners_[number] = std::make_unique<filtered_group>();
      owners_[number]->number = number;
      intervals_[number] = i;
      index_.insert(i.view(), number, *owners_[number], i.ask);
    } else {
      const auto it = std::next(intervals_.begin(), static_cast<std::ptrdiff_t>(pick(intervals_.size())));
      index_.erase(it->second.view(), it->first);
      owners_.erase(it->first);
      intervals_.erase(it);
    }
    compare(key());
  }

  void empty() {
    while (!intervals_.empty()) {
      const auto it = std::prev(intervals_.end());
      index_.erase(it->second.view(), it->first);
      intervals_.erase(it);
      compare(key());
    }
    CHECK(index_.empty());
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  std::string key() {
    const std::size_t n = pick(keys_);
    if (n == 0) return "";
    if (n % 7 == 0) return std::string(20, 'x') + std::to_string(n);
    return std::to_string(n) + std::string(n % 3, '\0');
  }

  interval make() {
    interval i{.lower = key(), .upper = key()};
    i.has_lower = pick(4) != 0;
    i.has_upper = pick(4) != 0;
    i.lower_inclusive = pick(2) == 0;
    i.upper_inclusive = pick(2) == 0;
    i.ask = pick(2) == 0;
    if (pick(10) != 0 && i.upper < i.lower) std::swap(i.lower, i.upper);
    return i;
  }

  void compare(const std::string& at) {
    std::vector<std::uint64_t> found;
    index_.visit(at, [&](filtered_group& g, bool ask) {
      found.push_back(g.number);
      CHECK(ask == intervals_.at(g.number).ask);
    });
    std::ranges::sort(found);
    std::vector<std::uint64_t> expected;
    for (const auto& [number, i] : intervals_) {
      if (i.contains(at)) expected.push_back(number);
    }
    REQUIRE(found == expected);
    REQUIRE(index_.size() == intervals_.size());
  }

  std::mt19937 random_;
  std::size_t keys_;
  std::size_t size_;
  std::uint64_t numbers_ = 0;
  std::map<std::uint64_t, interval> intervals_;
  std::map<std::uint64_t, std::unique_ptr<filtered_group>> owners_;
  interval_index index_;
};

}  // namespace

TEST_CASE("intervals: random ones, few and many, come and go") {
  for (const std::size_t size : {1U, 3U, 30U, 500U}) {
    for (const std::size_t keys : {3U, 40U, 5000U}) {
      CAPTURE(size);
      CAPTURE(keys);
      random_intervals run(static_cast<unsigned>(size * keys), keys, size);
      for (int i = 0; i < 4000; ++i) run.step();
      run.empty();
    }
  }
}

TEST_CASE("intervals: the same one many times") {
  interval_index index;
  const key_interval same{.lower = {{.key = "5", .inclusive = false}}, .upper = {{.key = "7", .inclusive = true}}};
  std::vector<filtered_group> owners(1000);
  for (std::size_t i = 0; i < owners.size(); ++i) index.insert(same, i, owners[i], false);
  const auto count = [&](std::string_view key) {
    std::size_t found = 0;
    index.visit(key, [&](filtered_group&, bool) { ++found; });
    return found;
  };
  CHECK(count("5") == 0);
  CHECK(count("6") == 1000);
  CHECK(count("7") == 1000);
  CHECK(count("70") == 0);
  for (std::size_t i = 0; i < owners.size(); i += 2) index.erase(same, i);
  CHECK(count("6") == 500);
}

TEST_CASE("intervals: in rising and falling order") {
  for (const bool rising : {true, false}) {
    interval_index index;
    constexpr int most = 20'000;
    std::vector<filtered_group> owners(most);
    for (int i = 0; i < most; ++i) {
      const std::string key = std::to_string(100'000 + (rising ? i : most - i));
      index.insert({.lower = {{.key = key, .inclusive = true}}, .upper = {}}, static_cast<std::uint64_t>(i),
                   owners[static_cast<std::size_t>(i)], false);
    }
    std::size_t found = 0;
    index.visit("100010", [&](filtered_group&, bool) { ++found; });
    CHECK(found == (rising ? 11 : 10));
  }
}
