#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tools/bench/stream_socket.hpp"

namespace bench {

/// Statements in the bytes they are sent as, made before the clock runs.
class script {
 public:
  void add(std::string_view statement);
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  [[nodiscard]] std::uint32_t statements() const { return statements_; }

 private:
  std::string bytes_;
  std::uint32_t statements_ = 0;
};

/// A connection to a server on this machine that costs as little as it can: bytes go out as they are, and of what comes
/// in only the headers are read. Everything throws std::runtime_error; an error of the server does, too.
class framed_client {
 public:
  explicit framed_client(std::uint16_t port) : socket_(port) {}

  /// Sends the script without waiting in between, and waits for the reply to its last statement. All others are to be
  /// `stream` statements.
  void run(const script& s);

  /// Runs one statement and waits for its reply.
  void ask(std::string_view statement);

 private:
  void send(std::string_view bytes);
  void receive_until(std::uint32_t request_id);
  void receive();
  /// Takes messages off the input; returns the request id of the last whole one, or 0.
  std::uint32_t take_messages();

  stream_socket socket_;
  std::string input_;
  std::uint32_t last_reply_ = 0;
};

}  // namespace bench
