#include "tools/bench/null_server.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parser/frame.hpp"
#include "tools/bench/stock_rows.hpp"

namespace bench {

namespace {

using pubsubsql::parser::frame_header_bytes;

constexpr std::size_t input_bytes = 64U << 10;
constexpr int listen_backlog = 4'096;
constexpr int events_at_a_time = 256;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// A whole message with a request id to be filled in.
std::string ready_frame(const std::string& payload) {
  const auto header =
      pubsubsql::parser::encode({.payload_bytes = static_cast<std::uint32_t>(payload.size()), .request_id = 0});
  return std::string(header.data(), header.size()) + payload;
}

const std::string update_reply = ready_frame(R"({"status":"ok","action":"update","rows":1})");
const std::string insert_reply = ready_frame(R"({"status":"ok","action":"insert","rows":1})");
const std::string publish_reply = ready_frame(R"({"status":"ok","action":"publish","rows":1})");
const std::string row_reply = ready_frame(select_reply(make_stock(12'345)));
const std::string other_reply = ready_frame(R"({"status":"ok"})");
const std::string no_reply;

/// What a statement is told by, and what it is answered with.
const std::string& reply_to(std::string_view statement) {
  switch (statement.empty() ? '\0' : statement[0]) {
    case 'u':
      return update_reply;
    case 'i':
      return insert_reply;
    case 'p':
      return publish_reply;
    case 's':
      if (statement.starts_with("se")) return row_reply;
      if (statement.starts_with("stream")) return no_reply;
      return other_reply;
    default:
      return other_reply;
  }
}

bool is_update(std::string_view statement) {
  constexpr std::string_view stream = "stream ";
  if (statement.starts_with(stream)) statement.remove_prefix(stream.size());
  return statement.starts_with("update");
}

}  // namespace

struct null_server::connection {
  explicit connection(int d) : descriptor(d), output(d) {}

  int descriptor;
  std::string rest;  ///< the beginning of a frame whose end has not arrived
  null_output output;
  bool waits_to_write = false;
};

null_server::null_server() : input_(input_bytes) {}

null_server::~null_server() {
  for (const auto& c : connections_) {
    if (c) ::close(c->descriptor);
  }
  if (listener_ >= 0) ::close(listener_);
  if (epoll_ >= 0) ::close(epoll_);
}

void null_server::add_options(CLI::App& to) {
  to.add_option("--port", port_, "Where to listen on 127.0.0.1; 0: any free port")->capture_default_str();
}

void null_server::run(report&) {
  listen();
  std::array<epoll_event, events_at_a_time> ready{};
  while (true) {
    const int count = ::epoll_wait(epoll_, ready.data(), events_at_a_time, -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& e = ready[static_cast<std::size_t>(i)];
      if (e.data.fd == listener_) {
        accept_all();
      } else {
        on_ready(*connections_[static_cast<std::size_t>(e.data.fd)]);
      }
    }
    flush_events();
  }
}

void null_server::flush_events() {
  for (const int descriptor : events_.take_changed()) {
    const auto& c = connections_[static_cast<std::size_t>(descriptor)];
    if (c && !c->waits_to_write && !flush(*c)) close(*c);
  }
}

void null_server::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0) fail("socket");
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (::listen(listener_, listen_backlog) != 0) fail("listen");
  socklen_t size = sizeof address;
  if (::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");

  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) fail("epoll_create1");
  epoll_event interest{.events = EPOLLIN, .data = {.fd = listener_}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &interest) != 0) fail("epoll_ctl");
  std::cerr << "listening on 127.0.0.1:" << ntohs(address.sin_port) << std::endl;
}

void null_server::accept_all() {
  for (int descriptor = 0; (descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto at = static_cast<std::size_t>(descriptor);
    if (connections_.size() <= at) connections_.resize(at + 1);
    connections_[at] = std::make_unique<connection>(descriptor);
    epoll_event interest{.events = EPOLLIN, .data = {.fd = descriptor}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &interest) != 0) fail("epoll_ctl");
  }
}

void null_server::on_ready(connection& c) {
  // While replies wait to be sent, no further requests are read.
  const bool open = c.waits_to_write || receive(c);
  if (!open || !flush(c)) close(c);
}

bool null_server::receive(connection& c) {
  const ssize_t got = ::recv(c.descriptor, input_.data(), input_.size(), 0);
  if (got < 0) return errno == EAGAIN;
  if (got == 0) return false;
  std::string_view bytes(input_.data(), static_cast<std::size_t>(got));
  if (!c.rest.empty()) bytes = c.rest.append(bytes);
  const std::size_t taken = take_frames(c, bytes);
  if (c.rest.empty()) {
    c.rest.assign(bytes.substr(taken));
  } else {
    c.rest.erase(0, taken);
  }
  return true;
}

std::size_t null_server::take_frames(connection& c, std::string_view bytes) {
  constexpr std::size_t id_at = 4;
  std::size_t at = 0;
  while (bytes.size() - at >= frame_header_bytes) {
    const auto header = pubsubsql::parser::decode_frame_header(bytes.substr(at));
    if (bytes.size() - at - frame_header_bytes < header.payload_bytes) break;
    const std::string_view statement = bytes.substr(at + frame_header_bytes, header.payload_bytes);
    const std::string& reply = reply_to(statement);
    if (statement.starts_with("subscribe")) {
      events_.subscribe(c.output, statement, header.request_id);
    } else if (!reply.empty()) {
      std::string& out = c.output.replies();
      const std::size_t reply_at = out.size();
      out += reply;
      std::memcpy(out.data() + reply_at + id_at, bytes.data() + at + id_at, sizeof header.request_id);
    }
    if (!events_.empty() && is_update(statement)) events_.update(statement);
    at += frame_header_bytes + header.payload_bytes;
  }
  return at;
}

bool null_server::flush(connection& c) {
  const std::string_view unsent = c.output.unsent();
  std::size_t left = unsent.size();
  if (!unsent.empty()) {
    const ssize_t sent = ::send(c.descriptor, unsent.data(), unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent > 0) {
      c.output.sent(static_cast<std::size_t>(sent));
      left -= static_cast<std::size_t>(sent);
    }
  }
  const bool all = left == 0;
  if (all == c.waits_to_write) watch(c, !all);
  return true;
}

void null_server::watch(connection& c, bool to_write) {
  c.waits_to_write = to_write;
  epoll_event interest{.events = static_cast<std::uint32_t>(to_write ? EPOLLOUT : EPOLLIN),
                       .data = {.fd = c.descriptor}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, c.descriptor, &interest) != 0) fail("epoll_ctl");
}

void null_server::close(connection& c) {
  const int descriptor = c.descriptor;
  if (!events_.empty()) events_.forget(c.output);
  connections_[static_cast<std::size_t>(descriptor)].reset();
  ::close(descriptor);
}

}  // namespace bench
