#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/latency_histogram.hpp"

namespace bench {

/// Seconds of processor time in a second, of the measuring program and of what it measures.
struct processor_use {
  double client = 0;
  std::optional<double> server;  ///< nothing when the process may not be looked at
};

/// What a run has measured: rates and costs, round by round, and how they compare. Peers are measured in the same
/// rounds, so that a ratio is that of two neighbours: what slows the machine down for a while slows both.
class report {
 public:
  /// What was measured on what: `cores`, `2`.
  void fact(std::string name, std::string value);
  /// One round's result.
  void rate(const std::string& name, double per_second);
  /// What goes with the rate of that name, as far as it was measured: the latencies of all rounds come together, of the
  /// processor's use the median is shown.
  void latency(const std::string& rate, const latency_histogram& round);
  void processor(const std::string& rate, const processor_use& round);
  /// A ratio of two rates to be shown, and what it should be at least.
  void compare(std::string name, std::string rate, std::string peer, std::optional<double> goal);
  /// The same of the latencies that go with two rates, by the duration that this part of them does not exceed: the
  /// peer's by the other's, so that here, too, more is better.
  void compare_latency(std::string name, std::string rate, std::string peer, double part, std::optional<double> goal);

  /// One round's result that is no rate: bytes, nanoseconds, seconds. `limit` is what it should be at most.
  void cost(const std::string& name, double value, std::optional<double> limit = std::nullopt);
  /// A ratio of two costs to be shown, and what it should be at most.
  void compare_cost(std::string name, std::string cost, std::string peer, std::optional<double> limit);

  void print(std::ostream& to) const;
  void print_json(std::ostream& to) const;

 private:
  struct series {
    std::string name;
    std::vector<double> rounds;
    std::optional<double> limit;  ///< of a cost
    latency_histogram latencies;
    std::vector<latency_histogram> latency_rounds;
    std::vector<double> client_processor;
    std::vector<double> server_processor;
  };
  struct comparison {
    std::string name;
    std::string rate;
    std::string peer;
    std::optional<double> goal;
    std::optional<double> part;  ///< of latencies; nothing for rates
    bool at_most = false;        ///< the goal is a limit
  };

  [[nodiscard]] const series* find(const std::string& name) const;
  [[nodiscard]] static series& at(std::vector<series>& list, const std::string& name);
  void print_rates(std::ostream& to) const;
  void print_costs(std::ostream& to) const;
  void print_ratios(std::ostream& to) const;
  static void print_details(std::ostream& to, const series& s);
  /// The median of the rounds' ratios; nothing when one of the two was not measured.
  [[nodiscard]] std::optional<double> ratio_of(const comparison& c) const;

  std::vector<std::pair<std::string, std::string>> facts_;
  std::vector<series> rates_;
  std::vector<series> costs_;
  std::vector<comparison> comparisons_;
};

}  // namespace bench
