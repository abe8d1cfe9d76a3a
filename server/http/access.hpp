#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/access_gate.hpp"
#include "server/http/message.hpp"
#include "storage/access/token.hpp"

/// Which requests are let in: by where they come from, and by whom they are.
namespace pubsubsql::server::http {

class connection;

/// Who a connection's last `Authorization` was found to be, so that a password is verified once and not for each
/// request. It holds until passwords or tokens change; what its user may do is looked at anew whenever rights change.
struct known_credentials {
  std::uint64_t version = 0;   ///< access_control::credentials_version()
  access::token_hash value{};  ///< of the field
  session_identity who;        ///< nobody: nothing is known
};

/// The answer to a request that comes from where none may; nothing: it may be served. A page of another origin is
/// refused unless --http-allow-origin has it. Where there are no users and only this machine is served, a `Host` that a
/// stranger's name server may have pointed here is refused, too.
[[nodiscard]] std::optional<response> refuse_source(connection& c);

/// Tells the browser that a page of another origin may read the answer, where it may.
void add_cors(connection& c, response& r);
/// The same as lines of a header.
[[nodiscard]] std::string cors_lines(connection& c);

/// The answer to OPTIONS.
[[nodiscard]] response allowed_methods(connection& c);

/// Finds out who sends the request under way, and calls `go_on` when c.identity says it; where there are no users, or
/// none is needed and none is said, that is nobody. Otherwise the request is answered. `go_on` is called at once or
/// later, from the worker's loop.
void authenticate(connection& c, bool is_needed, std::function<void()> go_on);

}  // namespace pubsubsql::server::http
