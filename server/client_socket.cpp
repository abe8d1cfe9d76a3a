#include "server/client_socket.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace pubsubsql::server {

namespace {

using boost::asio::const_buffer;
using boost::asio::error::would_block;
using boost::system::error_code;

/// How many pieces one system call takes; Asio takes no more.
constexpr std::size_t pieces_max = 64;
/// What may wait for a client that does not read: a full scratch buffer, encrypted, and what TLS itself has to say.
constexpr std::size_t unsent_bytes_max = 4 * tls_scratch::bytes_max;

error_code broken() {
  return make_error_code(boost::system::errc::protocol_error);
}

}  // namespace

struct client_socket::tls_end {
  tls_end(const tls::context& c, tls_scratch& s) : engine(c), scratch(s) {}

  tls::engine engine;
  tls_scratch& scratch;
  std::string unsent;  // encrypted
  bool truncated = false;
};

client_socket::client_socket(tcp::socket socket) : socket_(std::move(socket)) {}

client_socket::~client_socket() = default;

client_socket::client_socket(client_socket&& other) noexcept = default;

std::size_t client_socket::write_some(std::span<const std::string_view> pieces, error_code& problem) {
  if (tls_) [[unlikely]] {
    return write_tls(pieces, problem);
  }
  if (pieces.size() == 1) return socket_.write_some(const_buffer(pieces[0].data(), pieces[0].size()), problem);
  std::array<const_buffer, pieces_max> buffers;
  const std::size_t count = std::min(pieces.size(), pieces_max);
  std::transform(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(count), buffers.begin(),
                 [](std::string_view p) { return const_buffer(p.data(), p.size()); });
  return socket_.write_some(std::span(buffers.data(), count), problem);
}

void client_socket::shut_down_sending() {
  error_code ignored;
  if (tls_) {
    std::string& wire = tls_->scratch.wire();
    tls_->engine.end(wire);
    send_wire(wire, ignored);
  }
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void client_socket::acknowledge_at_once() {
  const int on = 1;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

bool client_socket::has_hung_up() {
  pollfd looked_at{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&looked_at, 1, 0) > 0;
}

std::size_t client_socket::discard_some(std::span<char> scratch, error_code& problem) {
  return socket_.read_some(boost::asio::buffer(scratch.data(), scratch.size()), problem);
}

void client_socket::close() {
  error_code ignored;
  socket_.close(ignored);
}

// TLS

std::size_t client_socket::begin_tls(const tls::context& c, tls_scratch& scratch, std::span<char> buffer,
                                     std::size_t bytes, error_code& problem) {
  tls_ = std::make_unique<tls_end>(c, scratch);
  const std::span<char> wire = scratch.bytes();
  // What a read took fits in twice: as in read_tls(), less than the buffer is decrypted at a time.
  std::size_t plain = 0;
  std::copy_n(buffer.data(), bytes, wire.data());
  for (std::size_t at = 0; at < bytes && !problem;) {
    const std::size_t part = std::min(bytes - at, buffer.size() - plain - tls::held_bytes_max);
    plain += decrypt(wire.subspan(at, part), buffer.subspan(plain), problem);
    at += part;
    if (problem == would_block && at < bytes) problem = {};
  }
  return plain;
}

std::size_t client_socket::read_tls(std::span<char> into, error_code& problem) {
  const std::span<char> wire = tls_->scratch.bytes();
  const std::size_t room = std::min(wire.size(), into.size() - tls::held_bytes_max);
  const std::size_t bytes = socket_.read_some(boost::asio::buffer(wire.data(), room), problem);
  if (problem == boost::asio::error::eof) tls_->truncated = true;
  if (problem) return 0;
  return decrypt(wire.first(bytes), into, problem);
}

std::size_t client_socket::decrypt(std::span<const char> wire, std::span<char> into, error_code& problem) {
  std::string& answer = tls_->scratch.wire();
  const tls::engine::received got = tls_->engine.receive(wire, into, answer);
  error_code unwritable;  // reading shows it as well, behind what the client still had to say
  send_wire(answer, unwritable);
  if (got.now == tls::engine::state::failed || tls_->unsent.size() > unsent_bytes_max) {
    problem = broken();
  } else if (got.now == tls::engine::state::ended) {
    problem = boost::asio::error::eof;
  } else if (got.bytes == 0) {
    problem = would_block;
  }
  return got.bytes;
}

std::size_t client_socket::write_tls(std::span<const std::string_view> pieces, error_code& problem) {
  if (!send_unsent(problem)) return 0;
  const std::string_view plain = gather(pieces);
  std::string& wire = tls_->scratch.wire();
  if (!tls_->engine.send(plain, wire)) {
    problem = broken();
    return 0;
  }
  send_wire(wire, problem);
  return problem ? 0 : plain.size();
}

/// Small pieces share records. Valid until the scratch buffer is used again, or the pieces go.
std::string_view client_socket::gather(std::span<const std::string_view> pieces) {
  if (pieces.empty()) return {};
  if (pieces.size() == 1) return pieces[0].substr(0, tls_scratch::bytes_max);
  const std::span<char> room = tls_->scratch.bytes();
  std::size_t held = 0;
  for (const std::string_view piece : pieces) {
    const std::size_t part = std::min(piece.size(), room.size() - held);
    std::copy_n(piece.data(), part, room.data() + held);
    held += part;
    if (held == room.size()) break;
  }
  return {room.data(), held};
}

/// Sends behind what is unsent; what the socket does not take becomes unsent.
void client_socket::send_wire(std::string& wire, error_code& problem) {
  if (wire.empty()) return;
  std::size_t sent = 0;
  if (tls_->unsent.empty()) sent = socket_.write_some(boost::asio::buffer(wire), problem);
  if (problem == would_block) problem = {};
  if (!problem) tls_->unsent.append(wire, sent);
}

bool client_socket::send_unsent(error_code& problem) {
  std::string& unsent = tls_->unsent;
  while (!unsent.empty()) {
    const std::size_t sent = socket_.write_some(boost::asio::buffer(unsent), problem);
    if (problem) return false;
    unsent.erase(0, sent);
  }
  unsent = {};  // idle connections hold no memory for it
  return true;
}

bool client_socket::has_unsent_tls() const {
  return !tls_->unsent.empty();
}

bool client_socket::handshake_is_done() const {
  return tls_->engine.handshake_is_done();
}

std::string client_socket::description() const {
  return tls_ && handshake_is_done() ? tls_->engine.description() : std::string();
}

std::string_view client_socket::failure() const {
  const std::string_view why = tls_->engine.failure();
  return why.empty() ? "it does not read what TLS has to say" : why;
}

bool client_socket::is_truncated() const {
  return tls_ && tls_->truncated;
}

}  // namespace pubsubsql::server
