#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parser/frame.hpp"

namespace pubsubsql::server::http {

/// Follows a stream of frames that is cut anywhere. Sans-io.
class frame_feed {
 public:
  /// Calls, in the order of the bytes: sink.begin(parser::frame_header) for each frame, sink.payload(std::string_view)
  /// for each piece of what is in it, and sink.end().
  template <typename Sink>
  void feed(std::string_view bytes, Sink& sink) {
    while (!bytes.empty()) {
      if (header_bytes_ < header_.size() && !take_header(bytes, sink)) return;
      const std::string_view piece = bytes.substr(0, left_);
      if (!piece.empty()) sink.payload(piece);
      bytes.remove_prefix(piece.size());
      left_ -= static_cast<std::uint32_t>(piece.size());
      if (left_ > 0) return;
      header_bytes_ = 0;
      sink.end();
    }
  }

 private:
  /// Whether it is there in full.
  template <typename Sink>
  bool take_header(std::string_view& bytes, Sink& sink) {
    const std::size_t taken = std::min(bytes.size(), header_.size() - header_bytes_);
    std::copy_n(bytes.data(), taken, header_.data() + header_bytes_);
    bytes.remove_prefix(taken);
    header_bytes_ += taken;
    if (header_bytes_ < header_.size()) return false;
    const parser::frame_header header = parser::decode_frame_header({header_.data(), header_.size()});
    left_ = header.payload_bytes;
    sink.begin(header);
    return true;
  }

  std::array<char, parser::frame_header_bytes> header_{};
  std::size_t header_bytes_ = 0;  // of the frame under way
  std::uint32_t left_ = 0;        // of its payload
};

}  // namespace pubsubsql::server::http
