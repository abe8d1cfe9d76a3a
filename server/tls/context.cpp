#include "server/tls/context.hpp"

#include <cstdlib>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "server/tls/key_file.hpp"
#include "server/tls/openssl_errors.hpp"
#include "server/tls/peer_names.hpp"

namespace pubsubsql::server::tls {

namespace {

/// Of TLS 1.2, what has forward secrecy and authenticated encryption. TLS 1.3 has nothing else.
constexpr const char* ciphers_of_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";
/// How long before a certificate expires there are warnings.
constexpr int warning_days = 30;

struct bio_deleter {
  void operator()(BIO* b) const { BIO_free(b); }
};
using bio_ptr = std::unique_ptr<BIO, bio_deleter>;
struct certificate_deleter {
  void operator()(X509* c) const { X509_free(c); }
};
struct key_deleter {
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, key_deleter>;

/// OpenSSL would ask for it on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

bio_ptr reader_of(const std::string& text) {
  return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string date_text(const ASN1_TIME* time) {
  const bio_ptr out(BIO_new(BIO_s_mem()));
  if (out == nullptr || ASN1_TIME_print(out.get(), time) != 1) return "an unreadable date";
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string serial_text(const X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  BIGNUM* const number = ASN1_INTEGER_to_BN(serial, nullptr);
  char* const digits = number != nullptr ? BN_bn2hex(number) : nullptr;
  std::string text = digits != nullptr ? digits : "?";
  OPENSSL_free(digits);
  BN_free(number);
  return text;
}

}  // namespace

void context::deleter::operator()(ssl_ctx_st* c) const {
  SSL_CTX_free(c);
}

context::context() : context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX* const c = context_.get();
  if (c == nullptr) throw std::bad_alloc();
  static constexpr unsigned char name[] = "pubsubsql";
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(c, ciphers_of_1_2);
  SSL_CTX_set_options(
      c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);  // tickets need none
  SSL_CTX_set_session_id_context(c, name, sizeof name - 1);
  SSL_CTX_set_num_tickets(c, 1);
  SSL_CTX_set_default_passwd_cb(c, no_passphrase);
}

context::~context() = default;

std::optional<std::string> context::load(const settings& s) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context_.get(), s.certificate_file.c_str()) != 1) {
    return "cannot use --tls-cert " + s.certificate_file + ": " + take_openssl_error("it holds no certificate") +
           "; it must be a PEM file with the server's certificate first";
  }
  if (auto problem = load_key(s)) return problem;
  return load_client_ca(s);
}

std::optional<std::string> context::load_key(const settings& s) {
  key_text text;
  if (auto problem = text.read(s.key_file)) return problem;
  const bio_ptr in = reader_of(text.text());
  const key_ptr key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) {
    return "cannot use --tls-key " + s.key_file + ": " + take_openssl_error("it holds no private key") +
           "; it must be a PEM file with a private key without a passphrase (`openssl pkey -in FILE` takes one off)";
  }
  if (use_key(key.get())) return std::nullopt;
  return "--tls-key " + s.key_file + " is not the key of --tls-cert " + s.certificate_file + ": " +
         take_openssl_error("they do not match") + "; give the two that were made together";
}

/// OpenSSL has a place for each type of key, and takes one of another type than the certificate's for a second pair.
bool context::use_key(evp_pkey_st* key) {
  const X509* const certificate = SSL_CTX_get0_certificate(context_.get());
  return X509_check_private_key(certificate, key) == 1 && SSL_CTX_use_PrivateKey(context_.get(), key) == 1;
}

std::optional<std::string> context::load_client_ca(const settings& s) {
  if (s.client_ca_file.empty()) return std::nullopt;
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(s.client_ca_file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context_.get(), s.client_ca_file.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return "cannot use --tls-client-ca " + s.client_ca_file + ": " + take_openssl_error("it holds no certificate") +
           "; it must be a PEM file with the certificates of the CAs";
  }
  SSL_CTX_set_client_CA_list(context_.get(), names);
  SSL_CTX_set_verify(context_.get(),
                     SSL_VERIFY_PEER | (s.client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE),
                     nullptr);
  return std::nullopt;
}

std::optional<std::string> context::load_text(const std::string& pem) {
  ERR_clear_error();
  const bio_ptr certificate_in = reader_of(pem);
  const bio_ptr key_in = reader_of(pem);
  const std::unique_ptr<X509, certificate_deleter> certificate(
      PEM_read_bio_X509(certificate_in.get(), nullptr, no_passphrase, nullptr));
  const key_ptr key(PEM_read_bio_PrivateKey(key_in.get(), nullptr, no_passphrase, nullptr));
  if (certificate == nullptr || key == nullptr) return take_openssl_error("no certificate or no key");
  if (SSL_CTX_use_certificate(context_.get(), certificate.get()) != 1 || !use_key(key.get())) {
    return take_openssl_error("certificate and key do not match");
  }
  return std::nullopt;
}

std::string context::description() const {
  const X509* const certificate = SSL_CTX_get0_certificate(context_.get());
  return common_name_of(certificate) + ", serial " + serial_text(certificate) + ", valid until " +
         date_text(X509_get0_notAfter(certificate));
}

std::optional<std::string> context::warning() const {
  const X509* const certificate = SSL_CTX_get0_certificate(context_.get());
  const ASN1_TIME* const begin = X509_get0_notBefore(certificate);
  const ASN1_TIME* const end = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(begin) > 0) {
    return "is not valid before " + date_text(begin) + "; clients that check it do not connect";
  }
  if (X509_cmp_current_time(end) < 0) {
    return "has expired on " + date_text(end) + "; clients that check it do not connect: replace it, and send SIGHUP";
  }
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, end) != 1 || days >= warning_days) return std::nullopt;
  return "expires in " + std::to_string(days) + " days, on " + date_text(end) + "; replace it, and send SIGHUP";
}

std::optional<std::string> check(const settings& s) {
  if (s.certificate_file.empty() != s.key_file.empty()) {
    return s.key_file.empty() ? "--tls-cert needs --tls-key, the certificate's private key"
                              : "--tls-key needs --tls-cert, the key's certificate";
  }
  if (s.required && !s.enabled()) return "--tls-required needs --tls-cert and --tls-key";
  if (!s.client_ca_file.empty() && !s.enabled()) return "--tls-client-ca needs --tls-cert and --tls-key";
  if (s.client_required && s.client_ca_file.empty()) {
    return "--tls-client-required needs --tls-client-ca, the CAs whose client certificates are good";
  }
  return std::nullopt;
}

}  // namespace pubsubsql::server::tls
