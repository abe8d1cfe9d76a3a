#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// What a run has measured: rates and costs, round by round, and how they compare. Peers are measured in the same
/// rounds, so that a ratio is that of two neighbours: what slows the machine down for a while slows both.
class report {
 public:
  /// What was measured on what: `cores`, `2`.
  void fact(std::string name, std::string value);
  /// One round's result.
  void rate(const std::string& name, double per_second);
  /// A ratio of two rates to be shown, and what it should be at least.
  void compare(std::string name, std::string rate, std::string peer, std::optional<double> goal);
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
    std::optional<double> limit = {};
  };
  struct comparison {
    std::string name;
    std::string rate;
    std::string peer;
    std::optional<double> goal;
    bool at_most = false;  // goal is a limit
  };

  [[nodiscard]] const series* find(const std::string& name) const;
  static void add(std::vector<series>& to, const std::string& name, double value);
  /// The median of the rounds' ratios; nothing when one of the two was not measured.
  [[nodiscard]] std::optional<double> ratio_of(const comparison& c) const;

  std::vector<std::pair<std::string, std::string>> facts_;
  std::vector<series> rates_;
  std::vector<series> costs_;
  std::vector<comparison> comparisons_;
};

}  // namespace bench
