#include "client/channel.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/verify_mode.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace pubsubsql {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

/// OpenSSL would ask for it on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

bool is_address(const std::string& host) {
  error_code none;
  boost::asio::ip::make_address(host, none);
  return !none;
}

error unusable(const char* option, const std::string& file, const error_code& why) {
  return {errc::usage, std::string("cannot use the ") + option + " " + file + ": " + why.message() +
                           "; it must be a readable PEM file"};
}

bool is_end(const error_code& failure) {
  return failure == boost::asio::error::eof || failure == ssl::error::stream_truncated ||
         failure == boost::asio::error::connection_reset || failure == boost::asio::error::broken_pipe;
}

bool is_reason(const error_code& failure, int reason) {
  return failure.category() == boost::asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(failure.value())) == reason;
}

/// What is no TLS fails like this, depending on the bytes that come instead.
bool is_other_protocol(const error_code& failure) {
  return is_reason(failure, SSL_R_WRONG_VERSION_NUMBER) || is_reason(failure, SSL_R_PACKET_LENGTH_TOO_LONG) ||
         is_reason(failure, SSL_R_HTTP_REQUEST) || is_reason(failure, SSL_R_BAD_RECORD_TYPE);
}

bool is_certificate_wanted(const error_code& failure) {
  return is_reason(failure, SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
}

constexpr const char* wants_certificate =
    "the server demands a client certificate; name one and its key (--tls-cert and --tls-key of pubsubsql)";

}  // namespace

std::optional<error> channel::use_tls(const tls_options& o, const std::string& host) {
  tls_ = std::make_unique<tls_end>();
  tls_->server_name = o.server_name.empty() ? host : o.server_name;
  SSL_CTX* const context = tls_->context.native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (auto problem = load_trust(o)) return problem;
  if (auto problem = load_certificate(o)) return problem;
  tls_->stream.emplace(socket_, tls_->context);
  return expect_server(o);
}

std::optional<error> channel::load_trust(const tls_options& o) {
  error_code failure;
  if (o.mode == tls_mode::insecure) {
    tls_->context.set_verify_mode(ssl::verify_none, failure);
    return std::nullopt;
  }
  tls_->context.set_verify_mode(ssl::verify_peer, failure);
  if (o.ca_file.empty()) {
    tls_->context.set_default_verify_paths(failure);
    return std::nullopt;
  }
  tls_->context.load_verify_file(o.ca_file, failure);
  if (failure) return unusable("CA file", o.ca_file, failure);
  return std::nullopt;
}

std::optional<error> channel::load_certificate(const tls_options& o) {
  if (o.certificate_file.empty() != o.key_file.empty()) {
    return error(errc::usage, "a client certificate and its key are given together (certificate_file and key_file)");
  }
  if (o.certificate_file.empty()) return std::nullopt;
  error_code failure;
  tls_->context.use_certificate_chain_file(o.certificate_file, failure);
  if (failure) return unusable("client certificate", o.certificate_file, failure);
  tls_->context.use_private_key_file(o.key_file, ssl::context::pem, failure);
  if (failure) return unusable("key of the client certificate", o.key_file, failure);
  tls_->has_certificate = true;
  return std::nullopt;
}

std::optional<error> channel::expect_server(const tls_options& o) {
  SSL* const handle = tls_->stream->native_handle();
  const std::string& name = tls_->server_name;
  const bool address = is_address(name);
  // What SSL_set_tlsext_host_name() is, which is a macro with a cast of C.
  bool known = address || SSL_ctrl(handle, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                   const_cast<char*>(name.c_str())) == 1;
  if (o.mode == tls_mode::verify) {
    known = known && (address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), name.c_str()) == 1
                              : SSL_set1_host(handle, name.c_str()) == 1);
  }
  if (known) return std::nullopt;
  return error(errc::usage, "'" + name + "' cannot be a server's name in TLS; set server_name");
}

std::string channel::explain_handshake(const error_code& failure) const {
  const long verdict = SSL_get_verify_result(tls_->stream->native_handle());
  if (is_reason(failure, SSL_R_CERTIFICATE_VERIFY_FAILED)) return explain_certificate(verdict);
  if (is_end(failure)) {
    return "closed the connection during the TLS handshake; is TLS on there (--tls-cert of pubsubsqld)?";
  }
  if (is_other_protocol(failure)) return "does not speak TLS; connect without it, or turn it on there";
  if (is_certificate_wanted(failure)) return std::string("refused the TLS handshake: ") + wants_certificate;
  std::string text = "failed in the TLS handshake: " + failure.message();
  if (!tls_->has_certificate) text += "; if it demands a client certificate, name one and its key";
  return text;
}

std::string channel::explain_certificate(long verdict) const {
  const std::string why = X509_verify_cert_error_string(verdict);
  switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "has a certificate that is not for '" + tls_->server_name +
             "'; connect by a name that the certificate has, or say which one it must have (server_name, "
             "--tls-server-name)";
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "has a certificate that is not valid now: " + why + "; its operator must replace it";
    default:
      return "has a certificate that is not trusted: " + why +
             "; if it is the right server, name the file with the certificate of its CA (ca_file, --tls-ca)";
  }
}

std::string channel::explain_loss(const error_code& failure) {
  if (failure == boost::asio::error::eof || failure == ssl::error::stream_truncated) return "closed the connection";
  if (is_certificate_wanted(failure)) return wants_certificate;
  return failure.message();
}

void channel::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace pubsubsql
