#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tools/bench/workload.hpp"

namespace bench {

/// What rows, idle connections and subscriptions cost of the server's memory: how much its resident size grows with
/// them.
class memory : public workload {
 public:
  [[nodiscard]] std::string name() const override { return "memory"; }
  [[nodiscard]] std::string description() const override {
    return "Memory of the server for each row, idle connection and subscription";
  }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  void run_rows(report& out) const;
  void run_connections(report& out) const;
  void run_subscriptions(report& out) const;

  std::string server_ = "build/release/pubsubsqld";
  std::uint64_t rows_ = 1'000'000;
  std::uint64_t connections_ = 5'000;
  std::uint64_t subscriptions_ = 100'000;
  unsigned rounds_ = 3;
};

}  // namespace bench
