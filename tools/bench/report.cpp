#include "tools/bench/report.hpp"

#include <algorithm>
#include <iomanip>
#include <string_view>

#include <nlohmann/json.hpp>

namespace bench {

namespace {

constexpr int name_width = 44;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

void report::fact(std::string name, std::string value) {
  facts_.emplace_back(std::move(name), std::move(value));
}

void report::add(std::vector<series>& to, const std::string& name, double value) {
  const auto it = std::ranges::find(to, name, &series::name);
  if (it == to.end()) {
    to.push_back({name, {value}});
  } else {
    it->rounds.push_back(value);
  }
}

void report::rate(const std::string& name, double per_second) {
  add(rates_, name, per_second);
}

void report::cost(const std::string& name, double value, std::optional<double> limit) {
  add(costs_, name, value);
  std::ranges::find(costs_, name, &series::name)->limit = limit;
}

void report::compare_cost(std::string name, std::string cost, std::string peer, std::optional<double> limit) {
  comparisons_.push_back({std::move(name), std::move(cost), std::move(peer), limit, true});
}

void report::compare(std::string name, std::string rate, std::string peer, std::optional<double> goal) {
  comparisons_.push_back({std::move(name), std::move(rate), std::move(peer), goal});
}

const report::series* report::find(const std::string& name) const {
  for (const auto* list : {&rates_, &costs_}) {
    if (const auto it = std::ranges::find(*list, name, &series::name); it != list->end()) return &*it;
  }
  return nullptr;
}

std::optional<double> report::ratio_of(const comparison& c) const {
  const series* rate = find(c.rate);
  const series* peer = find(c.peer);
  if (rate == nullptr || peer == nullptr) return std::nullopt;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(rate->rounds.size(), peer->rounds.size()); ++i) {
    ratios.push_back(rate->rounds[i] / peer->rounds[i]);
  }
  return median(std::move(ratios));
}

void report::print(std::ostream& to) const {
  for (const auto& [name, value] : facts_) to << name << ": " << value << '\n';
  to << std::fixed;
  const auto heading = [&to](std::string_view name, std::string_view columns) {
    to << '\n' << std::left << std::setw(name_width) << name << columns << '\n';
  };
  const auto line = [&to](const std::string& name, int digits, double value, std::optional<double> goal, bool at_most) {
    to << std::left << std::setw(name_width) << name << std::right << std::setprecision(digits) << std::setw(10)
       << value;
    if (goal) to << std::setw(10) << *goal << (at_most ? " at most" : "");
    to << '\n';
  };
  if (!rates_.empty()) heading("rate, median of the rounds", "per second");
  for (const series& s : rates_) line(s.name, 0, median(s.rounds), std::nullopt, false);
  if (!costs_.empty()) heading("cost, median of the rounds", "      cost      goal");
  for (const series& s : costs_) line(s.name, 1, median(s.rounds), s.limit, true);
  if (!comparisons_.empty()) heading("ratio, median of the rounds", "     ratio      goal");
  for (const comparison& c : comparisons_) {
    if (const auto ratio = ratio_of(c)) line(c.name, 2, *ratio, c.goal, c.at_most);
  }
  to.flush();
}

void report::print_json(std::ostream& to) const {
  nlohmann::ordered_json out;
  for (const auto& [name, value] : facts_) out["facts"][name] = value;
  for (const series& s : rates_) {
    out["rates"].push_back({{"name", s.name}, {"per_second", median(s.rounds)}, {"rounds", s.rounds}});
  }
  for (const series& s : costs_) {
    nlohmann::ordered_json entry{{"name", s.name}, {"cost", median(s.rounds)}, {"rounds", s.rounds}};
    if (s.limit) entry["limit"] = *s.limit;
    out["costs"].push_back(std::move(entry));
  }
  for (const comparison& c : comparisons_) {
    const auto ratio = ratio_of(c);
    if (!ratio) continue;
    nlohmann::ordered_json entry{{"name", c.name}, {"ratio", *ratio}, {"of", c.rate}, {"to", c.peer}};
    if (c.goal) entry[c.at_most ? "limit" : "goal"] = *c.goal;
    out["ratios"].push_back(std::move(entry));
  }
  to << out.dump(2) << std::endl;
}

}  // namespace bench
