#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "tools/bench/dialect.hpp"
#include "tools/bench/stream_socket.hpp"

namespace bench {

/// A connection on which one exchange follows the other, for what is said before the clock runs. Everything throws
/// std::runtime_error.
class dialogue {
 public:
  /// Connects and greets. The dialect stays the caller's.
  dialogue(const dialect& speech, std::uint16_t port);

  /// Returns the replies.
  std::string ask(const exchange& e);
  /// The connection, for other use. REQUIRES: nothing is asked afterwards.
  [[nodiscard]] stream_socket release() { return std::move(socket_); }

 private:
  const dialect& speech_;
  stream_socket socket_;
};

}  // namespace bench
