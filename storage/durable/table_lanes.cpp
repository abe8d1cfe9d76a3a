#include "storage/durable/table_lanes.hpp"

#include <algorithm>

namespace pubsubsql::storage::durable {

unsigned table_lanes::by_name(std::string_view table) const {
  std::uint32_t hash = 2'166'136'261U;  // FNV-1a
  for (const char c : table) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
  return hash % count_;
}

bool table_lanes::are_joined(std::span<const std::string_view> tables) const {
  const auto first = sets_.find(tables.front());
  return std::ranges::all_of(tables.subspan(1), [&](std::string_view table) {
    const auto it = sets_.find(table);
    return first != sets_.end() && it != sets_.end() && it->second == first->second;
  });
}

std::vector<std::string> table_lanes::companions(std::string_view table) const {
  const auto own = sets_.find(table);
  if (own == sets_.end()) return {std::string(table)};
  std::vector<std::string> all;
  for (const auto& [name, set] : sets_) {
    if (set == own->second) all.push_back(name);
  }
  return all;
}

std::vector<table_lanes::move> table_lanes::join(std::span<const std::string_view> tables) {
  if (are_joined(tables)) return {};
  const unsigned to = lane_of(tables.front());
  const std::uint64_t joined = next_set_++;
  std::vector<move> moves;
  for (const std::string_view table : tables) {
    const unsigned from = lane_of(table);
    std::vector<std::string> all = companions(table);
    for (const std::string& name : all) sets_.insert_or_assign(name, joined);
    if (from == to) continue;
    {
      const std::unique_lock lock(mutex_);
      for (const std::string& name : all) moved_.insert_or_assign(name, to);
    }
    any_moved_.store(true, std::memory_order_release);
    moves.push_back({.from = from, .tables = std::move(all)});
  }
  return moves;
}

}  // namespace pubsubsql::storage::durable
