#include "server/http/script_link.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "server/http/wake.hpp"
#include "server/reply_encoder.hpp"

namespace pubsubsql::server::http {

namespace {

constexpr std::string_view error_head = R"({"status":"err")";

status status_of(close_code code) {
  switch (code) {
    case close_code::server_stops:
    case close_code::try_again_later:
      return status::service_unavailable;
    case close_code::too_large:
      return status::payload_too_large;
    case close_code::done:
    case close_code::unsupported:
    case close_code::refused:
      break;
  }
  return status::forbidden;
}

}  // namespace

script_link::script_link(boost::asio::ip::tcp::socket::executor_type executor, script s, std::size_t bytes_max,
                         done_handler done)
    : executor_(std::move(executor)), script_(std::move(s)), bytes_max_(bytes_max), done_(std::move(done)) {
  offer_next();
}

// Input

void script_link::offer_next() {
  given_ = 0;
  statement_ = script_.next();
  if (!statement_) return;
  header_ = parser::encode({.payload_bytes = static_cast<std::uint32_t>(statement_->size()), .request_id = 1});
}

std::size_t script_link::read_some(std::span<char> into, error_code& problem) {
  if (!statement_) {
    problem = boost::asio::error::eof;
    return 0;
  }
  std::size_t bytes = 0;
  std::size_t skipped = 0;
  for (const std::string_view part : {std::string_view(header_.data(), header_.size()), *statement_}) {
    const std::string_view left = part.substr(std::min(given_ - skipped, part.size()));
    const std::size_t more = std::min(into.size() - bytes, left.size());
    std::copy_n(left.data(), more, into.data() + bytes);
    bytes += more;
    skipped += part.size() - left.size();
  }
  given_ += bytes;
  if (bytes == 0) problem = boost::asio::error::would_block;
  return bytes;
}

void script_link::wait_readable(wait_handler handler) {
  readable_ = std::move(handler);
  if (!statement_ || given_ < header_.size() + statement_->size()) wake(shared_from_this(), readable_);
}

// Output

std::size_t script_link::write_some(std::span<const std::string_view> pieces, error_code& problem) {
  std::size_t taken = 0;
  for (const std::string_view piece : pieces) {
    const std::string_view part = piece.substr(0, turn_bytes_max - turn_bytes_);
    feed_.feed(part, *this);
    taken += part.size();
    turn_bytes_ += part.size();
  }
  if (taken == 0) problem = boost::asio::error::would_block;
  return taken;
}

/// It takes all, but lets others have their turn between.
void script_link::wait_writable(wait_handler handler) {
  boost::asio::post(executor_, [self = shared_from_this(), handler = std::move(handler)] {
    self->turn_bytes_ = 0;
    if (!self->closed_) handler({});
  });
}

void script_link::begin(parser::frame_header header) {
  is_result_ = header.request_id != 0;
  has_result_ = false;
}

void script_link::begin_result() {
  if (script_.is_list()) results_.body += results_.body.empty() ? "[" : ",\n";
  result_at_ = results_.body.size();
  has_result_ = true;
}

void script_link::payload(std::string_view piece) {
  if (!is_result_) return;
  if (!has_result_) begin_result();
  results_.body += piece;
}

void script_link::end() {
  if (!is_result_) return;
  failed_ = has_result_ && std::string_view(results_.body).substr(result_at_).starts_with(error_head);
  if (failed_) results_.code = status::bad_request;
  if (!failed_) offer_next();
  if (statement_ && !failed_ && results_.body.size() > bytes_max_) {
    results_.code = status::bad_request;
    failed_ = true;
    add_error("the results together are larger than --max-result-bytes; the statements behind these were not run");
  }
  if (failed_) statement_.reset();
  wake(shared_from_this(), readable_);
}

void script_link::add_error(std::string_view message) {
  begin_result();
  encode_error(results_.body, {.mode = parser::wire_mode::text}, message);
  results_.body.pop_back();  // the end of a line
}

void script_link::close(close_code code, std::string_view why) {
  if (std::exchange(closed_, true)) return;
  readable_ = nullptr;
  if (statement_ && code != close_code::done) {
    results_.code = status_of(code);
    add_error("the session ended before the statement was answered: " + std::string(why));
  }
  if (!results_.body.empty()) results_.body += script_.is_list() ? "]\n" : "\n";
  boost::asio::post(executor_, [self = shared_from_this()] { self->done_(std::move(self->results_)); });
}

}  // namespace pubsubsql::server::http
