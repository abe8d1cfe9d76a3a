#include "server/http/event_link.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>

#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "server/http/access.hpp"
#include "server/http/connection.hpp"
#include "server/http/query_string.hpp"
#include "server/http/wake.hpp"
#include "server/reply_encoder.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server::http {

namespace {

using boost::system::error_code;

/// Of the session's output, what is taken at a time.
constexpr std::size_t piece_bytes_max = 64U << 10;
/// Silence after which a comment shows the client, and proxies between, that the stream lives.
constexpr std::chrono::seconds silence_max{15};
/// How long a client may take for the end of the stream.
constexpr std::chrono::seconds close_time{2};
constexpr std::string_view first_lines = "retry: 2000\n\n";
/// What a client begins with that wanted to go on where that is not possible: its rows come anew.
constexpr std::string_view reset_event = "event: reset\ndata: {\"status\":\"ok\",\"action\":\"reset\"}\n\n";

/// The position that a client says it has; nothing: what it says is none.
std::optional<std::uint64_t> position_of(std::string_view id) {
  std::uint64_t position = 0;
  const auto [end, problem] = std::from_chars(id.data(), id.data() + id.size(), position);
  if (problem != std::errc{} || end != id.data() + id.size()) return std::nullopt;
  return position;
}

/// Sets `out` to what a statement asks for, which goes on at the position that the client says it has. Returns the
/// answer to a statement that is none to subscribe with.
std::optional<response> read_request(const std::string& sql, std::string_view last_id, event_request& out) {
  parser::statement_arena arena;
  auto parsed = parser::parse(sql, arena);
  if (!parsed) {
    std::string body;
    encode_error(body, {}, parsed.error());
    return make_response(status::bad_request, json_type, std::move(body));
  }
  auto* const body = std::get_if<parser::subscribe_statement>(&parsed->body);
  if (body == nullptr) {
    return make_error(status::bad_request, "only a subscribe statement has events; send others to /sql");
  }
  // The stream begins with the reply.
  if (parsed->stream) return make_error(status::bad_request, "leave out `stream`: the answer is a stream by itself");
  if (!body->name.empty()) {
    return make_error(status::bad_request,
                      "a stream goes on behind its Last-Event-ID; leave out `as`, or subscribe over /ws");
  }
  out.positions.has_asked = body->tells_positions();
  body->with_seq = true;
  if (!last_id.empty()) {
    body->since = position_of(last_id);
    out.begins_anew = !body->since;
  }
  out.positions.skips = body->skip;
  out.positions.begins_complete = body->since.has_value();
  out.sql = parser::print(*parsed);
  return std::nullopt;
}

}  // namespace

void serve_events(connection& c) {
  const auto query = parse_query(query_of(c.current()), {"sql"});
  if (!query) return c.respond(make_error(status::bad_request, query.error()));
  const std::string* const sql = find(*query, "sql");
  if (sql == nullptr) {
    return c.respond(make_error(status::bad_request, "say what to subscribe to: /events?sql=subscribe%20*%20from%20t"));
  }
  event_request wanted;
  const auto last_id = field_of(c.current(), "Last-Event-ID");
  if (auto refused = read_request(*sql, last_id, wanted)) return c.respond(std::move(*refused));
  if (c.current().method() == verb::head) return c.respond(make_response(status::ok, "text/event-stream", {}));
  const auto link = std::make_shared<event_link>(c.shared_from_this(), wanted, cors_lines(c));
  c.home().welcome(transport(link), counted_connection(c.address()), c.identity);
}

event_link::event_link(std::shared_ptr<connection> c, const event_request& r, std::string cors)
    : connection_(std::move(c)),
      begins_anew_(r.begins_anew),
      cors_(std::move(cors)),
      timer_(connection_->home().context()),
      encoder_(out_) {
  encoder_.tell_positions(r.positions);
  const auto header = parser::encode({.payload_bytes = static_cast<std::uint32_t>(r.sql.size()), .request_id = 1});
  request_.append(header.data(), header.size()).append(r.sql);
}

event_link::~event_link() = default;

std::string event_link::description() const {
  return bytes_ ? bytes_->description() : std::string();
}

// Input

std::size_t event_link::read_some(std::span<char> into, error_code& problem) {
  const std::size_t bytes = std::min(into.size(), request_.size() - given_);
  std::copy_n(request_.data() + given_, bytes, into.data());
  given_ += bytes;
  if (bytes == 0) problem = gone_ ? boost::asio::error::connection_reset : boost::asio::error::would_block;
  return bytes;
}

void event_link::wait_readable(wait_handler handler) {
  readable_ = std::move(handler);
  if (gone_ || given_ < request_.size()) wake(shared_from_this(), readable_);
}

/// Nothing that the client sends is of interest but its end.
void event_link::watch() {
  bytes_->async_read_some(boost::asio::buffer(ignored_),
                          [self = shared_from_this()](const error_code& problem, std::size_t) {
                            if (self->gone_) return;
                            if (problem) return self->client_is_gone();
                            self->watch();
                          });
}

void event_link::client_is_gone() {
  gone_ = true;
  timer_.cancel();
  bytes_->close();
  wake(shared_from_this(), readable_);
  wake(shared_from_this(), writable_);
}

// Output

std::size_t event_link::write_some(std::span<const std::string_view> pieces, error_code& problem) {
  if (gone_) problem = boost::asio::error::connection_reset;
  if (sending_) problem = boost::asio::error::would_block;
  if (problem) return 0;
  std::size_t taken = 0;
  for (const std::string_view piece : pieces) {
    const std::string_view part = piece.substr(0, piece_bytes_max - taken);
    feed_.feed(part, *this);
    taken += part.size();
    if (taken == piece_bytes_max) break;
  }
  if (bytes_ && !out_.empty()) send();
  return taken;
}

void event_link::wait_writable(wait_handler handler) {
  writable_ = std::move(handler);
  if (!sending_) wake(shared_from_this(), writable_);
}

void event_link::begin(parser::frame_header header) {
  if (bytes_) encoder_.begin(header);
}

void event_link::payload(std::string_view piece) {
  if (bytes_) return encoder_.payload(piece);
  reply_ += piece;
}

void event_link::end() {
  if (bytes_) return encoder_.end();
  if (text_member(reply_, "action") == "subscribe") return open();
  if (connection_) connection_->respond(make_response(status::bad_request, json_type, reply_ + "\n"));
  connection_.reset();
  gone_ = true;  // there is nothing more to be done for this client here
  wake(shared_from_this(), readable_);
}

/// Begins the stream.
void event_link::open() {
  auto [bytes, counted] = connection_->take_over();
  connection_.reset();
  bytes_ = std::move(bytes);
  counted_ = std::make_unique<counted_connection>(std::move(counted));
  out_ =
      "HTTP/1.1 200 OK\r\nServer: pubsubsqld\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Accel-Buffering: no\r\nConnection: close\r\n" +
      cors_ + "\r\n";
  out_ += first_lines;
  const auto position = find_position(reply_);
  if (begins_anew_ || (position && position->resyncs)) out_ += reset_event;
  encoder_.begin({});
  encoder_.payload(reply_);
  encoder_.end();
  reply_ = {};
  watch();
}

void event_link::send() {
  sending_ = true;
  sent_.swap(out_);
  out_.clear();
  boost::asio::async_write(
      *bytes_, boost::asio::buffer(sent_),
      [self = shared_from_this()](const error_code& problem, std::size_t) { self->on_sent(problem); });
}

void event_link::on_sent(const error_code& problem) {
  sending_ = false;
  if (sent_.capacity() > piece_bytes_max) sent_ = {};
  if (problem && !gone_) client_is_gone();
  if (closing_) return finish();
  if (gone_) return;
  await_silence();
  wake(shared_from_this(), writable_);
}

void event_link::await_silence() {
  timer_.expires_after(silence_max);
  timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self || self->closing_ || self->gone_ || self->sending_) return;
    // A message may be under way, of which more is to come: a line of its own would break it.
    if (!self->encoder_.is_between()) return self->await_silence();
    self->out_ += ":\n\n";
    self->send();
  });
}

// The end

void event_link::close(close_code, std::string_view why) {
  closing_ = true;
  readable_ = writable_ = nullptr;
  if (connection_) {
    connection_->respond(make_error(status::service_unavailable, "the session ended: " + std::string(why)));
    connection_.reset();
  }
  if (!bytes_) return;
  timer_.expires_after(close_time);
  timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled) self->bytes_->close();
  });
  if (!sending_) finish();
}

void event_link::finish() {
  timer_.cancel();
  gone_ = true;
  if (bytes_) {
    bytes_->shut_down_sending();
    bytes_->close();
  }
}

}  // namespace pubsubsql::server::http
