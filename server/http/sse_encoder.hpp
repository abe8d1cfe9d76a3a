#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parser/frame.hpp"

namespace pubsubsql::server::http {

/// Writes a session's messages as Server-Sent Events: the action is the name, the message the data. The id is the
/// position that the message leads to, where messages say it and a client may go on there; else the stream's name and
/// the event's number in it. Sans-io: the sink of a frame_feed.
class sse_encoder {
 public:
  /// `out` outlives the encoder.
  explicit sse_encoder(std::string& out) : out_(out) {}

  /// Names the stream, for the ids of what comes from here on.
  void name_stream(std::string_view name) { stream_ = name; }

  /// How the one subscription of the stream tells positions.
  struct positions {
    bool has_asked = false;        ///< the client has: it sees all that messages say of them
    bool begins_complete = false;  ///< there are no first rows to come, unless the reply says `resync`
    bool skips = false;            ///< there never are
  };
  /// From here on ids are positions: once the client has all of the first rows, and not while it has lost events. Then
  /// the id is empty, so that it begins anew.
  void tell_positions(const positions& p) { positions_ = p; }

  void begin(parser::frame_header header);
  void payload(std::string_view piece);
  void end();

  /// Whether no message is under way.
  [[nodiscard]] bool is_between() const { return is_between_; }

 private:
  [[nodiscard]] std::size_t held_max() const;
  void write_start();
  void write_id();

  std::string& out_;
  std::string stream_;
  std::optional<positions> positions_;
  bool is_complete_ = false;  // the client knows all rows
  std::string held_;          // of the message under way: what has not been written, as it has to be read first
  std::string action_;
  bool started_ = false;
  bool is_between_ = true;
  std::uint64_t count_ = 0;
};

/// The text of the member `name`, which must be near the beginning, of a message; empty when it has none.
[[nodiscard]] std::string_view text_member(std::string_view message, std::string_view name);

/// Where the members that tell of positions begin at the end of a message, and the position; nothing: there are none.
struct position_members {
  std::size_t at = 0;
  std::string_view position;
  bool ends_snapshot = false;
  bool resyncs = false;
};
[[nodiscard]] std::optional<position_members> find_position(std::string_view message);

}  // namespace pubsubsql::server::http
