#pragma once

#include <cstdint>
#include <optional>
#include <string>

/// `pubsubsql user`: changes the file that a server's users are in. A server that runs reads it at SIGHUP.
namespace pubsubsql::cli {

struct user_command {
  enum class action : std::uint8_t { add, passwd, remove, list, token_add, token_remove, token_list };

  std::optional<action> what;
  std::string file;
  std::string name;
  bool admin = false;    ///< of add: with the right admin
  std::string label;     ///< of token_add: what it is for
  unsigned days = 0;     ///< of token_add: how long it is good; 0: for ever
  std::string token_id;  ///< of token_remove
};

/// Returns the exit status. REQUIRES: `c.what` is set.
[[nodiscard]] int run_user_command(const user_command& c);

}  // namespace pubsubsql::cli
