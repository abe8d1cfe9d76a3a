#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace pubsubsql::server {

/// Why a connection ends, as WebSocket says it (RFC 6455, 7.4).
enum class close_code : std::uint16_t {
  done = 1000,
  server_stops = 1001,
  unsupported = 1003,
  refused = 1008,
  too_large = 1009,
  try_again_later = 1013,
};

/// What a session talks through when its client came over HTTP: the other end of a request, a WebSocket, or a stream of
/// events, instead of a socket. It carries the framed protocol (parser/frame.hpp): requests come with the id 0, and
/// what the session writes are frames one behind the other, cut anywhere.
///
/// Belongs to the session's worker and is used by its thread only. Shared by the session and the link's own pending
/// operations: it may outlive the session to bring to its client what it has taken.
class web_link {
 public:
  using error_code = boost::system::error_code;
  using wait_handler = std::function<void(const error_code&)>;

  web_link() = default;
  web_link(const web_link&) = delete;
  web_link& operator=(const web_link&) = delete;
  virtual ~web_link() = default;

  [[nodiscard]] virtual boost::asio::ip::tcp::socket::executor_type executor() = 0;

  /// Reads bytes of requests. `problem` is would_block when there are none yet, and eof at the end.
  [[nodiscard]] virtual std::size_t read_some(std::span<char> into, error_code& problem) = 0;
  /// Takes some of the pieces, one behind the other, and returns how many bytes of them. `problem` is would_block when
  /// it takes none for now: what it holds is bounded.
  [[nodiscard]] virtual std::size_t write_some(std::span<const std::string_view> pieces, error_code& problem) = 0;
  /// Whether what was taken is still on its way.
  [[nodiscard]] virtual bool has_unsent() const = 0;

  /// Calls the handler once, never from inside the call, when a read or write is worth another try. One of each kind
  /// may wait at a time. close() drops them without calling.
  virtual void wait_readable(wait_handler handler) = 0;
  virtual void wait_writable(wait_handler handler) = 0;

  /// The session is over, and does not use the link any more. What was taken is still sent, and then the end, as far
  /// as the client lets it within a moment. `why` is a few words for the client.
  virtual void close(close_code code, std::string_view why) = 0;

  /// The client may send statements of any permitted size from now on; before, only little, for it is unknown.
  virtual void admitted() = 0;

  /// How the client talks, for the log: "websocket".
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// What client_socket::description() says of the connection below.
  [[nodiscard]] virtual std::string description() const = 0;
  /// Whether it lasts for a request only, so that its end is not worth a line in the log.
  [[nodiscard]] virtual bool is_momentary() const = 0;
};

}  // namespace pubsubsql::server
