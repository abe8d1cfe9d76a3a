#pragma once

#include <cstdint>
#include <string>

#include "tools/bench/workload.hpp"

namespace bench {

/// A queue that workers empty: rows popped several at a time and acknowledged, without waiting for the acknowledgement;
/// in memory, and with a durable queue.
class work_queue : public workload {
 public:
  [[nodiscard]] std::string name() const override { return "queue"; }
  [[nodiscard]] std::string description() const override {
    return "Leased pops with their acknowledgements, over several connections";
  }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  void measure(report& out, const std::string& rate, bool durable, std::uint64_t rows) const;

  std::string server_ = "build/release/pubsubsqld";
  std::string directory_ = "/tmp";
  unsigned threads_ = 1;
  unsigned connections_ = 10;
  unsigned at_a_time_ = 10;
  unsigned depth_ = 2;
  std::uint64_t rows_ = 500'000;
  std::uint64_t durable_rows_ = 50'000;
  unsigned rounds_ = 3;
};

}  // namespace bench
