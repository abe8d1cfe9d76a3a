#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace pubsubsql::cli {

/// A bar on one line of a terminal, drawn over and over; nothing when there is no terminal.
class progress_bar {
 public:
  /// REQUIRES: the stream outlives the bar.
  progress_bar(std::ostream& out, bool terminal, std::string_view noun)
      : out_(out), terminal_(terminal), noun_(noun), begin_(std::chrono::steady_clock::now()) {}
  ~progress_bar() { clear(); }
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  /// Draws what has been done, at most ten times a second. total 0: not known.
  void show(std::uint64_t done, std::uint64_t total, std::uint64_t count);

  /// Takes the bar away, for other output.
  void clear();

 private:
  std::ostream& out_;
  bool terminal_;
  std::string_view noun_;
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point drawn_;
  bool visible_ = false;
};

/// "[#####.....]  50%  120000 rows  98000/s"
[[nodiscard]] std::string progress_text(std::uint64_t done, std::uint64_t total, std::uint64_t count,
                                        std::string_view noun, double seconds);

}  // namespace pubsubsql::cli
