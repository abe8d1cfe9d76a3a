#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "tools/bench/report.hpp"

namespace bench {

/// Something that is measured: a subcommand of the program. A new one is a class of its own and a line in main.cpp.
class workload {
 public:
  virtual ~workload() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string description() const = 0;
  virtual void add_options(CLI::App& to) = 0;
  /// Throws std::exception when it cannot be measured.
  virtual void run(report& out) = 0;
};

}  // namespace bench
