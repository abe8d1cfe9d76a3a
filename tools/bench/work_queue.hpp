#pragma once

#include <cstdint>
#include <string>

#include "tools/bench/peer.hpp"
#include "tools/bench/workload.hpp"

namespace bench {

class queue_dialect;

/// A queue that workers empty: rows popped several at a time and acknowledged, without waiting for the acknowledgement;
/// in memory, and with a durable queue. Beside it PostgreSQL, if wanted.
class work_queue : public workload {
 public:
  [[nodiscard]] std::string name() const override { return "queue"; }
  [[nodiscard]] std::string description() const override {
    return "Leased pops with their acknowledgements, over several connections";
  }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  void measure(report& out, bool durable) const;
  void measure_peer(report& out, const peer_address& peer, bool durable) const;
  [[nodiscard]] double rows_per_second(const queue_dialect& queue, std::uint16_t port, bool durable) const;

  std::string server_ = "build/release/pubsubsqld";
  std::string directory_ = "/tmp";
  unsigned threads_ = 1;
  unsigned connections_ = 10;
  unsigned at_a_time_ = 10;
  unsigned depth_ = 2;
  std::uint64_t rows_ = 500'000;
  std::uint64_t durable_rows_ = 50'000;
  unsigned rounds_ = 3;
  std::string peer_;
};

}  // namespace bench
