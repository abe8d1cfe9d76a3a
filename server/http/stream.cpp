#include "server/http/stream.hpp"

#include "server/shared_state.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server::http {

namespace {

using boost::asio::error::would_block;

/// What may be kept of what is written while the stream holds back.
constexpr std::size_t kept_bytes_max = 64U << 10;

}  // namespace

// Reading

void stream::fill(error_code& problem) {
  const std::span<char> buffer = worker_.read_buffer();
  std::size_t bytes = socket_.read_some(buffer, problem);
  bytes_in_ += bytes;
  if (!begun_ && bytes > 0) {
    begun_ = true;
    if (buffer[0] == tls::handshake_byte) bytes = begin_tls(buffer, bytes, problem);
  }
  held_.append(buffer.data(), bytes);
  if (socket_.has_unsent()) push_later();
}

std::size_t stream::begin_tls(std::span<char> buffer, std::size_t bytes, error_code& problem) {
  const auto context = worker_.shared().tls.current();
  if (context) return socket_.begin_tls(*context, worker_.tls_buffers(), buffer, bytes, problem);
  problem = make_error_code(boost::system::errc::protocol_not_supported);
  return 0;
}

std::size_t stream::take_held(char* into, std::size_t bytes) {
  const std::size_t taken = held_.copy(into, bytes, read_);
  read_ += taken;
  if (read_ == held_.size()) {
    held_ = {};
    read_ = 0;
  }
  return taken;
}

std::size_t stream::discard_some(error_code& problem) {
  const std::size_t bytes = socket_.discard_some(worker_.read_buffer(), problem);
  bytes_in_ += bytes;
  return bytes;
}

// Writing

std::size_t stream::keep(std::span<const std::string_view> pieces) {
  const std::size_t before = kept_.size();
  if (before == 0) kept_ = worker_.buffers().take();
  for (const std::string_view piece : pieces) kept_.append(piece.substr(0, kept_bytes_max - kept_.size()));
  return kept_.size() - before;
}

std::size_t stream::write(std::span<const std::string_view> pieces, error_code& problem) {
  if (holds_back_ && kept_.size() < kept_bytes_max) return keep(pieces);
  push(problem);
  if (problem) return 0;
  if (holds_back_) return keep(pieces);
  const std::size_t bytes = socket_.write_some(pieces, problem);
  bytes_out_ += bytes;
  if (socket_.has_unsent()) push_later();
  return bytes;
}

void stream::push(error_code& problem) {
  std::size_t sent = 0;
  while (sent < kept_.size() && !problem) {
    const std::string_view rest = std::string_view(kept_).substr(sent);
    const std::size_t bytes = socket_.write_some({&rest, 1}, problem);
    bytes_out_ += bytes;
    sent += bytes;
  }
  if (sent < kept_.size()) {
    kept_.erase(0, sent);
    return;
  }
  if (sent > 0) worker_.buffers().give_back(std::exchange(kept_, {}));
  if (socket_.has_unsent()) std::ignore = socket_.write_some({}, problem);
  if (!problem && socket_.has_unsent()) problem = would_block;
}

void stream::push_later() {
  if (std::exchange(pushes_, true)) return;
  socket_.wait_writable([self = shared_from_this()](error_code problem) {
    self->pushes_ = false;
    if (!problem) std::ignore = self->socket_.write_some({}, problem);
    if ((!problem || problem == would_block) && self->socket_.has_unsent()) self->push_later();
  });
}

void stream::shut_down_sending() {
  error_code ignored;
  push(ignored);
  socket_.shut_down_sending();
}

void teardown(boost::beast::role_type, stream& s, boost::system::error_code& problem) {
  problem = {};
  s.shut_down_sending();
}

}  // namespace pubsubsql::server::http
