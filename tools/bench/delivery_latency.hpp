#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/bench/pubsub_workload.hpp"

namespace bench {

/// How long a change takes to reach a subscriber, at fixed rates.
class delivery_latency : public pubsub_workload {
 public:
  [[nodiscard]] std::string name() const override { return "latency"; }
  [[nodiscard]] std::string description() const override { return "From the time of a change to its subscriber"; }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  std::vector<unsigned> rates_ = {1'000, 5'000};
  std::size_t subscribers_ = 1;
};

}  // namespace bench
