#include "tools/bench/memory.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <sys/resource.h>

#include "tools/bench/framed_client.hpp"
#include "tools/bench/number_table.hpp"
#include "tools/bench/process_usage.hpp"
#include "tools/bench/server_process.hpp"

namespace bench {

namespace {

constexpr double row_bytes_max = 110;
constexpr double connection_bytes_max = 4'096;
constexpr double subscription_bytes_max = 150;

/// Connections that the subscriptions are spread over.
constexpr std::uint64_t subscribers = 10;

double growth_per(std::uint64_t count, std::uint64_t before, pid_t process) {
  const std::uint64_t after = process_usage::settled(process).resident_bytes;
  return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(count);
}

void allow_descriptors(std::uint64_t count) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, std::max<rlim_t>(files.rlim_cur, count + 100));
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < count + 100) throw std::runtime_error("too few file descriptors allowed, see `ulimit -n`");
}

/// A server with an empty table, and what it uses then.
struct fresh_server {
  explicit fresh_server(const std::string& binary)
      : process(binary, {"--threads", "1"}), control(process.port()), id(listener_on(process.port())) {
    table.make(control);
    before = process_usage::settled(id).resident_bytes;
  }

  server_process process;
  framed_client control;
  pid_t id;
  number_table table{"t"};
  std::uint64_t before = 0;
};

}  // namespace

void memory::add_options(CLI::App& to) {
  to.add_option("--server", server_, "The pubsubsqld to measure")->capture_default_str();
  to.add_option("--rows", rows_, "Rows")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--connections", connections_, "Idle connections")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--subscriptions", subscriptions_, "Subscriptions")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--rounds", rounds_, "Rounds")->capture_default_str()->check(CLI::PositiveNumber);
}

void memory::run(report& out) {
  out.fact("rows", std::to_string(rows_));
  out.fact("idle connections", std::to_string(connections_));
  out.fact("subscriptions", std::to_string(subscriptions_));
  for (unsigned round = 0; round < rounds_; ++round) {
    run_rows(out);
    run_connections(out);
    run_subscriptions(out);
  }
}

void memory::run_rows(report& out) const {
  fresh_server s(server_);
  s.table.fill(s.control, rows_);
  out.cost("bytes a row", growth_per(rows_, s.before, s.id), row_bytes_max);
}

/// Each has asked something, as connections do before they are idle.
void memory::run_connections(report& out) const {
  allow_descriptors(connections_);
  fresh_server s(server_);
  std::vector<framed_client> idle;
  for (std::uint64_t i = 0; i < connections_; ++i) {
    idle.emplace_back(s.process.port());
    idle.back().ask("select * from t");
  }
  out.cost("bytes an idle connection", growth_per(connections_, s.before, s.id), connection_bytes_max);
}

void memory::run_subscriptions(report& out) const {
  fresh_server s(server_);
  std::vector<framed_client> clients;
  for (std::uint64_t c = 0; c < std::min(subscribers, subscriptions_); ++c) {
    script wanted;
    for (std::uint64_t i = c; i < subscriptions_; i += subscribers) {
      wanted.add("subscribe * from t where k = " + number_table::key(i));
    }
    clients.emplace_back(s.process.port());
    clients.back().run(wanted);
  }
  out.cost("bytes a subscription", growth_per(subscriptions_, s.before, s.id), subscription_bytes_max);
}

}  // namespace bench
