#pragma once

#include <cstdint>
#include <string_view>

namespace pubsubsql {

/// What the protocol has to know of a statement to tell how it is answered.
enum class statement_kind : std::uint8_t {
  ordinary,     ///< answered with one reply
  subscribe,    ///< the same, and events may follow
  unsubscribe,  ///< the same, and events may end
  streamed,     ///< answered only when it fails
  ending,       ///< `close` and `stop`: the server hangs up instead of answering
};

/// Told by the first word behind white space and comments, in `execute immediate` by that of the statement inside;
/// reads nothing more of the statement.
[[nodiscard]] statement_kind kind_of(std::string_view sql);

}  // namespace pubsubsql
