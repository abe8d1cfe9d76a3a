#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/request_reader.hpp"
#include "server/reply_encoder.hpp"

namespace pubsubsql::server {

/// Buffers that a worker's connections fill and empty in turn, so that those without output hold none.
class buffer_pool {
 public:
  [[nodiscard]] std::string take();
  /// Takes a buffer back, or frees it when it is large or there are enough.
  void give_back(std::string buffer);

 private:
  std::vector<std::string> free_;
  std::size_t free_bytes_ = 0;
};

/// What one connection has to send: one buffer being filled while another is being written.
///
/// Sans-io: the session appends messages, asks for bytes to write, and says how many the socket took. An event that
/// has the subscription, action and columns of the message before it, still unsent and below 100 rows, joins it. Rows
/// that many connections get are not copied: the text of the buffer goes on behind them.
class connection_output {
 public:
  /// The pool must outlive the output.
  explicit connection_output(buffer_pool& pool) : pool_(pool) {}
  ~connection_output() { release(); }
  connection_output(const connection_output&) = delete;
  connection_output& operator=(const connection_output&) = delete;

  /// The buffer to append replies to, whole messages only. Valid until the next call.
  [[nodiscard]] std::string& replies();

  /// Appends a whole reply.
  void append_reply(std::string reply);

  /// Appends an event for one subscription. `position`: what its message says that it leads to; 0: nothing. All of a
  /// subscription say one, or none does.
  void append_event(parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid, std::uint64_t position = 0);

  /// Sets the first of the pieces to the bytes to write next, one behind the other, and returns how many it has set: 0
  /// when there is nothing to write. They are valid until sent() or release().
  [[nodiscard]] std::size_t to_write(std::span<std::string_view> pieces);

  /// The socket took that many of the bytes. REQUIRES: at most what to_write() gave.
  void sent(std::size_t bytes);

  /// It is that time now (microseconds since 1970): what waits and was not timed before has waited since. To be told at
  /// the end of each turn that leaves something behind.
  void note_time(std::int64_t now_us);
  /// Since when the oldest of what waits has been waiting, as far as it was noted; 0: nothing has.
  [[nodiscard]] std::int64_t waits_since_us() const {
    return writing_since_us_ != 0 ? writing_since_us_ : filling_since_us_;
  }

  [[nodiscard]] bool empty() const { return filling_.size() == 0 && written_.bytes == writing_.size(); }

  /// Bytes not sent yet; those of events among them, at most.
  [[nodiscard]] std::size_t unsent_bytes() const { return filling_.size() + writing_.size() - written_.bytes; }
  [[nodiscard]] std::size_t unsent_event_bytes() const {
    return filling_.event_bytes + std::min(writing_.event_bytes, writing_.size() - written_.bytes);
  }

  /// Forgets everything.
  void release();

 private:
  /// Rows to be written once so many bytes of the buffer's own text have been.
  struct shared_rows {
    std::size_t place = 0;
    std::shared_ptr<const std::string> text;
  };
  struct buffer {
    std::string text;
    std::vector<shared_rows> shared;  // by place
    std::size_t shared_bytes = 0;
    std::size_t event_bytes = 0;

    [[nodiscard]] std::size_t size() const { return text.size() + shared_bytes; }
  };
  /// How far a buffer is written.
  struct position {
    std::size_t bytes = 0;   // of all
    std::size_t text = 0;    // of those, from the text
    std::size_t shared = 0;  // how many of the shared rows
    std::size_t rows = 0;    // bytes of the one behind them
  };

  [[nodiscard]] bool joins_last(const encoded_event& e, std::uint64_t pubsubid) const;
  void join_last(const encoded_event& e, std::uint64_t position);
  void append_shared(parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid, std::uint64_t position);
  /// The last message gets no more rows: says in it how many there are.
  void end_last();
  void free(buffer& b);

  /// The event message at the end of filling_, if it may still grow.
  struct last_event {
    std::size_t start = 0;    // of the message, behind its frame's header
    std::size_t counts = 0;   // of the part that counts its rows
    std::size_t counted = 0;  // how many it says there are
    std::size_t rows = 0;     // how many there are; 0: there is no such message
    std::uint64_t pubsubid = 0;
    std::uint64_t position = 0;  // that it says
    parser::wire_mode mode{};
  };

  buffer_pool& pool_;
  buffer filling_;
  buffer writing_;
  position written_;  // of writing_
  last_event last_;
  std::int64_t filling_since_us_ = 0;
  std::int64_t writing_since_us_ = 0;
};

}  // namespace pubsubsql::server
