#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// What a run has measured: rates, round by round, and how they compare. Peers are measured in the same rounds, so that
/// a ratio is that of two neighbours: what slows the machine down for a while slows both.
class report {
 public:
  /// What was measured on what: `cores`, `2`.
  void fact(std::string name, std::string value);
  /// One round's result.
  void rate(const std::string& name, double per_second);
  /// A ratio of two rates to be shown, and what it should be at least.
  void compare(std::string name, std::string rate, std::string peer, std::optional<double> goal);

  void print(std::ostream& to) const;
  void print_json(std::ostream& to) const;

 private:
  struct series {
    std::string name;
    std::vector<double> rounds;
  };
  struct comparison {
    std::string name;
    std::string rate;
    std::string peer;
    std::optional<double> goal;
  };

  [[nodiscard]] const series* find(const std::string& name) const;
  /// The median of the rounds' ratios; nothing when one of the two was not measured.
  [[nodiscard]] std::optional<double> ratio_of(const comparison& c) const;

  std::vector<std::pair<std::string, std::string>> facts_;
  std::vector<series> rates_;
  std::vector<comparison> comparisons_;
};

}  // namespace bench
