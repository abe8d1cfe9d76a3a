#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parser/result.hpp"

namespace pubsubsql::storage::durable {

/// Where a MySQL server is and how to log in. Never printed whole: shown() leaves the password out.
struct mysql_address {
  /// How much the connection is protected. Off by default, as MySQL's own clients of old; `require` encrypts,
  /// `verify` also checks the server's certificate and name against `ca_path` (or the system's certificates).
  enum class tls_mode : std::uint8_t { off, require, verify };

  std::string host = "127.0.0.1";
  std::uint16_t port = 3306;
  std::string socket;  ///< path of a local socket; used instead of host and port when set
  std::string user;
  std::string password;
  std::string database;
  tls_mode tls = tls_mode::off;
  std::string ca_path;

  /// For logs and `mysql status`: user@host:port/database, or user@socket/database. Without the password.
  [[nodiscard]] std::string shown() const;
};

/// Reads `mysql://user:password@host:port/database?socket=/path&tls=off|require|verify&ca=/path` (parts
/// percent-encoded), or the form of Go's driver that PubSubSQL took: `user:password@tcp(host:port)/database`,
/// `user:password@unix(/path)/database`, with `?tls=true|skip-verify|false`. The error is a sentence that says what is
/// wrong, never containing the password.
[[nodiscard]] result<mysql_address, std::string> parse_mysql_address(std::string_view text);

}  // namespace pubsubsql::storage::durable
