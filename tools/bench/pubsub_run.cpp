#include "tools/bench/pubsub_run.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/bench/process_usage.hpp"
#include "tools/bench/stream_socket.hpp"

namespace bench {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t input_bytes = 256U << 10;
constexpr int events_at_a_time = 1'024;
/// Other subscriptions share connections by so many.
constexpr std::size_t subscriptions_of_one = 10'000;
/// Publishes that are sent together at most.
constexpr std::size_t batch_max = 1'000;
constexpr int wait_ms = 20;
/// As long as this nothing may come that should.
constexpr std::chrono::seconds patience{20};
constexpr double nanoseconds_per_second = 1e9;

/// Thousands of subscribers need as many descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

struct pubsub_run::connection {
  connection(std::uint16_t port, std::size_t i) : socket(port), index(i) {}

  stream_socket socket;
  std::size_t index;
  received in;
  std::string rest;    ///< the beginning of a message whose end has not arrived
  std::string output;  ///< what the kernel has not taken yet
  bool waits_to_write = false;
};

struct pubsub_run::totals {
  clock::time_point at;
  std::uint64_t published;
  std::uint64_t delivered;
  nanoseconds client;
  nanoseconds server;
};

pubsub_run::pubsub_run(const pubsub_setup& setup, pubsub_wire& wire, std::uint16_t port, std::optional<pid_t> server)
    : setup_(setup),
      wire_(wire),
      server_(server),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      input_(input_bytes),
      slowest_(setup.subscribers, setup.window) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  raise_descriptor_limit();
  subscribe_all(port);
  subscribe_others(port);
  publishers_at_ = connections_.size();
  for (std::size_t i = 0; i < setup_.publishers; ++i) flush(connect(port));
}

pubsub_run::~pubsub_run() {
  ::close(epoll_);
}

// Connections

pubsub_run::connection& pubsub_run::connect(std::uint16_t port) {
  connections_.push_back(std::make_unique<connection>(port, connections_.size()));
  connection& c = *connections_.back();
  c.output = wire_.hello();
  epoll_event interest{.events = EPOLLIN, .data = {.u64 = c.index}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.socket.descriptor(), &interest) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
  return c;
}

void pubsub_run::subscribe_all(std::uint16_t port) {
  for (std::size_t i = 0; i < setup_.subscribers; ++i) {
    connection& c = connect(port);
    c.output += wire_.subscribe(setup_.by_key ? std::optional(i) : std::nullopt) + wire_.confirm();
    flush(c);
  }
  wait_for_confirmations(setup_.subscribers);
  for (const auto& c : connections_) c->in.wants_numbers = setup_.checks || setup_.rate > 0;
}

void pubsub_run::subscribe_others(std::uint16_t port) {
  const bool confirmed_together = !wire_.confirm().empty();
  std::size_t confirmations = setup_.subscribers;
  for (std::size_t i = 0; i < setup_.other_subscriptions;) {
    connection& c = connect(port);
    const std::size_t end = std::min(i + subscriptions_of_one, setup_.other_subscriptions);
    confirmations += confirmed_together ? 1 : end - i;
    for (; i < end; ++i) c.output += wire_.subscribe(setup_.keys + i);
    c.output += wire_.confirm();
    flush(c);
  }
  wait_for_confirmations(confirmations);
}

void pubsub_run::wait_for_confirmations(std::size_t confirmations) {
  const auto deadline = clock::now() + patience;
  const auto confirmed = [this] {
    std::uint64_t sum = 0;
    for (const auto& c : connections_) sum += c->in.confirmations;
    return sum;
  };
  while (confirmed() < confirmations) {
    if (clock::now() > deadline) throw std::runtime_error("the server does not confirm subscriptions");
    turn(wait_ms);
  }
}

// Input and output

void pubsub_run::turn(int timeout_ms) {
  std::array<epoll_event, events_at_a_time> ready;
  const int count = ::epoll_wait(epoll_, ready.data(), events_at_a_time, timeout_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& e = ready[static_cast<std::size_t>(i)];
    connection& c = *connections_[e.data.u64];
    if (c.waits_to_write) flush(c);
    if ((e.events & ~EPOLLOUT) != 0) receive(c);
    if (publishing_ && setup_.rate > 0) publish_due();
  }
}

void pubsub_run::receive(connection& c) {
  const auto got = c.socket.receive_some(input_);
  if (!got) return;
  std::string_view bytes(input_.data(), *got);
  if (!c.rest.empty()) bytes = c.rest.append(bytes);
  const std::uint64_t before = c.in.events;
  const std::size_t taken = wire_.take(bytes, c.in);
  if (c.rest.empty()) {
    c.rest.assign(bytes.substr(taken));
  } else {
    c.rest.erase(0, taken);
  }
  if (c.in.must_answer) {
    c.in.must_answer = false;
    c.output += wire_.answer();
    flush(c);
  }
  if (c.in.events > before) on_subscriber(c, before);
}

void pubsub_run::on_subscriber(connection& c, std::uint64_t before) {
  if (c.index >= setup_.subscribers) throw std::runtime_error("someone gets events of others");
  delivered_ += c.in.events - before;
  if (!setup_.by_key && setup_.rate == 0) slowest_.advance(before, c.in.events);
  if (c.in.wants_numbers) take_numbers(c);
}

void pubsub_run::take_numbers(connection& c) {
  const auto at = clock::now();
  std::uint64_t place = c.in.events - c.in.numbers.size();
  for (const std::uint64_t number : c.in.numbers) {
    const std::uint64_t expected = setup_.by_key ? place * setup_.keys + c.index : place;
    // Nobody orders what several publishers send.
    if (setup_.publishers == 1 && number != expected) {
      throw std::runtime_error("a subscriber gets event " + std::to_string(number) + " in place of " +
                               std::to_string(expected));
    }
    ++place;
    if (setup_.rate == 0 || due(number) < measured_from_) continue;
    latency_.record(static_cast<std::uint64_t>(std::max<std::int64_t>(0, nanoseconds(at - due(number)).count())));
  }
  c.in.numbers.clear();
}

void pubsub_run::flush(connection& c) {
  if (!c.output.empty()) c.output.erase(0, c.socket.send_some(c.output));
  if (c.waits_to_write != c.output.empty()) return;
  c.waits_to_write = !c.output.empty();
  epoll_event interest{.events = static_cast<std::uint32_t>(c.waits_to_write ? EPOLLIN | EPOLLOUT : EPOLLIN),
                       .data = {.u64 = c.index}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, c.socket.descriptor(), &interest) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

// Publishing

void pubsub_run::publish(std::size_t publisher) {
  wire_.publish(connections_[publishers_at_ + publisher]->output, published_ % setup_.keys, published_);
  ++published_;
}

void pubsub_run::publish_ahead() {
  const std::uint64_t taken = setup_.by_key ? delivered_ : slowest_.events();
  std::size_t credit = setup_.window - std::min<std::uint64_t>(setup_.window, published_ - taken);
  for (std::size_t p = 0; p < setup_.publishers && credit > 0; ++p) {
    connection& c = *connections_[publishers_at_ + p];
    if (c.waits_to_write) continue;
    const std::size_t share = std::min(batch_max, (credit + setup_.publishers - p - 1) / (setup_.publishers - p));
    for (std::size_t i = 0; i < share; ++i) publish(p);
    credit -= share;
    flush(c);
  }
}

pubsub_run::clock::time_point pubsub_run::due(std::uint64_t number) const {
  return began_ +
         nanoseconds(static_cast<std::int64_t>(static_cast<double>(number) / setup_.rate * nanoseconds_per_second));
}

void pubsub_run::publish_due() {
  const auto at = clock::now();
  while (due(published_) <= at) {
    const std::size_t publisher = published_ % setup_.publishers;
    publish(publisher);
    flush(*connections_[publishers_at_ + publisher]);
  }
}

// The measurement

void pubsub_run::run_until(clock::time_point end) {
  while (clock::now() < end) {
    setup_.rate > 0 ? publish_due() : publish_ahead();
    turn(setup_.rate > 0 ? 0 : wait_ms);
  }
}

std::uint64_t pubsub_run::expected_of(std::size_t subscriber) const {
  if (!setup_.by_key) return published_;
  return (published_ + setup_.keys - 1 - subscriber) / setup_.keys;
}

void pubsub_run::drain() {
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < setup_.subscribers; ++i) expected += expected_of(i);
  std::uint64_t before = delivered_;
  for (auto deadline = clock::now() + patience; delivered_ < expected;) {
    turn(wait_ms);
    if (delivered_ > before) deadline = clock::now() + patience;
    if (clock::now() > deadline) {
      throw std::runtime_error(std::to_string(expected - delivered_) + " of " + std::to_string(expected) +
                               " events do not arrive");
    }
    before = delivered_;
  }
  for (std::size_t i = 0; i < setup_.subscribers; ++i) {
    if (connections_[i]->in.events != expected_of(i)) throw std::runtime_error("a subscriber gets too many events");
  }
}

pubsub_run::totals pubsub_run::now() const {
  return {.at = clock::now(),
          .published = published_,
          .delivered = delivered_,
          .client = process_usage::of(::getpid()).cpu,
          .server = server_ ? process_usage::of(*server_).cpu : nanoseconds(0)};
}

pubsub_result pubsub_run::measure() {
  publishing_ = true;
  began_ = clock::now();
  measured_from_ = began_ + setup_.warm_up;
  run_until(measured_from_);
  const totals first = now();
  run_until(measured_from_ + setup_.duration);
  const totals last = now();
  publishing_ = false;
  // What was due meanwhile counts, however late it comes; nothing more is published.
  drain();
  const std::chrono::duration<double> took = last.at - first.at;
  const auto per_second = [&took](double amount) { return amount / took.count(); };
  const auto cores = [&](nanoseconds used) { return std::chrono::duration<double>(used) / took; };
  processor_use processors{.client = cores(last.client - first.client), .server = std::nullopt};
  if (server_) processors.server = cores(last.server - first.server);
  if (last.delivered == first.delivered) throw std::runtime_error("subscribers get nothing");
  return {.publishes_per_second = per_second(static_cast<double>(last.published - first.published)),
          .events_per_second = per_second(static_cast<double>(last.delivered - first.delivered)),
          .processors = processors,
          .latency = std::move(latency_)};
}

}  // namespace bench
