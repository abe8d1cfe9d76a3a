#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parser/frame.hpp"

namespace pubsubsql::server::http {

/// Writes a session's messages as Server-Sent Events: the action is the name, the message the data, and the id is the
/// stream's name and the event's number in it. Sans-io: the sink of a frame_feed.
class sse_encoder {
 public:
  /// `out` outlives the encoder.
  explicit sse_encoder(std::string& out) : out_(out) {}

  /// Names the stream, for the ids of what comes from here on.
  void name_stream(std::string_view name) { stream_ = name; }

  void begin(parser::frame_header header);
  void payload(std::string_view piece);
  void end();

  /// Whether no message is under way.
  [[nodiscard]] bool is_between() const { return is_between_; }

 private:
  void write_start();

  std::string& out_;
  std::string stream_;
  std::string start_;  // of the message under way, until the action can be read from it
  bool started_ = false;
  bool is_between_ = true;
  std::uint64_t count_ = 0;
};

/// The text of the member `name`, which must be near the beginning, of a message; empty when it has none.
[[nodiscard]] std::string_view text_member(std::string_view message, std::string_view name);

}  // namespace pubsubsql::server::http
