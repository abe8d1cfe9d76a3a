#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/bench/framed_client.hpp"
#include "tools/bench/workload.hpp"

namespace bench {

/// Whether an update by key costs the same however many rows the table has, and however many subscriptions that do not
/// match. The cost is the server's processor time for a statement, under a pipelined load.
class growth : public workload {
 public:
  [[nodiscard]] std::string name() const override { return "growth"; }
  [[nodiscard]] std::string description() const override {
    return "Cost of an update by key as tables and subscriptions grow";
  }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  struct subject {
    std::string name;
    script updates;
  };

  void add_rows_subjects(framed_client& control);
  /// Returns the connections that subscribe, to be kept.
  [[nodiscard]] std::vector<framed_client> add_subscription_subjects(framed_client& control, std::uint16_t port);
  void add_subject(const std::string& name, const std::string& table, const std::vector<std::uint64_t>& keys);
  void measure(report& out, const subject& s, framed_client& c, pid_t server) const;
  void compare(report& out) const;

  std::string server_ = "build/release/pubsubsqld";
  std::vector<std::uint64_t> rows_ = {1'000, 10'000, 100'000, 1'000'000, 5'000'000};
  std::vector<std::uint64_t> subscriptions_ = {0, 1'000, 10'000, 100'000};
  std::uint64_t updates_ = 200'000;
  unsigned rounds_ = 7;

  std::vector<subject> subjects_;
};

}  // namespace bench
