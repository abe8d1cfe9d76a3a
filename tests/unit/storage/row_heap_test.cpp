#include "storage/row_heap.hpp"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::storage;

namespace {

std::string row_of(std::string_view text) {
  const std::vector<value> values = {std::nullopt, text};
  std::string out;
  encode_row(0, values, out);
  return out;
}

void drain(row_heap& heap) {
  while (heap.maintain()) {
  }
}

}  // namespace

TEST_CASE("row heap: behaves as a map under random changes, with rows moving underneath") {
  row_heap heap;
  std::map<row_number, std::string> model;
  std::mt19937 random(42);
  const auto text = [&] {
    return std::string(random() % 5 == 0 ? random() % 40'000 : random() % 60, static_cast<char>('a' + random() % 26));
  };
  for (int step = 0; step < 60'000; ++step) {
    // Phases that mostly grow take turns with phases that mostly shrink.
    const bool growing = step / 10'000 % 2 == 0;
    const auto dice = random() % 10;
    if (model.empty() || dice < (growing ? 6U : 2U)) {
      const std::string t = text();
      const row_number number = heap.insert(row_of(t));
      CHECK(model.emplace(number, t).second);
    } else {
      auto it = model.lower_bound(static_cast<row_number>(random() % (model.rbegin()->first + 1)));
      if (dice < 8) {
        it->second = text();
        heap.replace(it->first, row_of(it->second));
      } else {
        heap.erase(it->first);
        model.erase(it);
      }
    }
    if (step % 100 == 0) heap.maintain();
  }
  drain(heap);
  CHECK(heap.size() == model.size());
  for (const auto& [number, expected] : model) {
    CHECK(heap.get(number).number() == number);
    CHECK(heap.get(number).at(1) == value(expected));
  }
}

TEST_CASE("row heap: memory follows the data down") {
  row_heap heap;
  std::vector<row_number> rows;
  for (int i = 0; i < 100'000; ++i) rows.push_back(heap.insert(row_of("some text of a usual size")));
  const std::size_t full = heap.memory_bytes();

  SUBCASE("when every row goes") {
    for (const row_number row : rows) heap.erase(row);
    CHECK(heap.memory_bytes() < 64U << 10);
  }
  SUBCASE("when nine of ten go") {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i % 10 != 0) heap.erase(rows[i]);
    }
    drain(heap);
    CHECK(heap.memory_bytes() < full / 3);
    for (std::size_t i = 0; i < rows.size(); i += 10) {
      CHECK(heap.get(rows[i]).at(1) == value("some text of a usual size"));
    }
  }
  SUBCASE("when rows are replaced by larger ones over and over") {
    for (std::size_t round = 1; round < 20; ++round) {
      for (const row_number row : rows) {
        heap.replace(row, row_of(std::string(20 + (round % 2) * 60, 'x')));
        heap.maintain();
      }
    }
    CHECK(heap.memory_bytes() < full * 4);
  }
}

TEST_CASE("row heap: a replaced row that fits stays in place, and survives moving") {
  row_heap heap;
  const row_number row = heap.insert(row_of("0123456789"));
  const char* place = heap.get(row).data();
  heap.replace(row, row_of("012345678"));
  CHECK(heap.get(row).data() == place);
  CHECK(heap.get(row).at(1) == value("012345678"));
  heap.replace(row, row_of("0123456789"));
  CHECK(heap.get(row).data() == place);
}

TEST_CASE("row heap: a huge row has a segment of its own and gives it back") {
  row_heap heap;
  const row_number small = heap.insert(row_of("small"));
  const std::size_t before = heap.memory_bytes();
  const row_number huge = heap.insert(row_of(std::string(5U << 20, 'z')));
  CHECK(heap.memory_bytes() > before + (5U << 20));
  CHECK(heap.get(huge).at(1)->size() == 5U << 20);
  heap.erase(huge);
  CHECK(heap.memory_bytes() < before + (64U << 10));
  CHECK(heap.get(small).at(1) == value("small"));
}
