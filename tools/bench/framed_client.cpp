#include "tools/bench/framed_client.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

namespace {

constexpr std::size_t header_bytes = 8;
constexpr std::string_view error_begin = R"({"status":"err")";

void append_number(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>((number >> static_cast<unsigned>(shift)) & 255U);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (const char c : bytes.substr(at, 4)) number = (number << 8U) | static_cast<unsigned char>(c);
  return number;
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void script::add(std::string_view statement) {
  append_number(bytes_, static_cast<std::uint32_t>(statement.size()));
  append_number(bytes_, ++statements_);
  bytes_ += statement;
}

framed_client::framed_client(std::uint16_t port) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

framed_client::~framed_client() {
  ::close(socket_);
}

void framed_client::run(const script& s) {
  last_reply_ = 0;
  send(s.bytes());
  receive_until(s.statements());
}

void framed_client::ask(std::string_view statement) {
  script one;
  one.add(statement);
  run(one);
}

void framed_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno != EAGAIN) fail("send");
    // What comes is read meanwhile: the server does not go on with a client that takes no replies.
    pollfd ready{.fd = socket_, .events = POLLIN | POLLOUT, .revents = 0};
    ::poll(&ready, 1, -1);
    if ((ready.revents & POLLIN) != 0) receive();
  }
}

void framed_client::receive_until(std::uint32_t request_id) {
  while (last_reply_ != request_id) receive();
}

void framed_client::receive() {
  std::array<char, 64U << 10> buffer;
  const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (got < 0) fail("recv");
  if (got == 0) throw std::runtime_error("the server has closed the connection");
  input_.append(buffer.data(), static_cast<std::size_t>(got));
  if (const std::uint32_t id = take_messages(); id != 0) last_reply_ = id;
}

std::uint32_t framed_client::take_messages() {
  std::uint32_t last = 0;
  std::size_t at = 0;
  while (input_.size() - at >= header_bytes) {
    const std::size_t size = number_at(input_, at);
    if (input_.size() - at - header_bytes < size) break;
    const std::string_view message = std::string_view(input_).substr(at + header_bytes, size);
    if (message.starts_with(error_begin)) throw std::runtime_error("the server says: " + std::string(message));
    last = number_at(input_, at + 4);
    at += header_bytes + size;
  }
  input_.erase(0, at);
  return last;
}

}  // namespace bench
