#include "server/tls/key_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pubsubsql::server::tls {

namespace {

/// Keys take a few kilobytes; a combined file may hold certificates as well.
constexpr off_t file_bytes_max = 1 << 20;

/// As PostgreSQL has it: Debian's group `ssl-cert` shares keys that belong to root.
std::optional<std::string> complaint_about(const struct stat& status, const std::string& file) {
  if (!S_ISREG(status.st_mode)) return "--tls-key " + file + " is not a file";
  if (status.st_size > file_bytes_max) return "--tls-key " + file + " is too large to be a private key";
  const mode_t tolerated = status.st_uid == 0 ? S_IRWXU | S_IRGRP : S_IRWXU;
  if ((status.st_mode & ACCESSPERMS & ~tolerated) == 0) return std::nullopt;
  return "--tls-key " + file +
         " is open to others than its owner; do `chmod 600` on it (a key of root's may be readable by its group: 640)";
}

}  // namespace

key_text::~key_text() {
  OPENSSL_cleanse(text_.data(), text_.size());
}

std::optional<std::string> key_text::read(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return "cannot read --tls-key " + file + ": " + std::strerror(errno);
  auto problem = read_open(descriptor, file);
  ::close(descriptor);
  return problem;
}

std::optional<std::string> key_text::read_open(int descriptor, const std::string& file) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return "cannot read --tls-key " + file + ": " + std::strerror(errno);
  if (auto complaint = complaint_about(status, file)) return complaint;
  text_.resize(static_cast<std::size_t>(status.st_size));
  std::size_t held = 0;
  while (held < text_.size()) {
    const ssize_t got = ::read(descriptor, text_.data() + held, text_.size() - held);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return "cannot read --tls-key " + file + ": " + std::strerror(errno);
    if (got == 0) break;
    held += static_cast<std::size_t>(got);
  }
  text_.resize(held);
  return std::nullopt;
}

}  // namespace pubsubsql::server::tls
