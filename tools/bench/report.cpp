#include "tools/bench/report.hpp"

#include <algorithm>
#include <iomanip>

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

void report::rate(const std::string& name, double per_second) {
  const auto it = std::ranges::find(rates_, name, &series::name);
  if (it == rates_.end()) {
    rates_.push_back({name, {per_second}});
  } else {
    it->rounds.push_back(per_second);
  }
}

void report::compare(std::string name, std::string rate, std::string peer, std::optional<double> goal) {
  comparisons_.push_back({std::move(name), std::move(rate), std::move(peer), goal});
}

const report::series* report::find(const std::string& name) const {
  const auto it = std::ranges::find(rates_, name, &series::name);
  return it == rates_.end() ? nullptr : &*it;
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
  to << '\n'
     << std::left << std::setw(name_width) << "rate, median of the rounds"
     << "per second\n";
  to << std::fixed;
  for (const series& s : rates_) {
    to << std::left << std::setw(name_width) << s.name << std::right << std::setw(10) << std::setprecision(0)
       << median(s.rounds) << '\n';
  }
  to << '\n'
     << std::left << std::setw(name_width) << "ratio, median of the rounds"
     << "     ratio      goal\n";
  for (const comparison& c : comparisons_) {
    const auto ratio = ratio_of(c);
    if (!ratio) continue;
    to << std::left << std::setw(name_width) << c.name << std::right << std::setw(10) << std::setprecision(2) << *ratio;
    if (c.goal) to << std::setw(10) << *c.goal;
    to << '\n';
  }
  to.flush();
}

void report::print_json(std::ostream& to) const {
  nlohmann::ordered_json out;
  for (const auto& [name, value] : facts_) out["facts"][name] = value;
  for (const series& s : rates_) {
    out["rates"].push_back({{"name", s.name}, {"per_second", median(s.rounds)}, {"rounds", s.rounds}});
  }
  for (const comparison& c : comparisons_) {
    const auto ratio = ratio_of(c);
    if (!ratio) continue;
    nlohmann::ordered_json entry{{"name", c.name}, {"ratio", *ratio}, {"of", c.rate}, {"to", c.peer}};
    if (c.goal) entry["goal"] = *c.goal;
    out["ratios"].push_back(std::move(entry));
  }
  to << out.dump(2) << std::endl;
}

}  // namespace bench
