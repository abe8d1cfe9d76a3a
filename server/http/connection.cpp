#include "server/http/connection.hpp"

#include <array>
#include <ctime>
#include <utility>

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <spdlog/spdlog.h>

#include "server/http/routes.hpp"
#include "server/version.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server::http {

namespace {

using boost::system::error_code;
namespace beast_http = boost::beast::http;

/// Of a request's line and fields together.
constexpr std::uint32_t header_bytes_max = 16U << 10;
/// What is read at a time beside a header.
constexpr std::size_t buffer_bytes_max = header_bytes_max + (64U << 10);
/// How long a connection waits for its next request.
constexpr std::chrono::seconds keep_alive_time{60};
/// How long a body, or the taking of an answer, may stand still.
constexpr std::chrono::seconds stall_time{30};
/// More of a body is not read when the memory is used up.
constexpr std::size_t body_bytes_without_memory = 64U << 10;
/// How long a connection that must go is still read, so that the client sees the answer and not a reset.
constexpr std::chrono::seconds linger_time{2};

/// The value of a field `Date` (RFC 9110, 5.6.7).
std::string date_text(std::int64_t now_us) {
  const std::time_t seconds = now_us / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

}  // namespace

connection::connection(worker& w, client_socket::tcp::socket socket, counted_connection counted)
    : worker_(w),
      counted_(std::move(counted)),
      stream_(std::make_shared<stream>(w, std::move(socket))),
      buffer_(buffer_bytes_max),
      timer_(stream_->get_executor()) {
  worker_.http_connections().add(*this);
}

connection::~connection() {
  count_unread(0);
  worker_.http_connections().remove(*this);
}

void connection::start() {
  finishing_ = worker_.http_connections().is_finishing();
  timer_.expires_at(std::chrono::steady_clock::time_point::max());
  limit(std::chrono::seconds(worker_.shared().settings.handshake_timeout_seconds), false);
  read_header();
}

void connection::finish() {
  finishing_ = true;
  if (waits_) close("the server stops");
}

void connection_list::finish() {
  finishing_ = true;
  const auto open = open_;
  for (connection* c : open) c->finish();
}

// A request

void connection::read_header() {
  parser_.emplace();
  parser_->header_limit(header_bytes_max);
  parser_->body_limit(worker_.shared().settings.statement_bytes_max);
  waits_ = buffer_.size() == 0;
  if (waits_) buffer_.shrink_to_fit();
  beast_http::async_read_header(*stream_, buffer_, *parser_,
                                [self = shared_from_this()](const error_code& problem, std::size_t) {
                                  self->waits_ = false;
                                  self->on_header(problem);
                                });
}

void connection::on_header(const error_code& problem) {
  if (closed_) return;
  if (problem) return on_parse_problem(problem);
  ++requests_;
  limit(stall_time, true);
  const found_route found = find_route(current().method(), path_of(current()));
  route_ = found.found;
  if (auto refused = screen()) return respond(std::move(*refused));
  if (current().method() == verb::options && found.path_is_known) return respond(allowed_methods(*this));
  if (route_ != nullptr) return identify();
  if (!found.path_is_known) {
    return respond(make_error(status::not_found, "there is nothing at this path; see docs/http.md"));
  }
  response r = make_error(status::method_not_allowed, "this path does not take this method; see docs/http.md");
  r.set(field::allow, methods_of(path_of(current())));
  respond(std::move(r));
}

/// What is wrong with a request whatever it asks for.
std::optional<response> connection::screen() {
  if (counted_.admitted() != admission::served) {
    finishing_ = true;
    return make_error(status::service_unavailable,
                      counted_.admitted() == admission::too_many
                          ? "too many connections; try again later, or raise --max-connections"
                          : "too many connections from this address; close some, or raise "
                            "--max-connections-per-address");
  }
  if (worker_.shared().settings.tls.is_required() && !is_tls()) {
    finishing_ = true;
    return make_error(status::forbidden, "this server takes connections with TLS only; use https: or wss:");
  }
  const request& r = current();
  if (r.count(field::transfer_encoding) > 0 && !parser_->chunked()) {
    // Where its body ends cannot be told (RFC 9112, 6.3).
    finishing_ = true;
    return make_error(status::bad_request, "Transfer-Encoding has to be chunked; or send a Content-Length instead");
  }
  if (r.count(field::host) > 1 || (r.count(field::host) == 0 && r.version() >= 11)) {
    finishing_ = true;
    return make_error(status::bad_request, "a request has one field Host");
  }
  return refuse_source(*this);
}

void connection::identify() {
  limit({}, false);
  authenticate(*this, !route_->is_public, [self = shared_from_this()] {
    if (self->closed_) return;
    self->limit(stall_time, true);
    self->continue_to_body();
  });
}

void connection::on_parse_problem(const error_code& problem) {
  using beast_http::error;
  if (problem == boost::system::errc::protocol_not_supported) {
    return close("it speaks TLS, which is off; turn it on with --tls-cert and --tls-key");
  }
  if (problem == boost::system::errc::protocol_error) return close("TLS could not go on");
  const bool is_ours = problem.category() == make_error_code(error::end_of_stream).category();
  if (!is_ours || problem == error::end_of_stream || problem == error::partial_message) {
    return close("client closed the connection");
  }
  finishing_ = true;
  const auto& settings = worker_.shared().settings;
  if (problem == error::header_limit) {
    return respond(make_error(status::request_header_fields_too_large,
                              "the request's header is larger than " + std::to_string(header_bytes_max) + " bytes"));
  }
  if (problem == error::body_limit) {
    worker_.shared().counters.refused("max-statement-bytes");
    return respond(make_error(status::payload_too_large,
                              "the request's body is larger than " + std::to_string(settings.statement_bytes_max) +
                                  " bytes; send a smaller one, or raise --max-statement-bytes"));
  }
  respond(make_error(status::bad_request, "this is no HTTP request: " + problem.message()));
}

void connection::continue_to_body() {
  if (parser_->is_done() || !beast_http::token_list(current()[field::expect]).exists("100-continue")) {
    return read_body();
  }
  response_.emplace(status::continue_, current().version());
  beast_http::async_write(*stream_, *response_, [self = shared_from_this()](const error_code& problem, std::size_t) {
    if (problem) return self->close("connection lost");
    self->read_body();
  });
}

void connection::read_body() {
  if (parser_->is_done()) return serve();
  if (worker_.shared().memory.exceeded() != 0 && current().body().size() > body_bytes_without_memory) {
    finishing_ = true;
    worker_.shared().counters.refused("max-memory");
    return respond(
        make_error(status::service_unavailable,
                   "the server uses more memory than --max-memory; send less at a time, or try again later"));
  }
  beast_http::async_read_some(*stream_, buffer_, *parser_,
                              [self = shared_from_this()](const error_code& problem, std::size_t) {
                                if (self->closed_) return;
                                if (problem) return self->on_parse_problem(problem);
                                self->read_body();
                              });
}

void connection::serve() {
  limit({}, false);
  route_->serve(*this);
}

// Its answer

void connection::respond(response r) {
  if (closed_) return;
  const request& q = current();
  r.version(q.version());
  r.set(field::server, "pubsubsqld");
  r.set(field::date, date_text(worker_.now_us()));
  r.set("X-Content-Type-Options", "nosniff");
  add_cors(*this, r);
  r.keep_alive(q.keep_alive() && !finishing_ && parser_->is_done());
  finishing_ = !r.keep_alive();
  const bool has_no_body = r.result() == status::no_content || r.result() == status::not_modified;
  if (!has_no_body) r.prepare_payload();
  if (q.method() == verb::head) r.body().clear();
  write(std::move(r));
}

void connection::count_unread(std::size_t bytes) {
  std::atomic<std::size_t>& all = worker_.shared().http_reply_bytes;
  all.fetch_add(bytes - std::exchange(counted_bytes_, bytes), std::memory_order_relaxed);
}

void connection::write(response r) {
  limit(stall_time, true);
  count_unread(r.body().size());
  response_.emplace(std::move(r));
  beast_http::async_write(*stream_, *response_, [self = shared_from_this()](const error_code& problem, std::size_t) {
    // After an answer without keep-alive Beast tells of the end that is due.
    if (problem && problem != beast_http::error::end_of_stream) return self->close("connection lost");
    self->on_written();
  });
}

void connection::on_written() {
  if (closed_) return;
  response_.reset();
  count_unread(0);
  identity = {};
  if (!finishing_) {
    limit(keep_alive_time, false);
    return read_header();
  }
  limit(linger_time, false);
  stream_->linger(!parser_->is_done(), [self = shared_from_this()] { self->close("answered"); });
}

connection::remains connection::take_over() {
  const auto rest = buffer_.data();
  stream_->put_back({static_cast<const char*>(rest.data()), rest.size()});
  closed_ = true;
  timer_.cancel();
  return {.bytes = std::move(stream_), .counted = std::move(counted_)};
}

// Its time

void connection::limit(std::chrono::milliseconds time, bool renews) {
  using clock = std::chrono::steady_clock;
  time_ = time;
  renews_ = renews;
  moved_ = stream_->bytes_in() + stream_->bytes_out();
  due_ = time.count() == 0 ? clock::time_point::max() : clock::now() + time;
  if (due_ < timer_.expiry()) await_deadline();
}

void connection::await_deadline() {
  timer_.expires_at(due_);
  timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    if (const auto self = weak.lock(); self && !cancelled) self->on_deadline();
  });
}

void connection::on_deadline() {
  if (closed_) return;
  if (due_ > std::chrono::steady_clock::now()) return await_deadline();
  if (!renews_ || moved_ == stream_->bytes_in() + stream_->bytes_out()) {
    return close(waits_ ? "idle" : "its time is over");
  }
  timer_.expires_at(std::chrono::steady_clock::time_point::max());
  limit(time_, true);
}

void connection::close(std::string_view why) {
  if (std::exchange(closed_, true)) return;
  spdlog::debug("connection {} ended: {}; http{}{}, {} requests, {} bytes in, {} bytes out", address(), why,
                stream_->is_tls() ? " over " : "", stream_->description(), requests_, stream_->bytes_in(),
                stream_->bytes_out());
  stream_->close();
  timer_.cancel();
}

}  // namespace pubsubsql::server::http
