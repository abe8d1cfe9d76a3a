#include "server/http/sse_encoder.hpp"

namespace pubsubsql::server::http {

namespace {

/// More than `{"status":"ok","action":"subscribe"` and the like take.
constexpr std::size_t start_bytes = 128;

}  // namespace

std::string_view text_member(std::string_view message, std::string_view name) {
  const std::string wanted = "\"" + std::string(name) + "\":\"";
  const std::string_view start = message.substr(0, start_bytes);
  const std::size_t at = start.find(wanted);
  if (at == std::string_view::npos) return {};
  const std::string_view text = start.substr(at + wanted.size());
  return text.substr(0, text.find('"'));
}

void sse_encoder::begin(parser::frame_header) {
  start_.clear();
  started_ = false;
  is_between_ = false;
}

void sse_encoder::payload(std::string_view piece) {
  if (started_) {
    out_ += piece;
    return;
  }
  start_ += piece;
  if (start_.size() >= start_bytes) write_start();
}

void sse_encoder::end() {
  if (!started_) write_start();
  out_ += "\n\n";
  is_between_ = true;
}

/// A message is one line: line ends in values are escaped.
void sse_encoder::write_start() {
  started_ = true;
  const std::string_view action = text_member(start_, "action");
  out_ += "event: ";
  out_ += action.empty() ? "message" : action;
  out_ += "\nid: " + stream_ + "-" + std::to_string(++count_) + "\ndata: ";
  out_ += start_;
}

}  // namespace pubsubsql::server::http
