#include <chrono>

#include <boost/asio/error.hpp>
#include <spdlog/spdlog.h>

#include "server/session.hpp"
#include "server/tls_certificates.hpp"
#include "server/worker.hpp"

// What comes before a connection's first statement.

namespace pubsubsql::server {

namespace {

using boost::system::error_code;

/// How long a client over the connection limit may take to say how it talks.
constexpr std::chrono::milliseconds turned_away_time{2'000};

constexpr session::refusal too_many_connections{
    .message = "too many connections; try again later, or raise --max-connections", .reason = "too many connections"};
constexpr session::refusal too_many_from_address{
    .message = "too many connections from this address; close some, or raise --max-connections-per-address",
    .reason = "too many connections from its address"};
constexpr session::refusal not_encrypted{
    .message = "this server takes connections with TLS only; connect with TLS, as `pubsubsql --tls` does",
    .reason = "it does not use TLS, which --tls-required demands"};

}  // namespace

bool session::is_admitted() const {
  return secured_ && (worker_.shared().access == nullptr || identity.user != nullptr);
}

void session::admitted() {
  if (stage_ != stage::open || connection_.admitted() != admission::served || !is_admitted()) return;
  deadline_.reset();
  transport_.admitted();
}

void session::start(const subscriber& me) {
  me_ = me;
  if (connection_.admitted() != admission::served) {
    refusal_ = connection_.admitted() == admission::too_many ? &too_many_connections : &too_many_from_address;
    end_reason_ = refusal_->reason;
    set_deadline(turned_away_time);
  } else if (is_admitted()) {
    transport_.admitted();
  } else if (worker_.shared().settings.tls.is_required() || worker_.shared().access != nullptr) {
    limit_admission();
  }
  await_readable();
}

void session::pause_admission() {
  if (stage_ == stage::open && connection_.admitted() == admission::served) deadline_.reset();
}

void session::limit_admission() {
  if (deadline_ || stage_ != stage::open || is_admitted()) return;
  const std::chrono::seconds limit(worker_.shared().settings.handshake_timeout_seconds);
  deadline_ = std::make_unique<boost::asio::steady_timer>(transport_.executor(), limit);
  deadline_->async_wait([self = shared_from_this()](const error_code& error) {
    if (error || self->is_admitted()) return;
    self->worker_.shared().counters.refused("handshake-timeout-seconds");
    self->close(self->secured_ ? "no authentication within --handshake-timeout-seconds"
                               : "no TLS handshake within --handshake-timeout-seconds",
                close_code::refused);
  });
}

std::size_t session::admit(std::span<char> buffer, std::size_t bytes, error_code& problem) {
  client_socket& socket = transport_.socket();
  if (!socket.is_tls()) {
    if (bytes == 0 || bytes_in_ > 0) return bytes;
    if (buffer[0] != tls::handshake_byte) {
      admit_plain();
      return bytes;
    }
    bytes = begin_tls(buffer, bytes, problem);
  }
  if (socket.is_tls() && socket.handshake_is_done()) secured();
  return bytes;
}

void session::admit_plain() {
  if (worker_.shared().settings.tls.is_required()) {
    if (connection_.admitted() == admission::served) refusal_ = &not_encrypted;
    return;
  }
  secured();
}

std::size_t session::begin_tls(std::span<char> buffer, std::size_t bytes, error_code& problem) {
  const auto context = worker_.shared().tls.current();
  if (!context) {
    close("it speaks TLS, which is off; turn it on with --tls-cert and --tls-key");
    problem = boost::asio::error::operation_aborted;
    return 0;
  }
  limit_admission();
  return transport_.socket().begin_tls(*context, worker_.tls_buffers(), buffer, bytes, problem);
}

void session::secured() {
  secured_ = true;
  admitted();
  if (transport_.socket().is_tls()) spdlog::debug("connection {} uses {}", address(), transport_.description());
}

void session::end_broken_tls() {
  misread_ = true;
  finish(transport_.socket().failure());
  output_.release();
  if (stage_ == stage::finishing) begin_draining();
}

void session::refuse(const parser::request& r) {
  reply([&](std::string& out) { encode_error(out, {.mode = mode(), .request_id = r.id}, refusal_->message); });
  finish(refusal_->reason, close_code::refused);
}

}  // namespace pubsubsql::server
