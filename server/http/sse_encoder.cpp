#include "server/http/sse_encoder.hpp"

#include <algorithm>

namespace pubsubsql::server::http {

namespace {

/// More than `{"status":"ok","action":"subscribe"` and the like take.
constexpr std::size_t start_bytes = 128;
/// More than the members that tell of positions take, and the end of a message.
constexpr std::size_t end_bytes = 64;
/// Of first rows so much is held back, to see whether there are any.
constexpr std::size_t rows_bytes = 16U << 10;

}  // namespace

std::string_view text_member(std::string_view message, std::string_view name) {
  const std::string wanted = "\"" + std::string(name) + "\":\"";
  const std::string_view start = message.substr(0, start_bytes);
  const std::size_t at = start.find(wanted);
  if (at == std::string_view::npos) return {};
  const std::string_view text = start.substr(at + wanted.size());
  return text.substr(0, text.find('"'));
}

/// No value can look like them: its quotes are escaped.
std::optional<position_members> find_position(std::string_view message) {
  constexpr std::string_view member = R"(,"seq":)";
  const std::size_t at = message.rfind(member);
  if (at == std::string_view::npos || message.size() - at > end_bytes) return std::nullopt;
  const std::string_view rest = message.substr(at + member.size());
  return position_members{.at = at,
                          .position = rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size())),
                          .ends_snapshot = rest.ends_with(R"(,"snapshot":"end"})"),
                          .resyncs = rest.ends_with(R"(,"resync":true})")};
}

void sse_encoder::begin(parser::frame_header) {
  held_.clear();
  action_.clear();
  started_ = false;
  is_between_ = false;
}

std::size_t sse_encoder::held_max() const {
  if (!positions_) return start_bytes;
  const bool may_be_empty = !started_ && !positions_->has_asked && text_member(held_, "action") == "add";
  return (may_be_empty ? rows_bytes : start_bytes) + end_bytes;
}

void sse_encoder::payload(std::string_view piece) {
  if (started_ && !positions_) {
    out_ += piece;
    return;
  }
  held_ += piece;
  if (held_.size() < held_max()) return;
  if (!started_) write_start();
  const std::size_t written = held_.size() - (positions_ ? std::min(end_bytes, held_.size()) : 0);
  out_.append(held_, 0, written);
  held_.erase(0, written);
}

void sse_encoder::end() {
  is_between_ = true;
  if (positions_) return write_id();
  if (!started_) write_start();
  out_ += held_;
  out_ += "\n\n";
}

/// A message is one line: line ends in values are escaped.
void sse_encoder::write_start() {
  started_ = true;
  action_ = text_member(held_, "action");
  out_ += "event: ";
  out_ += action_.empty() ? "message" : action_;
  if (!positions_) out_ += "\nid: " + stream_ + "-" + std::to_string(++count_);
  out_ += "\ndata: ";
}

/// Writes the rest of a message, with its position as the id.
void sse_encoder::write_id() {
  const auto found = find_position(held_);
  if (found && found->ends_snapshot) is_complete_ = true;
  const std::string id(found ? found->position : std::string_view());
  if (!started_) {
    // A client that has not asked for positions has not asked for a message without rows either.
    const bool is_empty = held_.find(R"(,"rows":0,)") != std::string::npos;
    const bool is_shown = positions_->has_asked || text_member(held_, "action") != "add" || !is_empty;
    if (!is_shown) {
      if (!id.empty()) out_ += "id: " + id + "\n\n";
      return;
    }
    write_start();
  }
  if (action_ == "subscribe") {
    is_complete_ = positions_->skips || (positions_->begins_complete && found && !found->resyncs);
  }
  const bool has_lost = action_ == "gap" && !positions_->skips;
  if (has_lost) is_complete_ = false;
  if (found && !positions_->has_asked) {
    held_.resize(found->at);
    held_ += '}';
  }
  out_ += held_;
  if (has_lost) out_ += "\nid: ";
  if (is_complete_ && !id.empty()) out_ += "\nid: " + id;
  out_ += "\n\n";
}

}  // namespace pubsubsql::server::http
