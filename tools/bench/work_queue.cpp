#include "tools/bench/work_queue.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <poll.h>

#include "tools/bench/framed_client.hpp"
#include "tools/bench/scratch_directory.hpp"
#include "tools/bench/server_process.hpp"

namespace bench {

namespace {

constexpr std::uint64_t rows_of_a_push = 1'000;
constexpr std::size_t header_bytes = 8;
constexpr int patience_ms = 30'000;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (const char c : bytes.substr(at, 4)) number = (number << 8U) | static_cast<unsigned char>(c);
  return number;
}

/// One worker: pops, acknowledges what it gets, and pops again, until there is nothing.
class queue_worker {
 public:
  queue_worker(std::uint16_t port, unsigned at_a_time, unsigned depth)
      : socket_(port), pop_("pop " + std::to_string(at_a_time) + " id from q") {
    for (unsigned i = 0; i < depth; ++i) ask(pop_);
  }

  [[nodiscard]] int descriptor() const { return socket_.descriptor(); }
  [[nodiscard]] bool is_done() const { return due_ == 0; }
  [[nodiscard]] bool has_output() const { return !output_.empty(); }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }

  void send() {
    const std::size_t sent = output_.empty() ? 0 : socket_.send_some(output_);
    output_.erase(0, sent);
  }

  void receive() {
    std::array<char, 64U << 10> buffer;
    while (const auto got = socket_.receive_some(buffer)) input_.append(buffer.data(), *got);
    std::size_t at = 0;
    while (input_.size() - at >= header_bytes && input_.size() - at - header_bytes >= number_at(input_, at)) {
      const std::size_t size = number_at(input_, at);
      take(std::string_view(input_).substr(at + header_bytes, size));
      at += header_bytes + size;
    }
    input_.erase(0, at);
    send();
  }

 private:
  void ask(std::string_view statement) {
    script one;
    one.add(statement);
    output_ += one.bytes();
    ++due_;
  }

  void take(std::string_view reply) {
    --due_;
    constexpr std::string_view error_begin = R"({"status":"err")";
    if (reply.starts_with(error_begin)) throw std::runtime_error("the server says: " + std::string(reply));
    constexpr std::string_view data = R"("data":[[)";
    const std::size_t at = reply.find(data);
    if (at == std::string_view::npos) return;  // an acknowledgement, or the queue is empty
    acknowledge(reply.substr(at + data.size()));
    ask(pop_);
  }

  /// `rows` begins with the first: "7"],["8"]]}
  void acknowledge(std::string_view rows) {
    std::string ids;
    while (rows.starts_with('"')) {
      const std::size_t end = rows.find('"', 1);
      ids += (ids.empty() ? "ack q " : ", ") + std::string(rows.substr(1, end - 1));
      ++acknowledged_;
      rows.remove_prefix(end + 1);
      if (rows.starts_with("],[")) rows.remove_prefix(3);
    }
    ask(ids);
  }

  stream_socket socket_;
  std::string pop_;
  std::string input_;
  std::string output_;
  std::uint64_t due_ = 0;
  std::uint64_t acknowledged_ = 0;
};

void fill(std::uint16_t port, bool durable, std::uint64_t rows) {
  framed_client c(port);
  c.ask(std::string("create queue q (job varchar(40), n int) lease 1 hour") + (durable ? " durable" : ""));
  for (std::uint64_t from = 0; from < rows; from += rows_of_a_push) {
    std::string push = "push into q (job, n) values ";
    for (std::uint64_t n = from; n < std::min(rows, from + rows_of_a_push); ++n) {
      push += (n > from ? ", (" : "(") + ("'job number " + std::to_string(n)) + "', " + std::to_string(n) + ")";
    }
    c.ask(push);
  }
}

std::uint64_t empty(std::uint16_t port, unsigned connections, unsigned at_a_time, unsigned depth) {
  std::vector<queue_worker> workers;
  workers.reserve(connections);
  for (unsigned i = 0; i < connections; ++i) workers.emplace_back(port, at_a_time, depth);
  for (queue_worker& w : workers) w.send();
  std::vector<pollfd> waits(connections);
  std::uint64_t sum = 0;
  for (;;) {
    bool all_done = true;
    for (std::size_t i = 0; i < workers.size(); ++i) {
      const auto wanted = static_cast<short>(workers[i].has_output() ? POLLIN | POLLOUT : POLLIN);
      waits[i] = {.fd = workers[i].is_done() ? -1 : workers[i].descriptor(), .events = wanted, .revents = 0};
      all_done = all_done && workers[i].is_done();
    }
    if (all_done) break;
    if (::poll(waits.data(), waits.size(), patience_ms) <= 0) throw std::runtime_error("the server does not answer");
    for (std::size_t i = 0; i < workers.size(); ++i) {
      if ((waits[i].revents & POLLOUT) != 0) workers[i].send();
      if ((waits[i].revents & ~POLLOUT) != 0) workers[i].receive();
    }
  }
  for (const queue_worker& w : workers) sum += w.acknowledged();
  return sum;
}

}  // namespace

void work_queue::add_options(CLI::App& to) {
  to.add_option("--server", server_, "The pubsubsqld to measure")->capture_default_str();
  to.add_option("--threads", threads_, "Its workers")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--connections", connections_, "Connections")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--at-a-time", at_a_time_, "Rows of a pop")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--depth", depth_, "Pops under way on each connection")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  to.add_option("--rows", rows_, "Rows in memory")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--durable-rows", durable_rows_, "Rows of the durable queue")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  to.add_option("--rounds", rounds_, "Rounds")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--directory", directory_, "Where the data directories are made")->capture_default_str();
}

void work_queue::run(report& out) {
  out.fact("connections", std::to_string(connections_));
  out.fact("rows of a pop", std::to_string(at_a_time_));
  out.fact("pops under way", std::to_string(depth_));
  out.fact("rounds", std::to_string(rounds_));
  for (unsigned round = 0; round < rounds_; ++round) {
    measure(out, "leased pops with acks, in memory", false, rows_);
    measure(out, "leased pops with acks, durable", true, durable_rows_);
  }
}

void work_queue::measure(report& out, const std::string& rate, bool durable, std::uint64_t rows) const {
  std::vector<std::string> flags = {"--threads", std::to_string(threads_)};
  std::optional<scratch_directory> data;
  if (durable) flags.insert(flags.end(), {"--data", data.emplace(directory_).path()});
  const server_process server(server_, flags);
  fill(server.port(), durable, rows);
  const auto began = std::chrono::steady_clock::now();
  const std::uint64_t done = empty(server.port(), connections_, at_a_time_, depth_);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (done != rows) throw std::runtime_error("rows were lost: " + std::to_string(done) + " of " + std::to_string(rows));
  out.rate(rate, static_cast<double>(done) / seconds);
}

}  // namespace bench
