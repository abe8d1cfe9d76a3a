#include "server/tls_certificates.hpp"

#include <utility>

#include <spdlog/spdlog.h>

namespace pubsubsql::server {

std::optional<std::string> tls_certificates::load() {
  if (auto problem = tls::check(settings_)) return problem;
  if (!settings_.enabled()) return std::nullopt;
  auto loaded = std::make_shared<tls::context>();
  if (auto problem = loaded->load(settings_)) return problem;
  spdlog::info("TLS is on; certificate {}: {}", settings_.certificate_file, loaded->description());
  if (const auto warning = loaded->warning()) {
    spdlog::warn("the certificate {} {}", settings_.certificate_file, *warning);
  }
  const std::scoped_lock lock(mutex_);
  current_ = std::move(loaded);
  return std::nullopt;
}

std::shared_ptr<const tls::context> tls_certificates::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

}  // namespace pubsubsql::server
