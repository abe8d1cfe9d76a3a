#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "server/counted_connection.hpp"
#include "server/http/message.hpp"
#include "server/http/stream.hpp"
#include "server/memory_watch.hpp"
#include "server/web_link.hpp"

namespace pubsubsql::server::http {

class connection;

/// Answers `GET /ws`: begins a session whose client talks WebSocket.
void serve_websocket(connection& c);

/// A session's WebSocket: each text message of the client is a request, each frame of the session a text message.
///
/// Reads only when the session waits for input, and one message ahead; takes what the session writes a piece at a time,
/// while the rest waits, and merges, in the session's output. Asks a client that is silent for long whether it is still
/// there. Used by its worker's thread only; kept alive by the session and by its own pending operations.
class websocket_link : public web_link, public std::enable_shared_from_this<websocket_link> {
 public:
  struct settings {
    std::uint32_t message_bytes_max = 0;
    std::chrono::seconds keep_alive{};  ///< silence before the client is asked; 0: it is not
    bool deflate = false;               ///< whether a client may have messages compressed
    const memory_watch& memory;         ///< while it is exceeded, no more of a large message is read
  };

  websocket_link(std::shared_ptr<stream> bytes, counted_connection counted, const settings& s);
  ~websocket_link() override = default;

  /// Answers the upgrade, and calls `opened()` if that went well. REQUIRES: websocket::is_upgrade(r); r stays until
  /// then.
  void accept(const request& r, std::function<void()> opened);
  [[nodiscard]] const std::string& address() const { return counted_.address(); }

  [[nodiscard]] boost::asio::ip::tcp::socket::executor_type executor() override { return bytes_->get_executor(); }
  [[nodiscard]] std::size_t read_some(std::span<char> into, error_code& problem) override;
  [[nodiscard]] std::size_t write_some(std::span<const std::string_view> pieces, error_code& problem) override;
  [[nodiscard]] bool has_unsent() const override { return sending_; }
  void wait_readable(wait_handler handler) override;
  void wait_writable(wait_handler handler) override;
  void close(close_code code, std::string_view why) override;
  void admitted() override;
  [[nodiscard]] std::string_view name() const override { return "websocket"; }
  [[nodiscard]] std::string description() const override { return bytes_->description(); }
  [[nodiscard]] bool is_momentary() const override { return false; }

  /// Whether its session has ended.
  [[nodiscard]] bool is_over() const { return closing_; }

 private:
  void read();
  void on_read(const error_code& problem, std::size_t bytes);
  void end(const error_code& why);

  void send();
  [[nodiscard]] bool send_part();
  void flush();
  void on_sent(const error_code& problem);

  void begin_close();
  void linger();
  void await_silence();
  void on_silence();

  std::shared_ptr<stream> bytes_;
  counted_connection counted_;
  boost::beast::websocket::stream<stream&> socket_;
  settings settings_;
  boost::asio::steady_timer timer_;  // of the next look at silence, later of the end

  // Input
  std::string message_;     // a request's frame, complete or not
  std::size_t filled_ = 0;  // bytes of it that have come
  std::size_t taken_ = 0;   // bytes of a complete one that the session has
  bool is_complete_ = false;
  bool reading_ = false;
  bool ended_ = false;    // nothing comes any more, and what is sent is lost
  bool is_lost_ = false;  // and the client did not say so
  wait_handler readable_;

  // Output
  std::string out_;       // frames of the session
  std::size_t sent_ = 0;  // of out_
  std::size_t left_ = 0;  // bytes of the frame under way
  std::string id_;        // what goes before the next part
  bool sending_ = false;
  wait_handler writable_;

  // The end
  boost::beast::websocket::close_reason reason_;
  bool closing_ = false;     // the session is over
  std::uint64_t heard_ = 0;  // bytes when silence was looked at last
  bool asked_ = false;
};

}  // namespace pubsubsql::server::http
