#include "parser/request_reader.hpp"

#include <algorithm>
#include <utility>

#include "parser/frame.hpp"
#include "parser/parser.hpp"

namespace pubsubsql::parser {

namespace {

wire_mode mode_of(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte == '\t' || byte == '\n' || byte == '\r' || (byte >= ' ' && byte <= '~')) return wire_mode::text;
  return byte <= statement_bytes_limit >> 24U ? wire_mode::framed : wire_mode::unknown;
}

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

void request_reader::feed(std::string_view bytes) {
  if (held_.empty()) {
    input_ = bytes;
  } else {
    held_.append(bytes);
    input_ = held_;
  }
}

void request_reader::park() {
  if (input_.empty()) {
    held_ = {};
  } else if (held_.empty()) {
    held_ = input_;
  } else {
    held_.erase(0, held_.size() - input_.size());
  }
  input_ = held_;
}

void request_reader::discard() {
  if (discarding_ || held_.empty()) return;
  if (mode_ == wire_mode::framed) {
    if (held_.size() < frame_header_bytes) return;
    const frame_header header = decode_frame_header(held_);
    discarded_id_ = header.request_id;
    discarded_left_ = frame_header_bytes + header.payload_bytes - held_.size();
  }
  discarding_ = true;
  held_ = {};
  input_ = {};
  scanned_ = 0;
}

/// Returns whether all of it has come.
bool request_reader::skip_discarded() {
  if (mode_ == wire_mode::text) {
    const std::size_t end = input_.find('\n');
    input_.remove_prefix(end == std::string_view::npos ? input_.size() : end + 1);
    return end != std::string_view::npos;
  }
  const std::size_t skipped = std::min(discarded_left_, input_.size());
  input_.remove_prefix(skipped);
  discarded_left_ -= skipped;
  return discarded_left_ == 0;
}

request_reader::outcome request_reader::next(request& out) {
  out = {};
  if (discarding_) [[unlikely]] {
    if (!skip_discarded()) return outcome::need_more;
    discarding_ = false;
    out.id = std::exchange(discarded_id_, 0);
    return outcome::discarded;
  }
  if (input_.empty()) return outcome::need_more;
  if (mode_ == wire_mode::unknown) mode_ = mode_of(input_.front());
  if (mode_ == wire_mode::unknown) return outcome::bad_start;
  return mode_ == wire_mode::framed ? next_frame(out) : next_line(out);
}

request_reader::outcome request_reader::next_frame(request& out) {
  if (input_.size() < frame_header_bytes) return outcome::need_more;
  const frame_header header = decode_frame_header(input_);
  out.id = header.request_id;
  if (header.payload_bytes > statement_bytes_max_) return outcome::too_large;
  const std::size_t whole = frame_header_bytes + header.payload_bytes;
  if (input_.size() < whole) return outcome::need_more;
  out.text = input_.substr(frame_header_bytes, header.payload_bytes);
  input_.remove_prefix(whole);
  return outcome::ready;
}

std::size_t request_reader::peek(std::span<std::string_view> out) const {
  if (mode_ != wire_mode::framed || discarding_) return 0;
  std::string_view left = input_;
  std::size_t count = 0;
  while (count < out.size() && left.size() >= frame_header_bytes) {
    const std::size_t bytes = decode_frame_header(left).payload_bytes;
    if (bytes > statement_bytes_max_ || left.size() - frame_header_bytes < bytes) break;
    out[count++] = left.substr(frame_header_bytes, bytes);
    left.remove_prefix(frame_header_bytes + bytes);
  }
  return count;
}

request_reader::outcome request_reader::next_line(request& out) {
  for (;;) {
    const std::size_t end = input_.find('\n', scanned_);
    if (end == std::string_view::npos) {
      scanned_ = input_.size();
      return without_cr(input_).size() > statement_bytes_max_ ? outcome::too_large : outcome::need_more;
    }
    const std::string_view line = without_cr(input_.substr(0, end));
    if (line.size() > statement_bytes_max_) return outcome::too_large;
    input_.remove_prefix(end + 1);
    scanned_ = 0;
    if (is_blank(line)) continue;
    out.text = line;
    return outcome::ready;
  }
}

request_reader::outcome request_reader::last(request& out) {
  out = {};
  if (mode_ != wire_mode::text) return outcome::need_more;
  if (std::exchange(discarding_, false)) return outcome::discarded;
  if (input_.empty()) return outcome::need_more;
  const std::string_view line = without_cr(input_);
  input_ = {};
  scanned_ = 0;
  if (is_blank(line)) return outcome::need_more;
  out.text = line;
  return outcome::ready;
}

}  // namespace pubsubsql::parser
