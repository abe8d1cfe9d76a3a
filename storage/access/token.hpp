#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Tokens: secrets that the server makes, for programs. One stands for its user, in the place of the password.
/// Thread-safe.
namespace pubsubsql::access {

inline constexpr std::string_view token_prefix = "pst_";
inline constexpr std::size_t tokens_per_user_max = 100;
inline constexpr std::size_t token_label_bytes_max = 64;

/// SHA-256 of a token. A fast hash is right here, where it would be wrong for passwords: a token is 256 random bits, so
/// nobody finds one by trying, however fast, and checking one costs a request next to nothing.
using token_hash = std::array<unsigned char, 32>;

/// What is kept of a token.
struct token {
  token_hash hash{};
  std::string label;           ///< what it is for; may be empty
  std::int64_t created_s = 0;  ///< seconds since 1970-01-01 00:00 UTC
  std::int64_t expires_s = 0;  ///< the same; 0: never

  bool operator==(const token&) const = default;
};

/// A new token: the prefix and 32 random bytes in base64url. Nothing when the system has no random numbers.
[[nodiscard]] std::optional<std::string> new_token();

/// Whether the text has the form of a token. No password has it: see password_problem().
[[nodiscard]] bool is_token(std::string_view secret);

[[nodiscard]] token_hash hash_token(std::string_view secret);

/// In a time that does not depend on where they differ.
[[nodiscard]] bool are_equal(const token_hash& a, const token_hash& b);

/// 64 hexadecimal digits, and back; nothing: they are none.
[[nodiscard]] std::string to_hex(const token_hash& hash);
[[nodiscard]] std::optional<token_hash> hash_from_hex(std::string_view digits);

/// What people name a token by: the first digits of its hash.
[[nodiscard]] std::string id_of(const token& t);

/// 2026-11-21 21:40:00, in UTC, and back; nothing: it is no such time.
[[nodiscard]] std::string print_time(std::int64_t seconds);
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);

/// A user's token as a line of the users' file.
[[nodiscard]] std::string print_token(std::string_view user, const token& t);

/// Whether a line of that file is about a token.
[[nodiscard]] bool begins_as_token(std::string_view line);

struct token_line {
  std::string user;
  token of_user;
};

/// Reads such a line; what is wrong with it goes to `problem`, and does not show the hash.
[[nodiscard]] std::optional<token_line> parse_token(std::string_view line, std::string& problem);

}  // namespace pubsubsql::access
