#include "tools/bench/work_queue.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>

#include "tools/bench/dialogue.hpp"
#include "tools/bench/queue_dialect.hpp"
#include "tools/bench/scratch_directory.hpp"
#include "tools/bench/server_process.hpp"

namespace bench {

namespace {

constexpr std::uint64_t rows_of_a_push = 1'000;
constexpr int patience_ms = 30'000;

std::string rate_name(bool durable) {
  return durable ? "leased pops with acks, durable" : "leased pops with acks, in memory";
}

/// One worker: pops, acknowledges what it gets, and pops again, until there is nothing. The dialect stays the caller's.
class queue_worker {
 public:
  queue_worker(const queue_dialect& queue, stream_socket socket, unsigned depth)
      : queue_(&queue), socket_(std::move(socket)) {
    for (unsigned i = 0; i < depth; ++i) ask({queue.pop(), 1});
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
    std::string_view rest = input_;
    for (auto reply = queue_->read_reply(rest); reply.bytes > 0; reply = queue_->read_reply(rest)) {
      rest.remove_prefix(reply.bytes);
      --due_;
      acknowledged_ += reply.rows;
      if (reply.rows == 0) continue;  // an acknowledgement, or the queue is empty
      ask(reply.acknowledgement);
      ask({queue_->pop(), 1});
    }
    input_.erase(0, input_.size() - rest.size());
    send();
  }

 private:
  void ask(const exchange& e) {
    output_ += e.bytes;
    due_ += e.replies;
  }

  const queue_dialect* queue_;
  stream_socket socket_;
  std::string input_;
  std::string output_;
  std::uint64_t due_ = 0;
  std::uint64_t acknowledged_ = 0;
};

void fill(const queue_dialect& queue, std::uint16_t port, bool durable, std::uint64_t rows) {
  dialogue d(queue.speech(), port);
  for (const exchange& e : queue.make_queue(durable)) d.ask(e);
  for (std::uint64_t begin = 0; begin < rows; begin += rows_of_a_push) {
    d.ask(queue.push(begin, std::min(rows, begin + rows_of_a_push)));
  }
}

std::uint64_t empty(std::vector<queue_worker>& workers) {
  for (queue_worker& w : workers) w.send();
  std::vector<pollfd> waits(workers.size());
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
  to.add_option("--compare", peer_,
                "A peer that listens: postgresql:PORT[/DATABASE,USER] (its table bench_queue is made anew)");
  to.add_option("--directory", directory_, "Where the data directories are made")->capture_default_str();
}

void work_queue::run(report& out) {
  out.fact("connections", std::to_string(connections_));
  out.fact("rows of a pop", std::to_string(at_a_time_));
  out.fact("pops under way", std::to_string(depth_));
  out.fact("rounds", std::to_string(rounds_));
  std::optional<peer_address> peer;
  if (!peer_.empty()) peer = peer_address::parse(peer_);
  if (peer && peer->kind != "postgresql") {
    throw std::invalid_argument("'" + peer_ + "' is no peer with a queue; write postgresql:PORT/DATABASE,USER");
  }
  for (unsigned round = 0; round < rounds_; ++round) {
    for (const bool durable : {false, true}) {
      measure(out, durable);
      if (peer) measure_peer(out, *peer, durable);
    }
  }
  for (const bool durable : {false, true}) {
    const std::string rate = rate_name(durable);
    if (peer) out.compare(rate + ", of PostgreSQL", rate, rate + ", PostgreSQL", std::nullopt);
  }
}

void work_queue::measure(report& out, bool durable) const {
  std::vector<std::string> flags = {"--threads", std::to_string(threads_)};
  std::optional<scratch_directory> data;
  if (durable) flags.insert(flags.end(), {"--data", data.emplace(directory_).path()});
  const server_process server(server_, flags);
  out.rate(rate_name(durable), rows_per_second(*make_framed_queue(at_a_time_), server.port(), durable));
}

void work_queue::measure_peer(report& out, const peer_address& peer, bool durable) const {
  const auto queue = make_postgresql_queue(peer.database, peer.user, at_a_time_);
  out.rate(rate_name(durable) + ", PostgreSQL", rows_per_second(*queue, peer.port, durable));
}

double work_queue::rows_per_second(const queue_dialect& queue, std::uint16_t port, bool durable) const {
  const std::uint64_t rows = durable ? durable_rows_ : rows_;
  fill(queue, port, durable, rows);
  std::vector<queue_worker> workers;
  workers.reserve(connections_);
  for (unsigned i = 0; i < connections_; ++i) {
    dialogue opening(queue.speech(), port);
    opening.ask(queue.preparation(durable));
    workers.emplace_back(queue, opening.release(), depth_);
  }
  const auto began = std::chrono::steady_clock::now();
  const std::uint64_t done = empty(workers);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (done != rows) throw std::runtime_error("rows were lost: " + std::to_string(done) + " of " + std::to_string(rows));
  return static_cast<double>(done) / seconds;
}

}  // namespace bench
