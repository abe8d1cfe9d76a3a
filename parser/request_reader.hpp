#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pubsubsql::parser {

/// The largest value `--max-statement-bytes` may have. The first byte of a frame is the top byte of its size; keeping
/// sizes below 0x09000000 leaves every byte from TAB (0x09) upward free to announce something else: text, or TLS.
inline constexpr std::uint32_t statement_bytes_limit = 0x09000000 - 1;

/// How a client talks, told by its first byte: a frame's size, or a printable character, TAB, CR or LF.
enum class wire_mode : std::uint8_t { unknown, framed, text };

/// One statement as it came in. `text` is valid until the next call on the reader.
struct request {
  std::uint32_t id = 0;  ///< the client's number; 0 in text mode
  std::string_view text;
};

/// Cuts a client's byte stream into statements, whatever pieces it arrives in. Sans-io: bytes go in, statements come
/// out, in both modes. Lives in a session, used by one thread.
///
///     reader.feed(bytes);
///     while (reader.next(request) == request_reader::outcome::ready) execute(request);
///     reader.park();     // before `bytes` goes away
///
/// Whole statements are views into the fed bytes; only an incomplete rest is copied, so that an idle connection holds
/// no buffer. Invariant: what is held never exceeds the statement limit plus one feed.
class request_reader {
 public:
  enum class outcome : std::uint8_t {
    ready,      ///< a statement was taken
    need_more,  ///< nothing whole is left
    too_large,  ///< a statement above the limit was announced or begun; request.id is set if it could be read.
                ///< The stream cannot be followed any further: the connection must be closed
    bad_start,  ///< the first byte is neither a frame's, nor text: the connection must be closed
    discarded,  ///< a statement that discard() has let go is over; request.id is set, its text is not there
  };

  /// `mode`: how the client talks; unknown: its first byte says. REQUIRES: 1 <= statement_bytes_max <=
  /// statement_bytes_limit.
  explicit request_reader(std::uint32_t statement_bytes_max, wire_mode mode = wire_mode::unknown)
      : statement_bytes_max_(statement_bytes_max), mode_(mode) {}

  [[nodiscard]] wire_mode mode() const { return mode_; }

  /// Gives the reader more input. REQUIRES: park() was called since the last feed().
  void feed(std::string_view bytes);

  /// Takes the next statement. In text mode a line without its LF (and CR before it); blank lines are skipped.
  [[nodiscard]] outcome next(request& out);

  /// The texts of the frames that next() will take, as many of the whole ones as fit; returns how many. Text mode: 0.
  [[nodiscard]] std::size_t peek(std::span<std::string_view> out) const;

  /// Text mode at the end of the stream: the rest without a LF is a statement too. Framed: need_more.
  [[nodiscard]] outcome last(request& out);

  /// Copies what was not consumed, so that the fed bytes may go away. Frees the copy when nothing is left.
  void park();

  /// Lets go what is held of an incomplete statement; what is still to come of it is skipped. Does nothing where not
  /// even its frame's header has come. REQUIRES: next() has said need_more, and park() was called since.
  void discard();

  /// Bytes held back for the rest of an incomplete statement.
  [[nodiscard]] std::size_t held_bytes() const { return held_.size(); }

 private:
  [[nodiscard]] outcome next_frame(request& out);
  [[nodiscard]] outcome next_line(request& out);
  [[nodiscard]] bool skip_discarded();

  std::uint32_t statement_bytes_max_;
  wire_mode mode_;
  std::string_view input_;   // not consumed yet: a view of the fed bytes, or of held_
  std::string held_;         // an incomplete statement between two feeds
  std::size_t scanned_ = 0;  // text mode: bytes of input_ known to hold no LF
  bool discarding_ = false;  // the rest of a statement is skipped
  std::uint32_t discarded_id_ = 0;
  std::size_t discarded_left_ = 0;  // framed: bytes of it that are still to come
};

}  // namespace pubsubsql::parser
