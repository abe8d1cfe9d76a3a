// A pipeline of CI jobs, claimed by worker processes that are killed while they work. See README.md beside this file.

#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/demo/jobs/pipeline.hpp"
#include "tools/demo/jobs/worker.hpp"

int main(int argc, char** argv) {
  demo::pipeline_settings s;
  std::string name;
  CLI::App app("Runs a pipeline of jobs over several worker processes that are killed on the way", "pubsubsql-jobs");
  app.add_option("--host", s.host, "Where the server is")->capture_default_str();
  app.add_option("--port", s.port, "The server's port")->capture_default_str();
  app.add_option("--jobs", s.jobs, "How many jobs there are")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--workers", s.workers, "How many processes work on them")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--kills", s.kills, "How many of them are killed meanwhile")->capture_default_str();
  app.add_option("--worker", name, "Be the worker of this name; the pipeline starts its own")->group("");
  CLI11_PARSE(app, argc, argv);
  try {
    if (!name.empty()) {
      demo::work(s.host, s.port, name);
      return 0;
    }
    s.program = argv[0];
    return demo::run_pipeline(s) ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
