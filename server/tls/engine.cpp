#include "server/tls/engine.hpp"

#include <algorithm>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "server/tls/openssl_errors.hpp"
#include "server/tls/peer_names.hpp"

namespace pubsubsql::server::tls {

/// A BIO on the spans of wire_ends: what OpenSSL takes for the network.
struct engine::wire_bio {
  static int read(BIO* bio, char* into, std::size_t size, std::size_t* got) {
    auto& wire = *static_cast<wire_ends*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *got = std::min(size, wire.in.size());
    std::copy_n(wire.in.data(), *got, into);
    wire.in = wire.in.subspan(*got);
    if (*got > 0 || size == 0) return 1;
    BIO_set_retry_read(bio);
    return 0;
  }

  static int write(BIO* bio, const char* from, std::size_t size, std::size_t* put) {
    const auto& wire = *static_cast<wire_ends*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *put = 0;
    if (wire.out == nullptr) return 0;
    try {
      wire.out->append(from, size);
    } catch (const std::bad_alloc&) {  // may not pass through C; the connection fails
      return 0;
    }
    *put = size;
    return 1;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
      if (m == nullptr) throw std::bad_alloc();
      BIO_meth_set_read_ex(m, read);
      BIO_meth_set_write_ex(m, write);
      BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }

  static BIO* make(wire_ends& wire) {
    BIO* const bio = BIO_new(method());
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, &wire);
    BIO_set_init(bio, 1);
    return bio;
  }
};

void engine::deleter::operator()(ssl_st* s) const {
  SSL_free(s);
}

engine::engine(const context& c) : ssl_(SSL_new(c.handle())) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  BIO* const bio = wire_bio::make(wire_);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

engine::~engine() = default;

engine::received engine::receive(std::span<const char> wire, std::span<char> plain, std::string& out) {
  received result;
  wire_ = {.in = wire, .out = &out};
  ERR_clear_error();
  for (;;) {
    const std::span<char> room = plain.subspan(result.bytes);
    std::size_t got = 0;
    if (SSL_read_ex(ssl_.get(), room.data(), room.size(), &got) == 1) {
      result.bytes += got;
      handshake_is_done_ = true;
      continue;
    }
    const int reason = SSL_get_error(ssl_.get(), 0);
    if (reason == SSL_ERROR_ZERO_RETURN) result.now = state::ended;
    if (reason != SSL_ERROR_ZERO_RETURN && reason != SSL_ERROR_WANT_READ) result.now = fail("the client broke TLS");
    break;
  }
  if (result.now != state::failed) handshake_is_done_ = SSL_is_init_finished(ssl_.get()) == 1;
  wire_ = {};
  return result;
}

engine::state engine::fail(const char* otherwise) {
  failure_ = handshake_is_done() ? "TLS failed: " : "the TLS handshake failed: ";
  failure_ += take_openssl_error(otherwise);
  if (const long verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
    failure_ += std::string(" (client certificate: ") + X509_verify_cert_error_string(verdict) + ")";
  }
  return state::failed;
}

bool engine::send(std::string_view plain, std::string& out) {
  wire_ = {.in = {}, .out = &out};
  ERR_clear_error();
  std::size_t sent = 0;
  const bool done = plain.empty() || SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &sent) == 1;
  if (!done) fail("writing failed");
  wire_ = {};
  return done;
}

void engine::end(std::string& out) {
  if (!handshake_is_done() || !failure_.empty()) return;
  wire_ = {.in = {}, .out = &out};
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  wire_ = {};
}

std::string engine::description() const {
  std::string text = SSL_get_version(ssl_.get());
  text += ' ';
  text += SSL_get_cipher_name(ssl_.get());
  if (const X509* const certificate = SSL_get0_peer_certificate(ssl_.get())) {
    text += ", client certificate of '" + common_name_of(certificate) + "'";
  }
  return text;
}

}  // namespace pubsubsql::server::tls
