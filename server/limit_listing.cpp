#include "server/limit_listing.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "server/limits.hpp"

namespace pubsubsql::server {

namespace {

struct usage {
  std::optional<std::uint64_t> now = {};
  std::optional<std::uint64_t> peak = {};
};

usage usage_of(std::size_t place, shared_state& shared) {
  const std::string_view flag = all_limits()[place].flag;
  const std::uint64_t peak = shared.counters.peak(place);
  if (flag == "max-memory") {
    const std::uint64_t now = resident_bytes();
    return {now, std::max(now, resident_bytes_peak())};  // the system counts the two at different times
  }
  if (flag == "max-connections") return {shared.connections.load(std::memory_order_relaxed), peak};
  if (flag == "max-connections-per-address") return {shared.origins.most()};
  if (flag == "max-total-subscriptions") return {shared.subscriptions.load(std::memory_order_relaxed), peak};
  const auto in_use = [](const std::atomic<std::int64_t>& bytes) {
    return usage{static_cast<std::uint64_t>(std::max<std::int64_t>(bytes.load(std::memory_order_relaxed), 0))};
  };
  if (flag == "max-total-backlog-bytes") return in_use(shared.backlog_bytes);
  if (flag == "max-total-reply-bytes") return in_use(shared.reply_bytes);
  if (flag == "history-total-bytes") return in_use(shared.history_bytes);
  if (flag == "max-tables") return {shared.tables.size(), shared.tables.size()};  // places are kept
  if (flag == "store-queue-bytes") return {shared.store.queued_bytes()};
  return {};
}

std::optional<std::string> to_text(std::optional<std::uint64_t> number) {
  return number ? std::optional(std::to_string(*number)) : std::nullopt;
}

}  // namespace

void encode_limits(std::string& out, const reply_address& to, shared_state& shared) {
  static constexpr std::string_view columns[] = {"Limit", "Value", "InUse", "Peak", "Refused"};
  std::vector<std::optional<std::string>> cells;
  const std::span<const limit_facts> limits = all_limits();
  for (std::size_t place = 0; place < limits.size(); ++place) {
    const limit_facts& l = limits[place];
    cells.emplace_back(l.flag);
    cells.emplace_back(std::to_string(l.get(shared.settings)));
    const usage used = usage_of(place, shared);
    cells.push_back(to_text(used.now));
    cells.push_back(to_text(used.peak));
    cells.emplace_back(std::to_string(shared.counters.refusals(place)));
  }
  const std::vector<storage::value> values(cells.begin(), cells.end());
  encode_listing(out, to, "show", columns, values);
}

}  // namespace pubsubsql::server
