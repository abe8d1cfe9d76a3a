#include "server/tls/openssl_errors.hpp"

#include <cerrno>
#include <cstring>

#include <openssl/err.h>

namespace pubsubsql::server::tls {

std::string take_openssl_error(const char* otherwise) {
  const unsigned long oldest = ERR_peek_error();
  ERR_clear_error();
  if (oldest == 0) return otherwise;
  if (ERR_SYSTEM_ERROR(oldest)) return std::strerror(ERR_GET_REASON(oldest));
  const char* const reason = ERR_reason_error_string(oldest);
  return reason != nullptr ? reason : otherwise;
}

}  // namespace pubsubsql::server::tls
