#include "server/http/websocket_link.hpp"

#include <algorithm>
#include <utility>

#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <spdlog/spdlog.h>

#include "parser/frame.hpp"
#include "server/http/connection.hpp"
#include "server/http/wake.hpp"
#include "server/json.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server::http {

namespace {

namespace websocket = boost::beast::websocket;
using boost::asio::error::would_block;
using boost::system::error_code;
using parser::frame_header_bytes;

/// What a client may send before it is known: to say who it is takes no more.
constexpr std::size_t unadmitted_bytes_max = 16U << 10;
/// Of the session's output, what is taken at a time.
constexpr std::size_t piece_bytes_max = 64U << 10;
/// A message's buffer at first, which an idle connection holds; and as it grows, at a time.
constexpr std::size_t first_message_bytes = 256;
constexpr std::size_t growth_bytes_max = 1U << 20;
/// Larger messages are not read to their end while the memory is used up.
constexpr std::size_t input_bytes_without_memory = 64U << 10;
/// How long a client may take for the end of the conversation.
constexpr std::chrono::seconds close_time{2};
/// How long it may take for the answer to the upgrade.
constexpr std::chrono::seconds accept_time{10};
/// What a close frame has room for.
constexpr std::size_t reason_bytes_max = 123;

/// Little memory for each connection that is compressed, some 40 KiB, at the price of a weaker compression.
websocket::permessage_deflate deflate_options() {
  websocket::permessage_deflate o;
  o.server_enable = true;
  o.server_max_window_bits = 12;
  o.client_max_window_bits = 12;
  o.memLevel = 4;
  o.compLevel = 3;
  return o;
}

}  // namespace

void serve_websocket(connection& c) {
  const auto& o = c.home().shared().settings;
  if (!websocket::is_upgrade(c.current())) {
    response r = make_error(status::upgrade_required, "this path is for WebSocket; connect to it with ws: or wss:");
    r.set(field::upgrade, "websocket");
    return c.respond(std::move(r));
  }
  worker& home = c.home();
  session_identity who = std::move(c.identity);
  auto [bytes, counted] = c.take_over();
  const auto link = std::make_shared<websocket_link>(
      std::move(bytes), std::move(counted),
      websocket_link::settings{.message_bytes_max = o.statement_bytes_max,
                               .keep_alive = std::chrono::seconds(o.tcp_keepalive_seconds),
                               .deflate = o.http_deflate,
                               .memory = home.shared().memory});
  link->accept(c.current(), [link, &home, who = std::move(who), request = c.shared_from_this()] {
    home.welcome(transport(link), counted_connection(link->address()), who);
  });
}

websocket_link::websocket_link(std::shared_ptr<stream> bytes, counted_connection counted, const settings& s)
    : bytes_(std::move(bytes)),
      counted_(std::move(counted)),
      socket_(*bytes_),
      settings_(s),
      timer_(bytes_->get_executor()) {
  if (s.deflate) socket_.set_option(deflate_options());
  socket_.set_option(
      websocket::stream_base::decorator([](websocket::response_type& r) { r.set(field::server, "pubsubsqld"); }));
  socket_.auto_fragment(false);
  socket_.text(true);
  socket_.read_message_max(std::min<std::size_t>(s.message_bytes_max, unadmitted_bytes_max));
}

void websocket_link::accept(const request& r, std::function<void()> opened) {
  timer_.expires_after(accept_time);
  timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled) self->bytes_->close();
  });
  socket_.async_accept(r, [self = shared_from_this(), opened = std::move(opened)](const error_code& problem) {
    self->timer_.cancel();
    if (problem) return self->bytes_->close();
    self->heard_ = self->bytes_->bytes_in();
    self->await_silence();
    opened();
  });
}

void websocket_link::admitted() {
  socket_.read_message_max(settings_.message_bytes_max);
}

// Input

void websocket_link::wait_readable(wait_handler handler) {
  readable_ = std::move(handler);
  if (is_complete_ || ended_) return wake(shared_from_this(), readable_);
  if (!reading_) read();
}

void websocket_link::read() {
  const std::size_t used = frame_header_bytes + filled_;
  if (message_.size() == used || message_.empty()) {
    message_.resize(used + std::clamp(used, first_message_bytes, growth_bytes_max));
  }
  reading_ = true;
  socket_.async_read_some(boost::asio::buffer(message_.data() + used, message_.size() - used),
                          [self = shared_from_this()](const error_code& problem, std::size_t bytes) {
                            self->reading_ = false;
                            self->on_read(problem, bytes);
                          });
}

void websocket_link::on_read(const error_code& problem, std::size_t bytes) {
  if (problem) return end(problem);
  if (closing_) return;
  filled_ += bytes;
  if (!socket_.is_message_done()) {
    if (settings_.memory.exceeded() == 0 || filled_ <= input_bytes_without_memory) return read();
    message_ = {};
    ended_ = true;
    reason_ = {static_cast<websocket::close_code>(close_code::try_again_later),
               "more memory is used than --max-memory; send less at a time, or try again later"};
    return wake(shared_from_this(), readable_);
  }
  if (!socket_.got_text()) {
    ended_ = true;
    reason_ = {static_cast<websocket::close_code>(close_code::unsupported), "send text messages"};
    return wake(shared_from_this(), readable_);
  }
  const auto header = parser::encode({.payload_bytes = static_cast<std::uint32_t>(filled_), .request_id = 0});
  std::ranges::copy(header, message_.begin());
  is_complete_ = true;
  wake(shared_from_this(), readable_);
}

void websocket_link::end(const error_code& why) {
  ended_ = true;
  is_lost_ = why != websocket::error::closed;
  if (is_lost_) spdlog::debug("websocket {} broke off: {}", address(), why.message());
  wake(shared_from_this(), readable_);
}

std::size_t websocket_link::read_some(std::span<char> into, error_code& problem) {
  if (!is_complete_) {
    problem = would_block;
    if (ended_) problem = boost::asio::error::eof;
    if (is_lost_) problem = boost::asio::error::connection_reset;
    return 0;
  }
  const std::size_t whole = frame_header_bytes + filled_;
  const std::size_t bytes = std::min(into.size(), whole - taken_);
  std::copy_n(message_.data() + taken_, bytes, into.data());
  taken_ += bytes;
  if (taken_ == whole) {
    is_complete_ = false;
    filled_ = taken_ = 0;
    if (message_.size() > frame_header_bytes + first_message_bytes) message_ = {};
  }
  return bytes;
}

// Output

void websocket_link::wait_writable(wait_handler handler) {
  writable_ = std::move(handler);
  if (!sending_) wake(shared_from_this(), writable_);
}

std::size_t websocket_link::write_some(std::span<const std::string_view> pieces, error_code& problem) {
  if (sending_) {
    problem = would_block;
    return 0;
  }
  const std::size_t before = out_.size();
  std::size_t taken = 0;
  for (const std::string_view piece : pieces) {
    if (before + taken >= piece_bytes_max) break;
    out_.append(piece.substr(0, piece_bytes_max - before - taken));
    taken = out_.size() - before;
  }
  if (ended_) out_.clear();
  if (!out_.empty()) send();
  return taken;
}

void websocket_link::send() {
  sending_ = true;
  bytes_->hold_back();
  if (!send_part()) flush();
}

/// Sends what there is of the next frame; says whether there was any.
bool websocket_link::send_part() {
  if (left_ == 0) {
    if (out_.size() - sent_ <= frame_header_bytes) return false;
    const parser::frame_header header = parser::decode_frame_header(std::string_view(out_).substr(sent_));
    // The brace is sent with the id, so that the id can follow it.
    id_ = "{";
    if (header.request_id != 0) {
      id_ += R"("requestid":)";
      append_number(id_, header.request_id);
      id_ += ',';
    }
    left_ = header.payload_bytes;
    sent_ += frame_header_bytes + 1;
    --left_;
  }
  const std::size_t bytes = std::min(left_, out_.size() - sent_);
  const std::array<boost::asio::const_buffer, 2> parts = {boost::asio::buffer(id_),
                                                          boost::asio::buffer(out_.data() + sent_, bytes)};
  sent_ += bytes;
  left_ -= bytes;
  socket_.async_write_some(left_ == 0, parts, [self = shared_from_this()](const error_code& problem, std::size_t) {
    self->id_.clear();
    if (problem) return self->on_sent(problem);
    if (self->sent_ == self->out_.size() || !self->send_part()) self->flush();
  });
  return true;
}

void websocket_link::flush() {
  bytes_->async_flush([self = shared_from_this()](const error_code& problem) { self->on_sent(problem); });
}

void websocket_link::on_sent(const error_code& problem) {
  sending_ = false;
  out_.erase(0, std::exchange(sent_, 0));
  if (out_.empty()) out_ = {};
  if (problem && !ended_) end(problem);
  if (closing_) return begin_close();
  wake(shared_from_this(), writable_);
}

// The end

void websocket_link::close(close_code code, std::string_view why) {
  closing_ = true;
  readable_ = writable_ = nullptr;
  if (reason_.code == websocket::close_code::none) {
    const std::string_view text = why.substr(0, reason_bytes_max);
    reason_ = {static_cast<websocket::close_code>(code), boost::beast::string_view(text.data(), text.size())};
  }
  timer_.expires_after(close_time);
  timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled) self->bytes_->close();
  });
  if (!sending_) begin_close();
}

void websocket_link::begin_close() {
  if (!socket_.is_open()) return linger();
  socket_.async_close(reason_, [self = shared_from_this()](const error_code&) { self->linger(); });
}

void websocket_link::linger() {
  bytes_->linger(is_lost_, [self = shared_from_this()] {
    self->timer_.cancel();
    self->bytes_->close();
  });
}

void websocket_link::await_silence() {
  if (settings_.keep_alive.count() == 0) return;
  timer_.expires_after(settings_.keep_alive);
  timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self && !self->closing_) self->on_silence();
  });
}

/// A client that the server does not read from, or that has not taken what it was sent, cannot answer; the system asks
/// instead.
void websocket_link::on_silence() {
  const bool is_silent = heard_ == bytes_->bytes_in() && reading_ && !sending_;
  heard_ = bytes_->bytes_in();
  if (is_silent && std::exchange(asked_, true)) return bytes_->close();
  if (is_silent) {
    socket_.async_ping({}, [self = shared_from_this()](const error_code&) {});
  } else {
    asked_ = false;
  }
  await_silence();
}

}  // namespace pubsubsql::server::http
