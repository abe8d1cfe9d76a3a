#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/tls/context.hpp"

namespace pubsubsql::server {

/// The certificate in use, which can be replaced while connections are served: those that there are keep the one they
/// began with. From any thread.
class tls_certificates {
 public:
  explicit tls_certificates(tls::settings s) : settings_(std::move(s)) {}

  /// Reads the files, again or for the first time, and logs what came of it. Returns what is wrong, for the user; what
  /// was in use before stays then. Without --tls-cert there is nothing to read.
  [[nodiscard]] std::optional<std::string> load();

  /// What new connections use; nullptr: TLS is off.
  [[nodiscard]] std::shared_ptr<const tls::context> current() const;

 private:
  const tls::settings settings_;
  mutable std::mutex mutex_;
  std::shared_ptr<const tls::context> current_;  // guarded by mutex_
};

}  // namespace pubsubsql::server
