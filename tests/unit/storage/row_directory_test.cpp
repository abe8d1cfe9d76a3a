#include "storage/row_directory.hpp"

#include <map>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::storage;

TEST_CASE("row directory: behaves as an ordered map") {
  row_directory directory;
  std::map<row_position, row_number> model;
  std::mt19937 random(7);
  row_position back = 0;
  row_position front = -1;
  for (row_number step = 0; step < 50'000; ++step) {
    const auto dice = random() % 10;
    if (model.empty() || dice < 5) {
      const row_position position = dice % 2 == 0 ? back++ : front--;
      directory.insert(position, step);
      model.emplace(position, step);
    } else {
      auto it = dice == 5   ? model.begin()
                : dice == 6 ? std::prev(model.end())
                            : model.lower_bound(front + static_cast<row_position>(random()) % (back - front));
      if (it == model.end()) --it;
      directory.erase(it->first);
      CHECK_FALSE(directory.find(it->first));
      model.erase(it);
    }
    CHECK(directory.size() == model.size());
    if (model.empty()) continue;
    CHECK(directory.front().position == model.begin()->first);
    CHECK(directory.front().number == model.begin()->second);
    CHECK(directory.back().position == model.rbegin()->first);
    CHECK(directory.back().number == model.rbegin()->second);
  }
  std::vector<row_number> visited;
  directory.for_each([&](row_number row) { visited.push_back(row); });
  std::vector<row_number> expected;
  for (const auto& [position, row] : model) {
    expected.push_back(row);
    CHECK(directory.find(position) == row);
  }
  CHECK(visited == expected);
}
