#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "parser/frame.hpp"
#include "parser/request_reader.hpp"
#include "storage/shown_bytes.hpp"

namespace pubsubsql::server {

using storage::rows_per_message;

/// Puts one message around what is appended to `out` between begin and end: a frame's header before it in framed mode;
/// in text mode a newline behind it, and the number of the request, if it has one, as its first member.
class message_writer {
 public:
  message_writer(std::string& out, parser::wire_mode mode, std::uint32_t request_id)
      : out_(out), start_(out.size()), mode_(mode), request_id_(request_id) {
    if (mode_ == parser::wire_mode::framed) out_.append(parser::frame_header_bytes, '\0');
  }

  void end() {
    if (mode_ == parser::wire_mode::framed) {
      write_header(out_, start_, request_id_);
      return;
    }
    if (request_id_ != 0) out_.insert(start_ + 1, "\"requestid\":" + std::to_string(request_id_) + ",");
    out_ += '\n';
  }

  /// Writes the header of the frame that starts at `start` and ends with the string.
  static void write_header(std::string& out, std::size_t start, std::uint32_t request_id) {
    const auto payload = static_cast<std::uint32_t>(out.size() - start - parser::frame_header_bytes);
    const auto header = parser::encode({.payload_bytes = payload, .request_id = request_id});
    std::memcpy(out.data() + start, header.data(), header.size());
  }

 private:
  std::string& out_;
  std::size_t start_;
  parser::wire_mode mode_;
  std::uint32_t request_id_;
};

}  // namespace pubsubsql::server
