#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/pubsub_run.hpp"
#include "tools/bench/workload.hpp"

namespace bench {

/// What the publish/subscribe workloads have in common: the same setups measured on pubsubsqld, on the null server and
/// on other servers that listen already, round after round, by turns.
class pubsub_workload : public workload {
 public:
  void add_options(CLI::App& to) override;

 protected:
  enum class protocol { framed, redis, nats };

  /// One that is measured.
  struct target {
    std::string name;
    protocol speaks = protocol::framed;
    std::uint16_t port = 0;  ///< 0: started for each measurement
  };

  /// What is measured, and what it is called.
  struct named_setup {
    std::string name;
    pubsub_setup setup;
  };

  inline static const std::string ours = "pubsubsqld";
  inline static const std::string null = "null server";

  /// A setup as the options have it.
  [[nodiscard]] pubsub_setup common_setup() const;
  /// pubsubsqld, the null server, then the others.
  [[nodiscard]] const std::vector<target>& targets() const { return targets_; }
  [[nodiscard]] static std::string rate_name(const std::string& setup, const std::string& target);
  /// Measures every setup on every target in every round.
  void measure_all(report& out, const std::vector<named_setup>& setups);

  std::size_t window_ = 1'000;

 private:
  void find_targets();
  /// Where they run: apart from each other if there are two processors and a server has one thread.
  [[nodiscard]] std::optional<unsigned> client_processor() const;
  [[nodiscard]] std::optional<unsigned> server_processor() const;
  [[nodiscard]] pubsub_result measure(const target& t, const pubsub_setup& setup) const;
  [[nodiscard]] pubsub_result measure_at(const target& t, const pubsub_setup& setup, std::uint16_t port,
                                         std::optional<pid_t> process) const;
  [[nodiscard]] std::unique_ptr<pubsub_wire> make_wire(const target& t, const pubsub_setup& setup) const;

  std::string server_ = "build/release/pubsubsqld";
  unsigned threads_ = 1;
  std::vector<std::string> compare_;
  unsigned rounds_ = 3;
  double seconds_ = 2;
  double warm_up_seconds_ = 0.5;
  std::size_t publishers_ = 1;
  bool with_replies_ = false;
  bool checks_ = false;
  std::optional<int> client_cpu_;
  std::optional<int> server_cpu_;
  std::vector<target> targets_;
};

}  // namespace bench
