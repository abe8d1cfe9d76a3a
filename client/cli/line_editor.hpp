#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include "client/cli/session.hpp"

namespace pubsubsql::cli {

/// Reads lines from a person through readline while the session goes on: events appear above the line being typed.
///
/// readline keeps its state in globals, so there is one editor in a process. It owns the terminal's signals.
class line_editor {
 public:
  enum class outcome : std::uint8_t { line, end_of_input, interrupted };

  /// What may stand for `word` behind `before`, the line up to there; nothing with `files`: names of files.
  struct completion {
    std::vector<std::string> texts;
    bool files = false;
  };
  using completer = std::function<completion(std::string_view before, std::string_view word)>;

  line_editor(boost::asio::io_context& loop, session& net, completer complete);
  ~line_editor();
  line_editor(const line_editor&) = delete;
  line_editor& operator=(const line_editor&) = delete;

  /// Reads one line. Ctrl-C drops it and says `interrupted`.
  [[nodiscard]] outcome read(const std::string& prompt, std::string& line);

  /// Takes the half-typed line off the screen, and puts it back.
  void hide();
  void show();

  /// Whether the process was asked to end (SIGTERM).
  [[nodiscard]] bool ending() const { return ending_; }

 private:
  static void take_line(char* line);
  static char** attempt_completion(const char* word, int begin, int end);
  static char* next_completion(const char* word, int state);

  void watch_input();
  void watch_signals();
  void on_signal(int number);
  void suspend();

  session& net_;
  completer complete_;
  boost::asio::posix::stream_descriptor input_;
  boost::asio::signal_set signals_;
  bool watching_ = false;  // a wait for input is pending
  bool active_ = false;    // readline has the terminal
  bool done_ = false;
  bool end_of_input_ = false;
  bool ending_ = false;
  std::string line_;
  std::vector<std::string> offered_;
};

}  // namespace pubsubsql::cli
