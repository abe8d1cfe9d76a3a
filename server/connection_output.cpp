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
  if (filling_.capacity() < first_buffer_bytes) filling_ = pool_.take();
  return filling_;
}

bool connection_output::joins_last(const encoded_event& e, std::uint64_t pubsubid) const {
  if (last_.rows == 0 || last_.rows >= rows_per_message || last_.pubsubid != pubsubid) return false;
  const std::string_view shape = std::string_view(filling_).substr(last_.start, last_.counts - last_.start);
  return shape.size() == e.head.size() + digits_of(pubsubid) + e.columns.size() && shape.starts_with(e.head) &&
         shape.ends_with(e.columns);
}

void connection_output::join_last(const encoded_event& e) {
  const std::string_view end = last_.mode == parser::wire_mode::framed ? "]}" : "]}\n";
  filling_.resize(filling_.size() - end.size());
  filling_ += ',';
  filling_ += e.row;
  filling_ += end;
  ++last_.rows;
}

void connection_output::end_last() {
  const last_event last = std::exchange(last_, {});
  if (last.rows <= 1) return;
  std::string counted_one;
  std::string counted_all;
  append_row_counts(counted_one, 1, 1, 1);
  append_row_counts(counted_all, last.rows, 1, last.rows);
  filling_.replace(last.counts, counted_one.size(), counted_all);
  filling_events_ += counted_all.size() - counted_one.size();
  if (last.mode == parser::wire_mode::framed) {
    // The last event is always the end of the buffer.
    message_writer::write_header(filling_, last.start - header_bytes(last.mode), 0);
  }
}

void connection_output::append_event(parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid) {
  const std::size_t before = filling_.size();
  if (joins_last(e, pubsubid)) {
    join_last(e);
    filling_events_ += filling_.size() - before;
    return;
  }
  std::string& out = replies();
  const std::size_t begin = out.size();
  const std::size_t start = begin + header_bytes(mode);
  server::append_event(out, mode, e, pubsubid);
  last_ = {.start = start,
           .counts = start + e.head.size() + digits_of(pubsubid) + e.columns.size(),
           .rows = 1,
           .pubsubid = pubsubid,
           .mode = mode};
  filling_events_ += out.size() - begin;
}

std::string_view connection_output::to_write() {
  if (written_ == writing_.size()) {
    end_last();
    pool_.give_back(std::move(writing_));
    writing_ = std::move(filling_);
    filling_ = {};
    written_ = 0;
    writing_events_ = filling_events_;
    filling_events_ = 0;
  }
  return std::string_view(writing_).substr(written_);
}

void connection_output::sent(std::size_t bytes) {
  written_ += bytes;
  if (written_ < writing_.size()) return;
  pool_.give_back(std::move(writing_));
  writing_ = {};
  written_ = 0;
  writing_events_ = 0;
}

void connection_output::release() {
  pool_.give_back(std::move(filling_));
  pool_.give_back(std::move(writing_));
  filling_ = {};
  writing_ = {};
  last_ = {};
  written_ = filling_events_ = writing_events_ = 0;
}

}  // namespace pubsubsql::server
