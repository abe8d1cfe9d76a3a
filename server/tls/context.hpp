#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/tls/settings.hpp"

struct evp_pkey_st;
struct ssl_ctx_st;

namespace pubsubsql::server::tls {

/// What the connections that begin from now on have in common: certificate, key, what is accepted. Not changed once it
/// is loaded, and then used by all threads.
///
/// TLS 1.3, or 1.2 with ephemeral keys and authenticated encryption. No compression, no renegotiation, no early data.
/// Sessions are resumed by tickets, which are worth nothing under another context.
class context {
 public:
  context();
  ~context();
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// Reads the files. Returns what is wrong with them, for the user; the context is of no use then. REQUIRES: called
  /// once, s.enabled().
  [[nodiscard]] std::optional<std::string> load(const settings& s);

  /// The same from memory, without a look at dates, for tests. The PEM text has the certificate and its key.
  [[nodiscard]] std::optional<std::string> load_text(const std::string& pem);

  /// The certificate in a few words for the log: its subject, its serial number and when it expires.
  [[nodiscard]] std::string description() const;

  /// What an operator has to do about the certificate soon, or should have done; nothing: all is well.
  [[nodiscard]] std::optional<std::string> warning() const;

  [[nodiscard]] ssl_ctx_st* handle() const { return context_.get(); }

 private:
  struct deleter {
    void operator()(ssl_ctx_st* c) const;
  };

  [[nodiscard]] std::optional<std::string> load_key(const settings& s);
  [[nodiscard]] bool use_key(evp_pkey_st* key);
  [[nodiscard]] std::optional<std::string> load_client_ca(const settings& s);

  std::unique_ptr<ssl_ctx_st, deleter> context_;
};

/// Whether the settings make sense together. Returns what does not, for the user.
[[nodiscard]] std::optional<std::string> check(const settings& s);

}  // namespace pubsubsql::server::tls
