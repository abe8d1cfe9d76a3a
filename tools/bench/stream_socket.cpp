#include "tools/bench/stream_socket.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

stream_socket::stream_socket(std::uint16_t port) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(descriptor_);
    throw std::system_error(error, std::generic_category(), "connect to 127.0.0.1:" + std::to_string(port));
  }
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

stream_socket::~stream_socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

stream_socket::stream_socket(stream_socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

stream_socket& stream_socket::operator=(stream_socket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::size_t stream_socket::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN) return 0;
  fail("send");
}

std::optional<std::size_t> stream_socket::receive_some(std::span<char> buffer) {
  const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0) throw std::runtime_error("the server has closed the connection");
  if (errno == EAGAIN) return std::nullopt;
  fail("recv");
}

void stream_socket::wait(bool to_write) const {
  pollfd ready{.fd = descriptor_, .events = static_cast<short>(to_write ? POLLIN | POLLOUT : POLLIN), .revents = 0};
  while (::poll(&ready, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace bench
