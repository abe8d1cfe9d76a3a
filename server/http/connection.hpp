#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include "server/access_gate.hpp"
#include "server/counted_connection.hpp"
#include "server/http/access.hpp"
#include "server/http/message.hpp"
#include "server/http/stream.hpp"

namespace pubsubsql::server::http {

struct route;

/// A client's connection to the HTTP port: one request after the other, each answered before the next is read.
///
/// Belongs to one worker and is used by its thread only. Kept alive by its own pending operations, and by whoever is to
/// answer a request; the worker knows it as long as it is there.
///
/// A request's way: its header is read and looked at (screen()), then its body, then the handler of its route is
/// called. A handler answers in one of three ways:
///
/// - With respond(), at once or later. For later it keeps `c.shared_from_this()`. What the connection may ask of tables
///   goes through a session: `c.home().welcome(transport(link), counted_connection(c.address()), c.identity)` with a
///   web_link of the handler's, which collects what the session writes, and closes.
/// - With take_over(), when the connection does not go on with HTTP: a WebSocket, a stream of events. The stream and
///   the count are the handler's then, and so is the end of both.
/// - Not at all, when the connection is closed meanwhile.
class connection : public std::enable_shared_from_this<connection> {
 public:
  connection(worker& w, client_socket::tcp::socket socket, counted_connection counted);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  /// Begins to read.
  void start();
  /// The server stops: a request under way is answered, and then, or at once, the connection ends.
  void finish();

  // For handlers

  [[nodiscard]] worker& home() { return worker_; }
  /// The request under way; its body once the handler is called. Valid until it is answered.
  [[nodiscard]] const request& current() const { return parser_->get(); }
  [[nodiscard]] bool is_tls() const { return stream_->is_tls(); }
  /// Of the client, as logs show it.
  [[nodiscard]] const std::string& address() const { return counted_.address(); }
  [[nodiscard]] bool is_served() const { return counted_.admitted() == admission::served; }
  /// Who sends the request under way.
  session_identity identity;
  /// Who the last one that said so was of. For authenticate().
  known_credentials known;

  /// Answers the request under way. To be called once for each. HEAD gets no body.
  void respond(response r);

  /// What is left of a connection that does not go on with HTTP. What was read behind the request is put back.
  struct remains {
    std::shared_ptr<stream> bytes;
    counted_connection counted;
  };
  /// Gives the connection away; it is of no use then.
  [[nodiscard]] remains take_over();

 private:
  using error_code = boost::system::error_code;
  using parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void read_header();
  void on_header(const error_code& problem);
  void on_parse_problem(const error_code& problem);
  [[nodiscard]] std::optional<response> screen();
  void identify();
  void continue_to_body();
  void read_body();
  void serve();
  void write(response r);
  void count_unread(std::size_t bytes);
  void on_written();

  /// The client has so long, 0: any time; when `renews`, from the last byte that moved.
  void limit(std::chrono::milliseconds time, bool renews);
  void await_deadline();
  void on_deadline();
  void close(std::string_view why);

  worker& worker_;
  counted_connection counted_;
  std::shared_ptr<stream> stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<parser> parser_;
  std::optional<response> response_;  // on its way
  std::size_t counted_bytes_ = 0;     // of it, among those that are not read
  const route* route_ = nullptr;      // of the request under way
  boost::asio::steady_timer timer_;   // goes off at due_, or before, and then waits again
  std::chrono::steady_clock::time_point due_;
  std::chrono::milliseconds time_{};
  std::uint64_t moved_ = 0;  // bytes when the time began
  std::uint64_t requests_ = 0;
  bool renews_ = false;
  bool waits_ = false;      // for a request, of which nothing has come
  bool finishing_ = false;  // no further request is read
  bool closed_ = false;
};

}  // namespace pubsubsql::server::http
