#include "tools/bench/growth.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "tools/bench/number_table.hpp"
#include "tools/bench/process_usage.hpp"
#include "tools/bench/server_process.hpp"

namespace bench {

namespace {

constexpr double flat = 1.2;

/// Keys that are updated again and again.
constexpr std::uint64_t hot_keys = 1'000;
/// Rows of the tables that are subscribed to.
constexpr std::uint64_t subscribed_rows = 10'000;
constexpr std::uint64_t subscribers = 10;

std::string hot_name(std::uint64_t rows) {
  return "hot keys of " + std::to_string(rows) + " rows";
}

std::string any_name(std::uint64_t rows) {
  return "any key of " + std::to_string(rows) + " rows";
}

std::string subscribed_name(std::uint64_t subscriptions) {
  return std::to_string(subscriptions) + " subscriptions to others";
}

/// So many rows of a table, each chosen at random among all; the same in every run.
std::vector<std::uint64_t> any_of(std::uint64_t rows, std::uint64_t count) {
  std::mt19937_64 random(rows);
  std::vector<std::uint64_t> chosen(count);
  std::ranges::generate(chosen, [&] { return random() % rows; });
  return chosen;
}

/// The same, each chosen among 1,000 that are spread over the table: one at random of each thousandth of it.
std::vector<std::uint64_t> hot_of(std::uint64_t rows, std::uint64_t count) {
  const std::uint64_t keys = std::min(hot_keys, rows);
  std::vector<std::uint64_t> hot = any_of(rows / keys, keys);
  for (std::uint64_t i = 0; i < keys; ++i) hot[i] += i * (rows / keys);
  std::vector<std::uint64_t> chosen = any_of(keys, count);
  for (std::uint64_t& row : chosen) row = hot[row];
  return chosen;
}

}  // namespace

void growth::add_options(CLI::App& to) {
  to.add_option("--server", server_, "The pubsubsqld to measure")->capture_default_str();
  to.add_option("--rows", rows_, "Rows of the tables; each is compared with the first")
      ->capture_default_str()
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  to.add_option("--subscriptions", subscriptions_, "Subscriptions to a table; each is compared with the first")
      ->capture_default_str()
      ->delimiter(',');
  to.add_option("--updates", updates_, "Updates of each table and round")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  to.add_option("--rounds", rounds_, "Rounds")->capture_default_str()->check(CLI::PositiveNumber);
}

void growth::run(report& out) {
  out.fact("updates", std::to_string(updates_) + " a round");
  out.fact("rounds", std::to_string(rounds_));
  const server_process server(server_, {"--threads", "1"});
  const pid_t process = listener_on(server.port());
  framed_client control(server.port());
  add_rows_subjects(control);
  const std::vector<framed_client> subscribed = add_subscription_subjects(control, server.port());
  std::ignore = process_usage::settled(process);
  for (unsigned round = 0; round < rounds_; ++round) {
    // What runs after what changes from round to round.
    if (round > 0) std::ranges::rotate(subjects_, subjects_.begin() + 1);
    for (const subject& s : subjects_) measure(out, s, control, process);
  }
  compare(out);
}

void growth::add_rows_subjects(framed_client& control) {
  for (const std::uint64_t rows : rows_) {
    const number_table table("t" + std::to_string(rows));
    table.make(control);
    table.fill(control, rows);
    add_subject(hot_name(rows), table.name(), hot_of(rows, updates_));
    add_subject(any_name(rows), table.name(), any_of(rows, updates_));
  }
}

std::vector<framed_client> growth::add_subscription_subjects(framed_client& control, std::uint16_t port) {
  std::vector<framed_client> clients;
  for (std::uint64_t i = 0; i < subscribers; ++i) clients.emplace_back(port);
  for (const std::uint64_t subscriptions : subscriptions_) {
    const number_table table("s" + std::to_string(subscriptions));
    table.make(control);
    table.fill(control, subscribed_rows);
    for (std::uint64_t c = 0; c < std::min(subscribers, subscriptions); ++c) {
      script wanted;
      for (std::uint64_t i = c; i < subscriptions; i += subscribers) {
        wanted.add("subscribe * from " + table.name() + " where k = " + number_table::key(subscribed_rows + i));
      }
      clients[c].run(wanted);
    }
    add_subject(subscribed_name(subscriptions), table.name(), hot_of(subscribed_rows, updates_));
  }
  return clients;
}

void growth::add_subject(const std::string& name, const std::string& table, const std::vector<std::uint64_t>& keys) {
  const number_table t(table);
  subject s{.name = name, .updates = {}};
  std::uint64_t value = 0;
  for (const std::uint64_t key : keys) s.updates.add("stream " + t.update(key, ++value));
  s.updates.add(t.barrier());
  subjects_.push_back(std::move(s));
}

void growth::measure(report& out, const subject& s, framed_client& c, pid_t server) const {
  const auto began = std::chrono::steady_clock::now();
  const process_usage before = process_usage::of(server);
  c.run(s.updates);
  const process_usage after = process_usage::of(server);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const auto updates = static_cast<double>(updates_);
  out.rate(s.name, updates / took.count());
  out.cost("ns, " + s.name, std::chrono::duration<double, std::nano>(after.cpu - before.cpu).count() / updates);
}

void growth::compare(report& out) const {
  for (const std::uint64_t rows : rows_) {
    const std::string first = std::to_string(rows_.front());
    if (rows == rows_.front()) continue;
    out.compare_cost(hot_name(rows) + ", of " + first, "ns, " + hot_name(rows), "ns, " + hot_name(rows_.front()), flat);
    out.compare_cost(any_name(rows) + ", of " + first, "ns, " + any_name(rows), "ns, " + any_name(rows_.front()),
                     std::nullopt);
  }
  for (const std::uint64_t subscriptions : subscriptions_) {
    if (subscriptions == subscriptions_.front()) continue;
    out.compare_cost(subscribed_name(subscriptions) + ", of " + std::to_string(subscriptions_.front()),
                     "ns, " + subscribed_name(subscriptions), "ns, " + subscribed_name(subscriptions_.front()), flat);
  }
}

}  // namespace bench
