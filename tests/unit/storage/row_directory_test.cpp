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

TEST_CASE("row directory: visits what is between two positions") {
  row_directory directory;
  std::map<row_position, row_number> model;
  std::mt19937 random(8);
  const auto any = [&] { return static_cast<row_position>(random() % 700) - 350; };
  for (row_number i = 0; i < 200; ++i) {
    const row_position position = any();
    if (model.emplace(position, i).second) directory.insert(position, i);
  }
  for (int i = 0; i < 2000; ++i) {
    const row_position first = i == 0 ? INT64_MIN : any();
    const row_position last = i < 2 ? INT64_MAX : any();
    std::vector<row_number> expected;
    for (const auto& [position, number] : model) {
      if (position >= first && position <= last) expected.push_back(number);
    }
    std::vector<row_number> seen;
    const auto take = [&](row_number row) {
      seen.push_back(row);
      return true;
    };
    CHECK(directory.visit(first, last, take));
    CHECK(seen == expected);
    seen.clear();
    CHECK(directory.visit_back(first, last, take));
    CHECK(std::vector<row_number>(seen.rbegin(), seen.rend()) == expected);
    if (!expected.empty()) CHECK_FALSE(directory.visit(first, last, [](row_number) { return false; }));
  }
}
