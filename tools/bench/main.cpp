// Measures the server beside its peers and prints ratios. See README.md beside this file.

#include <exception>
#include <iostream>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/bench/delivery_latency.hpp"
#include "tools/bench/fan_out.hpp"
#include "tools/bench/growth.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/machine.hpp"
#include "tools/bench/memory.hpp"
#include "tools/bench/null_server.hpp"
#include "tools/bench/report.hpp"
#include "tools/bench/request_response.hpp"
#include "tools/bench/selective_subscribers.hpp"
#include "tools/bench/work_queue.hpp"
#include "tools/bench/write_through.hpp"

int main(int argc, char** argv) {
  CLI::App app("Measures a pubsubsqld beside its peers, in the same run", "pubsubsql-bench");
  app.require_subcommand(1);
  bool json = false;
  app.add_flag("--json", json, "Print the report as JSON");
  app.fallthrough();

  std::vector<std::unique_ptr<bench::workload>> workloads;
  workloads.push_back(std::make_unique<bench::write_through>());
  workloads.push_back(std::make_unique<bench::memory>());
  workloads.push_back(std::make_unique<bench::growth>());
  workloads.push_back(std::make_unique<bench::load>());
  workloads.push_back(std::make_unique<bench::request_response>());
  workloads.push_back(std::make_unique<bench::work_queue>());
  workloads.push_back(std::make_unique<bench::fan_out>());
  workloads.push_back(std::make_unique<bench::selective_subscribers>());
  workloads.push_back(std::make_unique<bench::delivery_latency>());
  workloads.push_back(std::make_unique<bench::null_server>());
  for (const auto& w : workloads) w->add_options(*app.add_subcommand(w->name(), w->description()));
  CLI11_PARSE(app, argc, argv);

  try {
    bench::report out;
    bench::describe_machine(out);
    for (const auto& w : workloads) {
      if (app.got_subcommand(w->name())) w->run(out);
    }
    json ? out.print_json(std::cout) : out.print(std::cout);
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "pubsubsql-bench: " << e.what() << '\n';
    return 1;
  }
}
