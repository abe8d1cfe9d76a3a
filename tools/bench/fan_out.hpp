#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/bench/pubsub_workload.hpp"

namespace bench {

/// Every change of a table to many subscribers.
class fan_out : public pubsub_workload {
 public:
  [[nodiscard]] std::string name() const override { return "fan-out"; }
  [[nodiscard]] std::string description() const override { return "Every change to every subscriber"; }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  std::vector<std::size_t> subscribers_ = {10, 100, 1'000};
  double rate_ = 0;
};

}  // namespace bench
