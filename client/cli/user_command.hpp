#pragma once

#include <cstdint>
#include <optional>
#include <string>

/// `pubsubsql user`: changes the file that a server's users are in. A server that runs reads it at SIGHUP.
namespace pubsubsql::cli {

struct user_command {
  enum class action : std::uint8_t { add, passwd, remove, list };

  std::optional<action> what;
  std::string file;
  std::string name;
  bool admin = false;  ///< of add: with the right admin
};

/// Returns the exit status. REQUIRES: `c.what` is set.
[[nodiscard]] int run_user_command(const user_command& c);

}  // namespace pubsubsql::cli
