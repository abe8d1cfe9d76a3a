#include "server/tls/peer_names.hpp"

#include <algorithm>
#include <memory>

#include <openssl/bio.h>
#include <openssl/x509.h>

namespace pubsubsql::server::tls {

namespace {

/// X.520 allows no more; what is longer is cut.
constexpr std::size_t name_bytes_max = 64;

}  // namespace

std::string common_name_of(const x509_st* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  const ASN1_STRING* const name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  if (out == nullptr) return {};
  // Whatever is not printable ASCII is escaped: the name goes into the log.
  if (ASN1_STRING_print_ex(out.get(), name, ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_ESC_MSB | ASN1_STRFLGS_UTF8_CONVERT) <
      0) {
    return {};
  }
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, std::min(static_cast<std::size_t>(size), name_bytes_max)};
}

}  // namespace pubsubsql::server::tls
