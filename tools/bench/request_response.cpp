#include "tools/bench/request_response.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <thread>

#include "tools/bench/load_generator.hpp"
#include "tools/bench/process_usage.hpp"
#include "tools/bench/request_source.hpp"

namespace bench {

namespace {

/// Of a measurement's duration, before it.
constexpr double warm_up_part = 0.25;

/// What is measured unless something else is asked for, and what should come out beside whom.
struct usual_case {
  std::string_view operation;
  unsigned connections;
  unsigned depth;
  std::optional<double> of_null_server;
  std::optional<double> of_redis;
};

constexpr std::array<usual_case, 6> usual_cases = {{{"update", 1, 1, 0.95, 1.2},
                                                    {"update", 10, 20, 0.8, 1.2},
                                                    {"select", 10, 20, 0.75, 1.2},
                                                    {"insert", 10, 20, 0.7, 1.5},
                                                    {"publish", 10, 20, 0.75, std::nullopt},
                                                    {"mix", 100, 1, 0.95, std::nullopt}}};

/// 45 updates and 45 selects to 10 inserts.
std::vector<operation> mixed() {
  std::vector<operation> pattern;
  for (unsigned i = 0; i < 9; ++i) {
    pattern.push_back(operation::update);
    pattern.push_back(operation::select);
    if (i == 4) pattern.push_back(operation::insert);
  }
  pattern.push_back(operation::insert);
  return pattern;
}

std::vector<operation> pattern_of(const std::string& name) {
  if (name == "update") return {operation::update};
  if (name == "select") return {operation::select};
  if (name == "insert") return {operation::insert};
  if (name == "publish") return {operation::publish};
  return mixed();
}

std::chrono::nanoseconds nanoseconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

std::string processor_name(std::optional<unsigned> processor) {
  return processor ? "processor " + std::to_string(*processor) : "any processor";
}

}  // namespace

std::string request_response::load_case::name() const {
  return operation + " " + std::to_string(connections) + "x" + std::to_string(depth);
}

void request_response::add_options(CLI::App& to) {
  to.add_option("--server", server_, "The pubsubsqld to measure")->capture_default_str();
  to.add_option("--threads", threads_, "Its workers")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--operation", operations_, "What to measure (default: all)")
      ->delimiter(',')
      ->check(CLI::IsMember({"update", "select", "insert", "publish", "mix"}));
  to.add_option("--connections", connections_, "Connections (default: by operation)")->check(CLI::PositiveNumber);
  to.add_option("--depth", depth_, "Requests under way on each connection (default: by operation)")
      ->check(CLI::PositiveNumber);
  to.add_option("--rows", rows_, "Rows in the table")->capture_default_str()->check(CLI::Range(1, 10'000'000));
  to.add_option("--seconds", seconds_, "Duration of each measurement")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  to.add_option("--rounds", rounds_, "Rounds")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--compare", peers_,
                "Peers: null, redis:PORT (its database 9 is emptied), postgresql:PORT[/DATABASE,USER] (its table "
                "bench_stocks is made anew)")
      ->capture_default_str()
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  to.add_option("--client-cpu", client_cpu_, "Processor of the client, -1 for any (default: the last of several)")
      ->check(CLI::Range(any_processor, 1'023));
  to.add_option("--server-cpu", server_cpu_, "Processor of each server, -1 for any (default: the first of several)")
      ->check(CLI::Range(any_processor, 1'023));
}

void request_response::run(report& out) {
  out.fact("rows", std::to_string(rows_));
  out.fact("rounds", std::to_string(rounds_) + " of " + CLI::detail::to_string(seconds_) + " s");
  out.fact("server's workers", std::to_string(threads_));
  out.fact("client on", processor_name(client_processor()));
  out.fact("servers on", processor_name(server_processor()));

  std::vector<peer> peers;
  peers.push_back(peer::pubsubsql(server_, threads_));
  for (const std::string& text : peers_) peers.push_back(peer::named(text));
  const std::vector<load_case> cases = chosen_cases();
  for (unsigned round = 0; round < rounds_; ++round) {
    for (const load_case& c : cases) {
      // In each round another one goes first.
      for (std::size_t i = 0; i < peers.size(); ++i) measure(out, c, peers[(i + round) % peers.size()]);
    }
  }
  for (const load_case& c : cases) {
    for (std::size_t i = 1; i < peers.size(); ++i) compare(out, c, peers[i]);
  }
}

std::vector<request_response::load_case> request_response::chosen_cases() const {
  const auto wanted = [this](std::string_view operation) {
    return operations_.empty() || std::ranges::find(operations_, operation) != operations_.end();
  };
  std::vector<load_case> cases;
  for (const usual_case& u : usual_cases) {
    if (!wanted(u.operation)) continue;
    load_case c{std::string(u.operation), connections_ == 0 ? u.connections : connections_,
                depth_ == 0 ? u.depth : depth_};
    if (std::ranges::none_of(cases, [&](const load_case& other) { return other.name() == c.name(); })) {
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

void request_response::measure(report& out, const load_case& c, peer& p) const {
  p.fill(rows_, server_processor());
  const processor_binding here(client_processor());
  std::vector<operation> pattern = pattern_of(c.operation);
  if (std::ranges::find(pattern, operation::insert) != pattern.end()) p.spoil();
  request_source source(p.speech(), std::move(pattern), rows_);
  load_generator load(p.speech(), p.port(), c.connections, c.depth, source);
  const load_result result = load.measure(nanoseconds(warm_up_part * seconds_), nanoseconds(seconds_), p.process());
  const std::string rate = c.name() + ", " + p.name();
  out.rate(rate, result.per_second);
  out.latency(rate, result.latency);
  out.processor(rate, result.processor);
}

void request_response::compare(report& out, const load_case& c, const peer& p) {
  std::optional<double> goal;
  for (const usual_case& u : usual_cases) {
    if (u.operation != c.operation || u.connections != c.connections || u.depth != c.depth) continue;
    if (p.name() == "null server") goal = u.of_null_server;
    if (p.name() == "Redis") goal = u.of_redis;
  }
  out.compare(c.name() + ", of " + p.name(), c.name() + ", PubSubSQL", c.name() + ", " + p.name(), goal);
}

/// A server with several workers needs more than one.
std::optional<unsigned> request_response::server_processor() const {
  if (server_cpu_ >= 0) return static_cast<unsigned>(server_cpu_);
  if (server_cpu_ == any_processor || threads_ > 1 || std::thread::hardware_concurrency() < 2) return std::nullopt;
  return 0;
}

std::optional<unsigned> request_response::client_processor() const {
  if (client_cpu_ >= 0) return static_cast<unsigned>(client_cpu_);
  const unsigned processors = std::thread::hardware_concurrency();
  if (client_cpu_ == any_processor || processors < 2) return std::nullopt;
  return processors - 1;
}

}  // namespace bench
