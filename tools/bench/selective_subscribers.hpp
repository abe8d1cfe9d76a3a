#pragma once

#include <cstddef>
#include <string>

#include "tools/bench/pubsub_workload.hpp"

namespace bench {

/// Subscribers with a row of their own each, alone and among many other subscriptions.
class selective_subscribers : public pubsub_workload {
 public:
  [[nodiscard]] std::string name() const override { return "selective"; }
  [[nodiscard]] std::string description() const override { return "Every change to the one subscriber it concerns"; }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  std::size_t subscribers_ = 1'000;
  std::size_t other_subscriptions_ = 100'000;
};

}  // namespace bench
