#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace pubsubsql {

/// What kind of thing went wrong, for code that decides what to do next.
enum class errc : std::uint8_t {
  cannot_connect,   ///< no such host, or nobody listens there; try again later or elsewhere
  connection_lost,  ///< there is no connection (any more); what was sent without a reply may or may not have happened
  timeout,          ///< no answer in time; the statement may still happen, and the connection stays usable
  refused,          ///< the server said no to this statement, and nothing of it happened; message and offset tell why
  protocol_error,   ///< the peer does not speak the protocol; the connection has been closed
  limit,            ///< one of client_options' limits was reached; the message names it
  bad_value,        ///< a value is not what as<T>() was to make of it
  usage,            ///< the call itself is wrong, for example an unknown column name
};

/// The one exception of this library. what() is a sentence for people; code() is for programs.
class error : public std::runtime_error {
 public:
  error(errc code, const std::string& message, std::optional<std::size_t> offset = std::nullopt)
      : std::runtime_error(message), code_(code), offset_(offset) {}

  [[nodiscard]] errc code() const { return code_; }

  /// Where in the statement the server found a mistake, in bytes from its start, when it is a syntax error.
  [[nodiscard]] std::optional<std::size_t> offset() const { return offset_; }

 private:
  errc code_;
  std::optional<std::size_t> offset_;
};

}  // namespace pubsubsql
