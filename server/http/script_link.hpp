#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/http/frame_feed.hpp"
#include "server/http/message.hpp"
#include "server/http/script.hpp"
#include "server/web_link.hpp"

namespace pubsubsql::server::http {

/// What a script came to.
struct script_results {
  status code = status::ok;
  std::string body;  ///< one result, or a list of them, in JSON; empty: there is none
};

/// Runs a script in a session of its own: gives it one statement after the other, each when the one before has been
/// answered, up to the first that fails. Used by its worker's thread only.
class script_link : public web_link, public std::enable_shared_from_this<script_link> {
 public:
  /// Called once, from the worker's loop, when the session is over.
  using done_handler = std::function<void(script_results)>;

  /// The link takes no further statement when its results are larger than `bytes_max`.
  script_link(boost::asio::ip::tcp::socket::executor_type executor, script s, std::size_t bytes_max, done_handler done);

  [[nodiscard]] boost::asio::ip::tcp::socket::executor_type executor() override { return executor_; }
  [[nodiscard]] std::size_t read_some(std::span<char> into, error_code& problem) override;
  [[nodiscard]] std::size_t write_some(std::span<const std::string_view> pieces, error_code& problem) override;
  [[nodiscard]] bool has_unsent() const override { return false; }
  void wait_readable(wait_handler handler) override;
  void wait_writable(wait_handler handler) override;
  void close(close_code code, std::string_view why) override;
  void admitted() override {}
  [[nodiscard]] std::string_view name() const override { return "http"; }
  [[nodiscard]] std::string description() const override { return {}; }
  [[nodiscard]] bool is_momentary() const override { return true; }

  /// Whether its session has ended.
  [[nodiscard]] bool is_over() const { return closed_; }

  // For frame_feed
  void begin(parser::frame_header header);
  void payload(std::string_view piece);
  void end();

 private:
  void offer_next();
  void add_error(std::string_view message);
  void begin_result();

  boost::asio::ip::tcp::socket::executor_type executor_;
  script script_;
  std::size_t bytes_max_;
  done_handler done_;

  // Input
  std::array<char, parser::frame_header_bytes> header_{};  // of the statement under way
  std::optional<std::string_view> statement_;              // nothing: there are no more
  std::size_t given_ = 0;                                  // bytes of its frame that the session has
  wait_handler readable_;

  // Output
  static constexpr std::size_t turn_bytes_max = 256U << 10;
  frame_feed feed_;
  std::size_t turn_bytes_ = 0;  // taken since it was last waited
  script_results results_;
  std::size_t result_at_ = 0;  // where the result under way begins
  bool is_result_ = false;     // what comes is the answer to the statement under way
  bool has_result_ = false;    // something of it has come
  bool failed_ = false;
  bool closed_ = false;
};

}  // namespace pubsubsql::server::http
