#pragma once

#include <string>

struct x509_st;

namespace pubsubsql::server::tls {

/// The common name of a certificate's subject, printable and of bounded length; empty when it has none.
[[nodiscard]] std::string common_name_of(const x509_st* certificate);

}  // namespace pubsubsql::server::tls
