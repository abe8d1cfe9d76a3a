#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "server/counted_connection.hpp"
#include "server/http/frame_feed.hpp"
#include "server/http/sse_encoder.hpp"
#include "server/http/stream.hpp"
#include "server/web_link.hpp"

namespace pubsubsql::server::http {

class connection;

/// Answers `GET /events?sql=subscribe...`: a session whose events the client reads as Server-Sent Events.
void serve_events(connection& c);

/// What a client asks for.
struct event_request {
  std::string sql;           ///< a subscription that tells positions
  bool begins_anew = false;  ///< it has had a stream before whose place is not known, so its rows are void
  sse_encoder::positions positions;
};

/// A session with one subscription. Until that is made, a failure is an answer like any; then the connection becomes a
/// stream of events, which ends when the client goes, or the session does.
///
/// Takes what the session writes a piece at a time, while the rest waits, and merges, in the session's output. Used by
/// its worker's thread only; kept alive by the session and by its own pending operations.
class event_link : public web_link, public std::enable_shared_from_this<event_link> {
 public:
  /// `cors`: lines of the answer's header.
  event_link(std::shared_ptr<connection> c, const event_request& r, std::string cors);
  ~event_link() override;

  [[nodiscard]] boost::asio::ip::tcp::socket::executor_type executor() override { return timer_.get_executor(); }
  [[nodiscard]] std::size_t read_some(std::span<char> into, error_code& problem) override;
  [[nodiscard]] std::size_t write_some(std::span<const std::string_view> pieces, error_code& problem) override;
  [[nodiscard]] bool has_unsent() const override { return sending_; }
  void wait_readable(wait_handler handler) override;
  void wait_writable(wait_handler handler) override;
  void close(close_code code, std::string_view why) override;
  void admitted() override {}
  [[nodiscard]] std::string_view name() const override { return "events"; }
  [[nodiscard]] std::string description() const override;
  [[nodiscard]] bool is_momentary() const override { return false; }

  /// Whether its session has ended.
  [[nodiscard]] bool is_over() const { return closing_; }

  // For frame_feed
  void begin(parser::frame_header header);
  void payload(std::string_view piece);
  void end();

 private:
  void open();
  void send();
  void on_sent(const error_code& problem);
  void watch();
  void client_is_gone();
  void await_silence();
  void finish();

  std::shared_ptr<connection> connection_;  // nullptr: it has been answered
  bool begins_anew_;
  std::string cors_;
  boost::asio::steady_timer timer_;  // of the next sign of life, later of the end

  std::string request_;  // the frame that makes the subscription
  std::size_t given_ = 0;
  wait_handler readable_;

  std::shared_ptr<stream> bytes_;  // nullptr: there is no stream yet
  std::array<char, 64> ignored_{};
  std::unique_ptr<counted_connection> counted_;
  frame_feed feed_;
  std::string reply_;    // to the subscribe
  std::string out_;      // to be sent next
  std::string sent_;     // on its way
  sse_encoder encoder_;  // into out_
  wait_handler writable_;
  bool sending_ = false;
  bool closing_ = false;  // the session is over
  bool gone_ = false;     // the client is
};

}  // namespace pubsubsql::server::http
