#include "tools/bench/load_generator.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <unistd.h>

#include "tools/bench/dialogue.hpp"
#include "tools/bench/process_usage.hpp"
#include "tools/bench/stream_socket.hpp"

namespace bench {

namespace {

constexpr std::size_t input_bytes = 64U << 10;
constexpr int events_at_a_time = 256;
/// No reply for so long: the server hangs.
constexpr int patience_ms = 30'000;
constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

std::uint64_t clock_now() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// How long processes have run so far.
struct usage_mark {
  std::chrono::nanoseconds client{0};
  std::optional<std::chrono::nanoseconds> server;

  static usage_mark now(std::optional<pid_t> process) {
    usage_mark mark{.client = process_usage::of(::getpid()).cpu, .server = {}};
    if (process) mark.server = process_usage::of_family(*process).cpu;
    return mark;
  }
};

processor_use use_between(const usage_mark& begin, const usage_mark& end, double seconds) {
  const auto share = [seconds](std::chrono::nanoseconds used) {
    return std::chrono::duration<double>(used).count() / seconds;
  };
  processor_use use{.client = share(end.client - begin.client), .server = {}};
  if (begin.server && end.server) use.server = share(*end.server - *begin.server);
  return use;
}

}  // namespace

struct load_generator::connection {
  /// A request that waits for replies.
  struct pending {
    std::uint64_t sent_at = 0;
    std::uint32_t replies_due = 0;
  };

  connection(stream_socket s, unsigned depth, std::size_t request_bytes_max)
      : socket(std::move(s)), waiting(depth), input(input_bytes), output(depth * request_bytes_max) {}

  stream_socket socket;
  std::vector<pending> waiting;  ///< a ring of `under_way` requests from `oldest` on
  std::size_t oldest = 0;
  std::size_t under_way = 0;
  std::vector<char> input;
  std::size_t held = 0;  ///< bytes of the input that are the beginning of a reply
  std::vector<char> output;
  std::size_t made = 0;  ///< bytes of the output
  std::size_t sent = 0;  ///< of these
  bool waits_to_write = false;
};

load_generator::load_generator(const dialect& speech, std::uint16_t port, unsigned connections, unsigned depth,
                               request_source& source)
    : speech_(speech), source_(source), depth_(depth), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) fail("epoll_create1");
  for (unsigned i = 0; i < connections; ++i) {
    dialogue opening(speech, port);
    opening.ask(speech.preparation());
    connections_.push_back(std::make_unique<connection>(opening.release(), depth, source.bytes_max()));
    epoll_event interest{.events = EPOLLIN, .data = {.ptr = connections_.back().get()}};
    const int descriptor = connections_.back()->socket.descriptor();
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &interest) != 0) fail("epoll_ctl");
  }
}

load_generator::~load_generator() {
  ::close(epoll_);
}

void load_generator::run(std::uint64_t requests) {
  start(requests);
  finish();
}

load_result load_generator::measure(std::chrono::nanoseconds warm_up, std::chrono::nanoseconds duration,
                                    std::optional<pid_t> server) {
  start(no_limit);
  serve_until(now_ + static_cast<std::uint64_t>(warm_up.count()));

  const usage_mark used_before = usage_mark::now(server);
  latency_.clear();
  answered_ = 0;
  const std::uint64_t begin = clock_now();
  serve_until(begin + static_cast<std::uint64_t>(duration.count()));
  const std::chrono::duration<double> took = std::chrono::nanoseconds(clock_now() - begin);
  const std::uint64_t answered = answered_;
  load_result result{.per_second = static_cast<double>(answered) / took.count(), .latency = latency_, .processor = {}};
  result.processor = use_between(used_before, usage_mark::now(server), took.count());

  unsent_requests_ = 0;
  finish();
  return result;
}

void load_generator::start(std::uint64_t requests) {
  unsent_requests_ = requests;
  now_ = clock_now();
  for (const auto& c : connections_) refill(*c);
}

void load_generator::finish() {
  while (under_way_ > 0) turn();
}

void load_generator::serve_until(std::uint64_t deadline) {
  while (now_ < deadline) turn();
}

void load_generator::turn() {
  std::array<epoll_event, events_at_a_time> ready;
  const int count = ::epoll_wait(epoll_, ready.data(), events_at_a_time, patience_ms);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  if (count == 0) throw std::runtime_error("the server does not answer any more");
  for (int i = 0; i < count; ++i) {
    const epoll_event& e = ready[static_cast<std::size_t>(i)];
    connection& c = *static_cast<connection*>(e.data.ptr);
    if ((e.events & EPOLLOUT) != 0) {
      flush(c);
      refill(c);
    }
    if ((e.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive(c);
  }
}

void load_generator::receive(connection& c) {
  if (c.held == c.input.size()) throw std::runtime_error("a reply is larger than 64 KiB");
  const auto got = c.socket.receive_some(std::span(c.input).subspan(c.held));
  if (!got) return;
  c.held += *got;
  now_ = clock_now();
  const taken_replies taken = speech_.take_replies({c.input.data(), c.held});
  c.held -= taken.bytes;
  if (c.held > 0) std::memmove(c.input.data(), c.input.data() + taken.bytes, c.held);
  count_replies(c, taken.replies);
  refill(c);
}

void load_generator::count_replies(connection& c, std::size_t replies) {
  while (replies > 0 && c.under_way > 0) {
    connection::pending& first = c.waiting[c.oldest];
    if (first.replies_due > replies) {
      first.replies_due -= static_cast<std::uint32_t>(replies);
      return;
    }
    replies -= first.replies_due;
    latency_.record(now_ - first.sent_at);
    if (++c.oldest == c.waiting.size()) c.oldest = 0;
    --c.under_way;
    --under_way_;
    ++answered_;
  }
}

void load_generator::refill(connection& c) {
  if (c.made > 0) return;
  while (c.under_way < depth_ && unsent_requests_ > 0) {
    const request_source::request made = source_.write_next(c.output.data() + c.made);
    c.made += made.bytes;
    std::size_t place = c.oldest + c.under_way;
    if (place >= c.waiting.size()) place -= c.waiting.size();
    c.waiting[place] = {.sent_at = now_, .replies_due = made.replies};
    ++c.under_way;
    ++under_way_;
    --unsent_requests_;
  }
  if (c.made > 0) flush(c);
}

void load_generator::flush(connection& c) {
  c.sent += c.socket.send_some({c.output.data() + c.sent, c.made - c.sent});
  const bool all = c.sent == c.made;
  if (all) c.made = c.sent = 0;
  if (all == c.waits_to_write) watch(c, !all);
}

void load_generator::watch(connection& c, bool to_write) const {
  c.waits_to_write = to_write;
  epoll_event interest{.events = EPOLLIN, .data = {.ptr = &c}};
  if (to_write) interest.events |= EPOLLOUT;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, c.socket.descriptor(), &interest) != 0) fail("epoll_ctl");
}

}  // namespace bench
