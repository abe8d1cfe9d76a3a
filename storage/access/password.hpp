#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Passwords as argon2id hashes: what is kept of a password, and whether one is right. Each of hash_password() and
/// verify_password() takes some 64 MiB and 50 to 100 ms of a processor. Thread-safe.
namespace pubsubsql::access {

/// Bytes of a password; more would not make it better.
inline constexpr std::size_t password_bytes_max = 1024;

/// What is wrong with a password, for the user; nothing: it can be used.
[[nodiscard]] std::optional<std::string> password_problem(std::string_view password);

/// A hash with a salt of its own; nothing when there is not the memory for it.
[[nodiscard]] std::optional<std::string> hash_password(std::string_view password);

/// Whether the hash is one of this password.
[[nodiscard]] bool verify_password(std::string_view hash, std::string_view password);

/// Whether the text is a hash that verify_password() reads.
[[nodiscard]] bool is_password_hash(std::string_view text);

/// Overwrites a text that held a password, and empties it.
void wipe(std::string& secret);

}  // namespace pubsubsql::access
