#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

/// What one connection has to send: one buffer being filled while another is being written, both contiguous.
///
/// Sans-io: the session appends messages, asks for bytes to write, and says how many the socket took. An event that
/// has the subscription, action and columns of the message before it, still unsent and below 100 rows, joins it.
class connection_output {
 public:
  /// The pool must outlive the output.
  explicit connection_output(buffer_pool& pool) : pool_(pool) {}
  ~connection_output() { release(); }
  connection_output(const connection_output&) = delete;
  connection_output& operator=(const connection_output&) = delete;

  /// The buffer to append replies to, whole messages only. Valid until the next call.
  [[nodiscard]] std::string& replies();

  /// Appends an event for one subscription.
  void append_event(parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid);

  /// The bytes to write next; empty when there are none. Valid until sent() or release().
  [[nodiscard]] std::string_view to_write();

  /// The socket took that many of the bytes. REQUIRES: at most to_write().size().
  void sent(std::size_t bytes);

  [[nodiscard]] bool empty() const { return filling_.empty() && written_ == writing_.size(); }

  /// Bytes not sent yet; those of events among them, at most.
  [[nodiscard]] std::size_t unsent_bytes() const { return filling_.size() + writing_.size() - written_; }
  [[nodiscard]] std::size_t unsent_event_bytes() const {
    return filling_events_ + std::min(writing_events_, writing_.size() - written_);
  }

  /// Forgets everything.
  void release();

 private:
  [[nodiscard]] bool joins_last(const encoded_event& e, std::uint64_t pubsubid) const;
  void join_last(const encoded_event& e);
  /// The last message gets no more rows: says in it how many there are.
  void end_last();

  /// The event message at the end of filling_, if it may still grow. It says one row until it is ended.
  struct last_event {
    std::size_t start = 0;   // of the message, behind its frame's header
    std::size_t counts = 0;  // of the part that counts its rows
    std::size_t rows = 0;    // 0: there is none
    std::uint64_t pubsubid = 0;
    parser::wire_mode mode{};
  };

  buffer_pool& pool_;
  std::string filling_;
  std::string writing_;
  std::size_t written_ = 0;
  std::size_t filling_events_ = 0;
  std::size_t writing_events_ = 0;
  last_event last_;
};

}  // namespace pubsubsql::server
