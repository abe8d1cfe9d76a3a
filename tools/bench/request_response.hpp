#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/dialect.hpp"
#include "tools/bench/peer.hpp"
#include "tools/bench/workload.hpp"

namespace bench {

/// Requests and their replies: how many, how soon, at what cost to the processor; beside the null server and others.
class request_response : public workload {
 public:
  [[nodiscard]] std::string name() const override { return "request-response"; }
  [[nodiscard]] std::string description() const override {
    return "Updates, selects and inserts, each with its reply, against peers";
  }
  void add_options(CLI::App& to) override;
  void run(report& out) override;

 private:
  /// What is measured at a time: these operations on so many connections with so many requests under way on each.
  struct load_case {
    std::string operation;
    unsigned connections;
    unsigned depth;

    [[nodiscard]] std::string name() const;
  };

  [[nodiscard]] std::vector<load_case> chosen_cases() const;
  void measure(report& out, const load_case& c, peer& p) const;
  static void compare(report& out, const load_case& c, const peer& p);
  [[nodiscard]] std::optional<unsigned> server_processor() const;
  [[nodiscard]] std::optional<unsigned> client_processor() const;

  std::string server_ = "build/release/pubsubsqld";
  unsigned threads_ = 1;
  std::vector<std::string> operations_;
  unsigned connections_ = 0;  // 0: as the table of cases has it
  unsigned depth_ = 0;
  std::uint64_t rows_ = 100'000;
  double seconds_ = 2;
  unsigned rounds_ = 3;
  std::vector<std::string> peers_ = {"null"};
  static constexpr int any_processor = -1;
  static constexpr int usual_processor = -2;
  int client_cpu_ = usual_processor;
  int server_cpu_ = usual_processor;
};

}  // namespace bench
