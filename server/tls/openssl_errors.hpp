#pragma once

#include <string>

namespace pubsubsql::server::tls {

/// What the oldest error of this thread's OpenSSL queue says, or `otherwise` when the queue is empty. Empties the
/// queue.
[[nodiscard]] std::string take_openssl_error(const char* otherwise);

}  // namespace pubsubsql::server::tls
