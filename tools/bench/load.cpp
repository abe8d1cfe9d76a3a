#include "tools/bench/load.hpp"

#include <chrono>
#include <functional>
#include <stdexcept>

#include "tools/bench/framed_client.hpp"
#include "tools/bench/number_table.hpp"
#include "tools/bench/scratch_directory.hpp"
#include "tools/bench/server_process.hpp"

namespace bench {

namespace {

constexpr double restart_seconds_max = 3;
constexpr std::uint64_t rows_of_large_statements = 100;

double seconds_of(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

/// Whether a row with the key of this row is there, told by what a second one meets.
bool has(framed_client& c, const number_table& t, std::uint64_t row) {
  try {
    c.ask("insert into " + t.name() + " (k) values (" + number_table::key(row) + ")");
    return false;
  } catch (const std::runtime_error&) {
    return true;
  }
}

}  // namespace

void load::add_options(CLI::App& to) {
  to.add_option("--server", server_, "The pubsubsqld to measure")->capture_default_str();
  to.add_option("--rows", rows_, "Rows")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--rounds", rounds_, "Rounds")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--directory", directory_, "Where the data directories are made")->capture_default_str();
}

void load::run(report& out) {
  out.fact("rows", std::to_string(rows_));
  out.fact("rounds", std::to_string(rounds_));
  for (unsigned round = 0; round < rounds_; ++round) {
    run_memory(out, "rows in memory, one a statement", 1);
    run_memory(out, "rows in memory, 100 a statement", rows_of_large_statements);
    run_data(out);
  }
}

void load::run_memory(report& out, const std::string& rate, std::uint64_t rows_a_statement) const {
  const server_process server(server_, {"--threads", "1"});
  framed_client c(server.port());
  const number_table table("t");
  table.make(c);
  const script rows = table.inserts(0, rows_, rows_a_statement);
  const double seconds = seconds_of([&] { c.run(rows); });
  out.rate(rate, static_cast<double>(rows_) / seconds);
}

void load::run_data(report& out) const {
  const scratch_directory directory(directory_);
  const std::vector<std::string> flags = {"--threads", "1", "--data", directory.path() + "/data"};
  const number_table table("t");
  {
    const server_process server(server_, flags);
    framed_client c(server.port());
    table.make(c);
    const script rows = table.inserts(0, rows_);
    const double seconds = seconds_of([&] { c.run(rows); });
    out.rate("rows with --data, one a statement", static_cast<double>(rows_) / seconds);
  }
  const auto began = std::chrono::steady_clock::now();
  const server_process again(server_, flags);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  out.cost("seconds of a restart with --data", took.count(), restart_seconds_max);
  framed_client c(again.port());
  if (!has(c, table, rows_ - 1)) throw std::runtime_error("rows are missing after the restart");
}

}  // namespace bench
