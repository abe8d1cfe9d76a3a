#include "storage/access/password.hpp"

#include <array>
#include <cstdio>

#include <sodium.h>

#include "storage/access/token.hpp"

namespace pubsubsql::access {

namespace {

/// The library's choice of random numbers and instructions; sodium_init() does it once, for all threads.
bool is_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

/// What verifying against a hash may take: far more than hash_password() asks for, little enough that nobody can keep
/// the server busy, or take its memory, with a hash of his own.
constexpr unsigned long memory_kib_max = 256UL << 10;
constexpr unsigned long passes_max = 10;

/// The costs in `$argon2id$v=19$m=65536,t=2,p=1$...`, the form that crypto_pwhash_str() writes.
bool costs_are_bounded(const std::string& hash) {
  unsigned long memory_kib = 0;
  unsigned long passes = 0;
  int end = 0;  // set when all of the form was there
  return std::sscanf(hash.c_str(), "$argon2id$v=19$m=%lu,t=%lu,p=1$%n", &memory_kib, &passes, &end) == 2 && end > 0 &&
         memory_kib <= memory_kib_max && passes <= passes_max;
}

}  // namespace

std::optional<std::string> password_problem(std::string_view password) {
  if (password.empty()) return "the password is empty; choose one";
  if (is_token(password)) return "the password has the form of a token; choose another";
  if (password.size() <= password_bytes_max) return std::nullopt;
  return "the password is longer than " + std::to_string(password_bytes_max) + " bytes; choose a shorter one";
}

std::optional<std::string> hash_password(std::string_view password) {
  if (!is_ready()) return std::nullopt;
  std::array<char, crypto_pwhash_STRBYTES> out{};
  if (crypto_pwhash_str(out.data(), password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return std::nullopt;
  }
  return std::string(out.data());
}

bool verify_password(std::string_view hash, std::string_view password) {
  if (!is_ready() || hash.size() >= crypto_pwhash_STRBYTES) return false;
  return crypto_pwhash_str_verify(std::string(hash).c_str(), password.data(), password.size()) == 0;
}

bool is_password_hash(std::string_view text) {
  const std::string hash(text);
  if (!is_ready() || hash.size() >= crypto_pwhash_STRBYTES || !costs_are_bounded(hash)) return false;
  return crypto_pwhash_str_needs_rehash(hash.c_str(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                        crypto_pwhash_MEMLIMIT_INTERACTIVE) >= 0;
}

void wipe(std::string& secret) {
  sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

}  // namespace pubsubsql::access
