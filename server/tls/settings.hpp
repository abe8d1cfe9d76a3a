#pragma once

#include <string>

namespace pubsubsql::server::tls {

/// What is asked for on the command line. All files are PEM.
struct settings {
  std::string certificate_file;  ///< the server's certificate, then those between it and its CA; empty: no TLS
  std::string key_file;          ///< its private key, without a passphrase
  std::string client_ca_file;    ///< CAs of client certificates; empty: clients are not asked for any
  bool required = false;         ///< connections without TLS are refused
  bool client_required = false;  ///< connections without a client certificate, or without TLS, are refused

  /// Without TLS there is no certificate.
  [[nodiscard]] bool is_required() const { return required || client_required; }
  [[nodiscard]] bool enabled() const { return !certificate_file.empty(); }
};

}  // namespace pubsubsql::server::tls
