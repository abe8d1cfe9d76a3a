#include "tools/bench/pubsub_workload.hpp"

#include <stdexcept>
#include <thread>

#include "tools/bench/framed_client.hpp"
#include "tools/bench/process_usage.hpp"
#include "tools/bench/server_process.hpp"
#include "tools/bench/stock_rows.hpp"

namespace bench {

namespace {

/// Connections of a server beyond those of subscribers.
constexpr std::size_t further_connections = 1'000;

std::chrono::nanoseconds from_seconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

/// Makes the table with the rows that are updated.
void fill(std::uint16_t port, std::size_t rows) {
  framed_client control(port);
  const std::string table(stocks_table);
  control.ask("key " + table + " ticker");
  control.ask("tag " + table + " sector");
  script inserts;
  for (std::size_t i = 0; i < rows; ++i) inserts.add("stream " + insert_statement(make_stock(i)));
  inserts.add(select_statement(make_stock(0)));
  control.run(inserts);
}

void bind(pid_t process, std::optional<unsigned> processor) {
  if (!processor || bind_to_processor(process, *processor)) return;
  throw std::runtime_error("process " + std::to_string(process) + " may not be bound to processor " +
                           std::to_string(*processor));
}

}  // namespace

void pubsub_workload::add_options(CLI::App& to) {
  to.add_option("--server", server_, "The pubsubsqld to measure")->capture_default_str();
  to.add_option("--threads", threads_, "Its workers")->capture_default_str();
  to.add_option("--compare", compare_, "A server that listens already: redis:PORT or nats:PORT; may be repeated");
  to.add_option("--rounds", rounds_, "Rounds")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--seconds", seconds_, "How long each measurement takes")->capture_default_str();
  to.add_option("--warm-up", warm_up_seconds_, "Seconds of the same before it")->capture_default_str();
  to.add_option("--publishers", publishers_, "Publishers")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--window", window_, "Publishes that may be ahead of subscribers, without a rate")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  to.add_flag("--replies", with_replies_, "Publish with replies, not by `stream` statements");
  to.add_flag("--check", checks_, "Look at each event of each subscriber, whether it is the right one");
  to.add_option("--client-cpu", client_cpu_, "Processor of the client, -1 for any (default: the last of several)");
  to.add_option("--server-cpu", server_cpu_, "Processor of each server, -1 for any (default: the first of several)");
}

pubsub_setup pubsub_workload::common_setup() const {
  return {.publishers = publishers_,
          .window = window_,
          .warm_up = from_seconds(warm_up_seconds_),
          .duration = from_seconds(seconds_),
          .checks = checks_};
}

std::string pubsub_workload::rate_name(const std::string& setup, const std::string& target) {
  return setup + ", " + target;
}

void pubsub_workload::find_targets() {
  targets_ = {{.name = ours}, {.name = null}};
  for (const std::string& peer : compare_) {
    const std::size_t colon = peer.find(':');
    const std::string name = peer.substr(0, colon);
    if (colon == std::string::npos || (name != "redis" && name != "nats")) {
      throw std::runtime_error("--compare takes redis:PORT or nats:PORT, not " + peer);
    }
    targets_.push_back({.name = name,
                        .speaks = name == "redis" ? protocol::redis : protocol::nats,
                        .port = static_cast<std::uint16_t>(std::stoul(peer.substr(colon + 1)))});
  }
}

std::optional<unsigned> pubsub_workload::client_processor() const {
  const unsigned processors = std::thread::hardware_concurrency();
  if (client_cpu_) return *client_cpu_ < 0 ? std::nullopt : std::optional(static_cast<unsigned>(*client_cpu_));
  return processors < 2 ? std::nullopt : std::optional(processors - 1);
}

std::optional<unsigned> pubsub_workload::server_processor() const {
  if (server_cpu_) return *server_cpu_ < 0 ? std::nullopt : std::optional(static_cast<unsigned>(*server_cpu_));
  return std::thread::hardware_concurrency() < 2 || threads_ > 1 ? std::nullopt : std::optional(0U);
}

void pubsub_workload::measure_all(report& out, const std::vector<named_setup>& setups) {
  find_targets();
  out.fact("workers", std::to_string(threads_));
  out.fact("publishers", std::to_string(publishers_));
  out.fact("rounds", std::to_string(rounds_));
  for (unsigned round = 0; round < rounds_; ++round) {
    for (const named_setup& s : setups) {
      for (std::size_t turn = 0; turn < targets_.size(); ++turn) {
        const target& t = targets_[(turn + round) % targets_.size()];
        const pubsub_result r = measure(t, s.setup);
        const std::string name = rate_name(s.name, t.name);
        out.rate(name, r.events_per_second);
        out.processor(name, r.processors);
        if (s.setup.rate > 0) out.latency(name, r.latency);
      }
    }
  }
}

pubsub_result pubsub_workload::measure(const target& t, const pubsub_setup& setup) const {
  if (t.port != 0) {
    const auto process = process_listening_on(t.port);
    if (process) bind(*process, server_processor());
    return measure_at(t, setup, t.port, process);
  }
  std::unique_ptr<server_process> server;
  if (t.name == null) {
    server = server_process::start_null();
  } else {
    const std::vector<std::string> flags = {"--threads", std::to_string(threads_), "--max-connections",
                                            std::to_string(setup.subscribers + further_connections)};
    server = std::make_unique<server_process>(server_, flags);
    fill(server->port(), setup.keys);
  }
  bind(server->process(), server_processor());
  return measure_at(t, setup, server->port(), server->process());
}

pubsub_result pubsub_workload::measure_at(const target& t, const pubsub_setup& setup, std::uint16_t port,
                                          std::optional<pid_t> process) const {
  const auto wire = make_wire(t, setup);
  const processor_binding bound(client_processor());
  try {
    return pubsub_run(setup, *wire, port, process).measure();
  } catch (const std::exception& e) {
    throw std::runtime_error(t.name + ": " + e.what());
  }
}

std::unique_ptr<pubsub_wire> pubsub_workload::make_wire(const target& t, const pubsub_setup& setup) const {
  switch (t.speaks) {
    case protocol::redis:
      return make_redis_wire(setup.keys, setup.by_key);
    case protocol::nats:
      return make_nats_wire(setup.keys, setup.by_key);
    case protocol::framed:
      break;
  }
  return make_framed_wire(setup.keys, with_replies_);
}

}  // namespace bench
