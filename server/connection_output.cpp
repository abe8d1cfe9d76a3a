#include "server/connection_output.hpp"

#include <utility>

#include "parser/frame.hpp"
#include "server/json.hpp"
#include "server/message_writer.hpp"

namespace pubsubsql::server {

namespace {

/// Larger buffers are freed; of the others a worker keeps as many as these bytes hold.
constexpr std::size_t pooled_buffer_bytes_max = 64U << 10;
constexpr std::size_t pooled_bytes_max = 8U << 20;
/// A new buffer has room for an event or a few replies.
constexpr std::size_t first_buffer_bytes = 512;

std::size_t digits_of(std::uint64_t number) {
  std::size_t digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

std::size_t header_bytes(parser::wire_mode mode) {
  return mode == parser::wire_mode::framed ? parser::frame_header_bytes : 0;
}

}  // namespace

std::string buffer_pool::take() {
  std::string buffer;
  if (free_.empty()) {
    buffer.reserve(first_buffer_bytes);
    return buffer;
  }
  buffer = std::move(free_.back());
  free_.pop_back();
  free_bytes_ -= buffer.capacity();
  return buffer;
}

void buffer_pool::give_back(std::string buffer) {
  const std::size_t bytes = buffer.capacity();
  if (bytes < first_buffer_bytes || bytes > pooled_buffer_bytes_max || free_bytes_ + bytes > pooled_bytes_max) return;
  buffer.clear();
  free_.push_back(std::move(buffer));
  free_bytes_ += bytes;
}

std::string& connection_output::replies() {
  end_last();
  if (filling_.text.capacity() < first_buffer_bytes) filling_.text = pool_.take();
  return filling_.text;
}

bool connection_output::joins_last(const encoded_event& e, std::uint64_t pubsubid) const {
  if (last_.rows == 0 || last_.rows + e.count > rows_per_message || last_.pubsubid != pubsubid) return false;
  const std::string_view shape = std::string_view(filling_.text).substr(last_.start, last_.counts - last_.start);
  return shape.size() == e.head.size() + digits_of(pubsubid) + e.columns.size() && shape.starts_with(e.head) &&
         shape.ends_with(e.columns);
}

void connection_output::join_last(const encoded_event& e, std::uint64_t seq) {
  std::string& out = filling_.text;
  const std::size_t before = out.size();
  out.resize(before - event_end_bytes(last_.mode, last_.position));
  out += ',';
  out += e.rows;
  append_event_end(out, last_.mode, seq);
  filling_.event_bytes += out.size() - before;
  last_.rows += e.count;
  last_.position = seq;
}

void connection_output::end_last() {
  const last_event last = std::exchange(last_, {});
  if (last.rows == last.counted) return;
  std::string counted;
  std::string all;
  append_row_counts(counted, last.counted, 1, last.counted);
  append_row_counts(all, last.rows, 1, last.rows);
  filling_.text.replace(last.counts, counted.size(), all);
  filling_.event_bytes += all.size() - counted.size();
  if (last.mode == parser::wire_mode::framed) {
    // The last event is always the end of the buffer.
    message_writer::write_header(filling_.text, last.start - header_bytes(last.mode), 0);
  }
}

void connection_output::append_reply(std::string reply) {
  std::string& out = replies();
  if (out.empty() && reply.size() > pooled_buffer_bytes_max) {
    pool_.give_back(std::exchange(out, std::move(reply)));
  } else {
    out += reply;
  }
}

void connection_output::append_event(parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid,
                                     std::uint64_t seq) {
  if (e.shared) return append_shared(mode, e, pubsubid, seq);
  if (joins_last(e, pubsubid)) return join_last(e, seq);
  std::string& out = replies();
  const std::size_t begin = out.size();
  const std::size_t start = begin + header_bytes(mode);
  pubsubsql::server::append_event(out, mode, e, pubsubid, seq);
  last_ = {.start = start,
           .counts = start + e.head.size() + digits_of(pubsubid) + e.columns.size(),
           .counted = e.count,
           .rows = e.count,
           .pubsubid = pubsubid,
           .position = seq,
           .mode = mode};
  filling_.event_bytes += out.size() - begin;
}

void connection_output::append_shared(parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid,
                                      std::uint64_t seq) {
  std::string& out = replies();
  const std::size_t begin = out.size();
  append_event_start(out, mode, e, pubsubid, seq);
  filling_.shared.push_back({.place = out.size(), .text = e.shared});
  append_event_end(out, mode, seq);
  filling_.shared_bytes += e.shared->size();
  filling_.event_bytes += out.size() - begin + e.shared->size();
}

std::size_t connection_output::to_write(std::span<std::string_view> pieces) {
  if (written_.bytes == writing_.size()) {
    end_last();
    // What was written is free already.
    writing_.text.swap(filling_.text);
    writing_.shared.swap(filling_.shared);
    writing_.shared_bytes = std::exchange(filling_.shared_bytes, 0);
    writing_.event_bytes = std::exchange(filling_.event_bytes, 0);
    writing_since_us_ = std::exchange(filling_since_us_, 0);
    written_ = {};
  }
  const std::string_view text = writing_.text;
  position at = written_;
  std::size_t count = 0;
  while (count < pieces.size()) {
    const bool more = at.shared < writing_.shared.size();
    const std::size_t until = more ? writing_.shared[at.shared].place : text.size();
    if (at.text < until) {
      pieces[count++] = text.substr(at.text, until - at.text);
      at.text = until;
    } else if (more) {
      pieces[count++] = std::string_view(*writing_.shared[at.shared].text).substr(at.rows);
      ++at.shared;
      at.rows = 0;
    } else {
      break;
    }
  }
  return count;
}

void connection_output::sent(std::size_t bytes) {
  written_.bytes += bytes;
  if (written_.bytes == writing_.size()) {
    free(writing_);
    written_ = {};
    writing_since_us_ = 0;
    return;
  }
  for (; written_.shared < writing_.shared.size(); ++written_.shared) {
    shared_rows& next = writing_.shared[written_.shared];
    const std::size_t before = std::min(bytes, next.place - written_.text);
    written_.text += before;
    bytes -= before;
    const std::size_t rows = std::min(bytes, next.text->size() - written_.rows);
    written_.rows += rows;
    bytes -= rows;
    if (written_.rows < next.text->size()) return;
    next.text.reset();
    written_.rows = 0;
  }
  written_.text += bytes;
}

void connection_output::note_time(std::int64_t now_us) {
  if (written_.bytes < writing_.size() && writing_since_us_ == 0) writing_since_us_ = now_us;
  if (filling_.size() > 0 && filling_since_us_ == 0) filling_since_us_ = now_us;
}

void connection_output::free(buffer& b) {
  pool_.give_back(std::move(b.text));
  b.text = {};
  if (!b.shared.empty()) b.shared = {};
  b.shared_bytes = b.event_bytes = 0;
}

void connection_output::release() {
  free(filling_);
  free(writing_);
  last_ = {};
  written_ = {};
  filling_since_us_ = writing_since_us_ = 0;
}

}  // namespace pubsubsql::server
