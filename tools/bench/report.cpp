#include "tools/bench/report.hpp"

#include <algorithm>
#include <array>
#include <iomanip>

#include <nlohmann/json.hpp>

namespace bench {

namespace {

constexpr int name_width = 44;
constexpr int number_width = 10;
constexpr double nanoseconds_in_microsecond = 1'000;

struct percentile_shown {
  const char* title;
  const char* json_name;
  double part;
};
constexpr std::array<percentile_shown, 4> percentiles = {
    {{"p50 us", "p50_us", 0.5}, {"p99 us", "p99_us", 0.99}, {"p99.9 us", "p99_9_us", 0.999}, {"max us", "max_us", 1}}};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double microseconds(const latency_histogram& h, double part) {
  return static_cast<double>(h.percentile(part)) / nanoseconds_in_microsecond;
}

}  // namespace

void report::fact(std::string name, std::string value) {
  facts_.emplace_back(std::move(name), std::move(value));
}

void report::rate(const std::string& name, double per_second) {
  at(rates_, name).rounds.push_back(per_second);
}

void report::latency(const std::string& rate, const latency_histogram& round) {
  series& s = at(rates_, rate);
  s.latencies.add(round);
  s.latency_rounds.push_back(round);
}

void report::processor(const std::string& rate, const processor_use& round) {
  series& s = at(rates_, rate);
  s.client_processor.push_back(round.client);
  if (round.server) s.server_processor.push_back(*round.server);
}

void report::compare(std::string name, std::string rate, std::string peer, std::optional<double> goal) {
  comparisons_.push_back({std::move(name), std::move(rate), std::move(peer), goal, std::nullopt, false});
}

void report::compare_latency(std::string name, std::string rate, std::string peer, double part,
                             std::optional<double> goal) {
  comparisons_.push_back({std::move(name), std::move(rate), std::move(peer), goal, part, false});
}

void report::cost(const std::string& name, double value, std::optional<double> limit) {
  series& s = at(costs_, name);
  s.rounds.push_back(value);
  s.limit = limit;
}

void report::compare_cost(std::string name, std::string cost, std::string peer, std::optional<double> limit) {
  comparisons_.push_back({std::move(name), std::move(cost), std::move(peer), limit, std::nullopt, true});
}

const report::series* report::find(const std::string& name) const {
  for (const auto* list : {&rates_, &costs_}) {
    if (const auto it = std::ranges::find(*list, name, &series::name); it != list->end()) return &*it;
  }
  return nullptr;
}

report::series& report::at(std::vector<series>& list, const std::string& name) {
  const auto it = std::ranges::find(list, name, &series::name);
  if (it != list.end()) return *it;
  series& made = list.emplace_back();
  made.name = name;
  return made;
}

std::optional<double> report::ratio_of(const comparison& c) const {
  const series* rate = find(c.rate);
  const series* peer = find(c.peer);
  if (rate == nullptr || peer == nullptr) return std::nullopt;
  std::vector<double> ratios;
  if (c.part) {
    for (std::size_t i = 0; i < std::min(rate->latency_rounds.size(), peer->latency_rounds.size()); ++i) {
      ratios.push_back(microseconds(peer->latency_rounds[i], *c.part) / microseconds(rate->latency_rounds[i], *c.part));
    }
  } else {
    for (std::size_t i = 0; i < std::min(rate->rounds.size(), peer->rounds.size()); ++i) {
      ratios.push_back(rate->rounds[i] / peer->rounds[i]);
    }
  }
  if (ratios.empty()) return std::nullopt;
  return median(std::move(ratios));
}

void report::print(std::ostream& to) const {
  for (const auto& [name, value] : facts_) to << name << ": " << value << '\n';
  to << std::fixed;
  if (!rates_.empty()) print_rates(to);
  if (!costs_.empty()) print_costs(to);
  if (!comparisons_.empty()) print_ratios(to);
  to.flush();
}

void report::print_rates(std::ostream& to) const {
  to << '\n'
     << std::left << std::setw(name_width) << "rate, median of the rounds" << std::right << std::setw(number_width)
     << "per second";
  if (std::ranges::any_of(rates_, [](const series& s) { return s.latencies.count() > 0; })) {
    for (const percentile_shown& p : percentiles) to << std::setw(number_width) << p.title;
  }
  if (std::ranges::any_of(rates_, [](const series& s) { return !s.client_processor.empty(); })) {
    to << std::setw(number_width + 2) << "client CPU" << std::setw(number_width + 2) << "server CPU";
  }
  to << '\n';
  for (const series& s : rates_) {
    to << std::left << std::setw(name_width) << s.name << std::right << std::setw(number_width) << std::setprecision(0)
       << median(s.rounds);
    print_details(to, s);
    to << '\n';
  }
}

void report::print_costs(std::ostream& to) const {
  to << '\n'
     << std::left << std::setw(name_width) << "cost, median of the rounds"
     << "      cost      goal\n";
  for (const series& s : costs_) {
    to << std::left << std::setw(name_width) << s.name << std::right << std::setw(number_width) << std::setprecision(1)
       << median(s.rounds);
    if (s.limit) to << std::setw(number_width) << *s.limit << " at most";
    to << '\n';
  }
}

void report::print_ratios(std::ostream& to) const {
  to << '\n'
     << std::left << std::setw(name_width) << "ratio, median of the rounds"
     << "     ratio      goal\n";
  for (const comparison& c : comparisons_) {
    const auto ratio = ratio_of(c);
    if (!ratio) continue;
    to << std::left << std::setw(name_width) << c.name << std::right << std::setw(number_width) << std::setprecision(2)
       << *ratio;
    if (c.goal) to << std::setw(number_width) << *c.goal << (c.at_most ? " at most" : "");
    to << '\n';
  }
}

void report::print_details(std::ostream& to, const series& s) {
  if (s.latencies.count() > 0) {
    to << std::setprecision(1);
    for (const percentile_shown& p : percentiles) {
      to << std::setw(number_width) << microseconds(s.latencies, p.part);
    }
  }
  to << std::setprecision(2);
  if (!s.client_processor.empty()) to << std::setw(number_width + 2) << median(s.client_processor);
  if (!s.server_processor.empty()) to << std::setw(number_width + 2) << median(s.server_processor);
}

void report::print_json(std::ostream& to) const {
  nlohmann::ordered_json out;
  for (const auto& [name, value] : facts_) out["facts"][name] = value;
  for (const series& s : rates_) {
    nlohmann::ordered_json entry{{"name", s.name}, {"per_second", median(s.rounds)}, {"rounds", s.rounds}};
    if (s.latencies.count() > 0) {
      for (const percentile_shown& p : percentiles) entry[p.json_name] = microseconds(s.latencies, p.part);
    }
    if (!s.client_processor.empty()) entry["client_cpu"] = median(s.client_processor);
    if (!s.server_processor.empty()) entry["server_cpu"] = median(s.server_processor);
    out["rates"].push_back(std::move(entry));
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
    if (c.goal) entry["goal"] = *c.goal;
    out["ratios"].push_back(std::move(entry));
  }
  to << out.dump(2) << std::endl;
}

}  // namespace bench
