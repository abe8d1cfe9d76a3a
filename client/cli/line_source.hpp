#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "client/cli/session.hpp"

namespace pubsubsql::cli {

/// The lines of a file, a pipe or a terminal. While a line is awaited the session goes on and shows its events.
class line_source {
 public:
  /// Takes the descriptor over. Throws error (usage) when it is a directory or cannot be waited for.
  line_source(boost::asio::io_context& loop, session& net, int descriptor);
  ~line_source();
  line_source(const line_source&) = delete;
  line_source& operator=(const line_source&) = delete;

  /// The next line without its line feed; nothing at the end. Throws error (usage) when reading fails.
  [[nodiscard]] std::optional<std::string> next();

 private:
  /// False at the end of the input.
  [[nodiscard]] bool read_more();

  session& net_;
  int descriptor_;
  std::optional<boost::asio::posix::stream_descriptor> waitable_;  // not for regular files, which are always ready
  std::string text_;                                               // text_[begin_...] is not taken yet
  std::size_t begin_ = 0;
  bool ended_ = false;
};

}  // namespace pubsubsql::cli
