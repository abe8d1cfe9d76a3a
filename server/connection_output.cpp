#include "server/connection_output.hpp"

#include "parser/frame.hpp"
#include "server/json.hpp"
#include "server/message_writer.hpp"

namespace pubsubsql::server {

namespace {

/// A pool keeps so many buffers of so many bytes at most: 4 MiB a worker.
constexpr std::size_t pooled_buffers_max = 64;
constexpr std::size_t pooled_bytes_max = 64U << 10;

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
  if (free_.empty()) return {};
  std::string buffer = std::move(free_.back());
  free_.pop_back();
  return buffer;
}

void buffer_pool::give_back(std::string buffer) {
  if (buffer.capacity() > pooled_bytes_max || free_.size() >= pooled_buffers_max) return;
  buffer.clear();
  free_.push_back(std::move(buffer));
}

std::string& connection_output::replies() {
  last_.rows = 0;
  if (filling_.empty() && filling_.capacity() <= std::string().capacity()) filling_ = pool_.take();
  return filling_;
}

bool connection_output::joins_last(const encoded_event& e, std::uint64_t pubsubid) {
  if (last_.rows == 0 || last_.rows >= rows_per_message) return false;
  std::string_view shape = std::string_view(filling_).substr(last_.start, last_.counts - last_.start);
  if (!shape.starts_with(e.head) || !shape.ends_with(e.columns)) return false;
  shape.remove_prefix(e.head.size());
  std::string id;  // short enough to need no memory
  append_number(id, pubsubid);
  return shape.size() == id.size() + e.columns.size() && shape.starts_with(id);
}

void connection_output::join_last(parser::wire_mode mode, const encoded_event& e) {
  const std::size_t rows = last_.rows + 1;
  filling_.resize(filling_.size() - (mode == parser::wire_mode::framed ? 2 : 3));  // ]} and the newline
  filling_ += ',';
  filling_ += e.row;
  filling_ += "]}";
  std::string before;
  std::string after;
  append_row_counts(before, last_.rows, 1, last_.rows);
  append_row_counts(after, rows, 1, rows);
  filling_.replace(last_.counts, before.size(), after);
  if (mode == parser::wire_mode::framed) {
    message_writer::write_header(filling_, last_.start - header_bytes(mode), 0);
  } else {
    filling_ += '\n';
  }
  last_.rows = rows;
}

void connection_output::append_event(parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid) {
  const std::size_t before = filling_.size();
  if (joins_last(e, pubsubid)) {
    join_last(mode, e);
  } else {
    std::string& out = replies();
    const std::size_t start = out.size() + header_bytes(mode);
    server::append_event(out, mode, e, pubsubid);
    last_ = {.start = start, .counts = start + e.head.size() + digits_of(pubsubid) + e.columns.size(), .rows = 1};
  }
  filling_events_ += filling_.size() - before;
}

std::string_view connection_output::to_write() {
  if (written_ == writing_.size()) {
    pool_.give_back(std::move(writing_));
    writing_ = std::move(filling_);
    filling_ = {};
    written_ = 0;
    writing_events_ = filling_events_;
    filling_events_ = 0;
    last_.rows = 0;
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
  written_ = filling_events_ = writing_events_ = last_.rows = 0;
}

}  // namespace pubsubsql::server
