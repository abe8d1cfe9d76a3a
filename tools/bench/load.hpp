#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/bench/workload.hpp"

namespace bench {

/// How fast a table comes in through a connection, and how fast it is back after a restart with a data directory.
class load : public workload {
 public:
  [[nodiscard]] std::string name() const override { return "load"; }
  [[nodiscard]] std::string description() const override {
    return "Loading a table through a connection, and a restart with it in a data directory";
  }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  void run_memory(report& out, const std::string& rate, std::uint64_t rows_a_statement) const;
  void run_data(report& out) const;

  std::string server_ = "build/release/pubsubsqld";
  std::uint64_t rows_ = 1'000'000;
  unsigned rounds_ = 3;
  std::string directory_ = "/tmp";
};

}  // namespace bench
