#include "client/cli/line_editor.hpp"

// readline.h uses FILE without including its header.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <readline/readline.h>
#include <signal.h>
#include <unistd.h>

namespace pubsubsql::cli {
namespace {

line_editor* the_editor = nullptr;  // readline's callbacks carry no argument

}  // namespace

line_editor::line_editor(boost::asio::io_context& loop, session& net, completer complete)
    : net_(net),
      complete_(std::move(complete)),
      input_(loop, ::dup(STDIN_FILENO)),
      signals_(loop, SIGINT, SIGWINCH, SIGTERM) {
  the_editor = this;
  signals_.add(SIGTSTP);
  rl_catch_signals = 0;
  rl_catch_sigwinch = 0;
  // Set here, not by readline at its first prompt: the terminal may be resized before that.
  rl_instream = stdin;
  rl_outstream = stdout;
  rl_readline_name = "pubsubsql";
  rl_attempted_completion_function = &line_editor::attempt_completion;
  rl_completer_word_break_characters = " \t\n,()=;'*";
  watch_signals();
}

line_editor::~line_editor() {
  if (active_) rl_callback_handler_remove();
  rl_attempted_completion_function = nullptr;
  the_editor = nullptr;
}

line_editor::outcome line_editor::read(const std::string& prompt, std::string& line) {
  done_ = end_of_input_ = false;
  active_ = true;
  rl_callback_handler_install(prompt.c_str(), &line_editor::take_line);
  watch_input();
  const bool read = net_.wait([this] { return done_ || ending_; });
  if (active_) {
    active_ = false;
    std::fputs(read ? "\n" : "^C\n", stdout);
    rl_replace_line("", 0);
    rl_callback_handler_remove();
    return read ? outcome::end_of_input : outcome::interrupted;
  }
  if (end_of_input_) return outcome::end_of_input;
  line = std::move(line_);
  return outcome::line;
}

/// readline has given the terminal back when it calls this, and keeps it so once the handler is removed.
void line_editor::take_line(char* line) {
  line_editor& self = *the_editor;
  rl_callback_handler_remove();
  self.active_ = false;
  self.done_ = true;
  self.end_of_input_ = line == nullptr;
  if (line == nullptr) {
    std::fputc('\n', stdout);
  } else {
    self.line_ = line;
    std::free(line);  // NOLINT: readline allocates with malloc
  }
}

void line_editor::watch_input() {
  if (std::exchange(watching_, true)) return;
  input_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code failure) {
    watching_ = false;
    if (failure || !active_) return;
    rl_callback_read_char();
    if (active_) watch_input();
  });
}

void line_editor::hide() {
  if (!active_) {
    // Outside of a line there may be a progress bar.
    std::fputs("\r\x1b[K", stdout);
  } else {
    rl_clear_visible_line();
  }
  std::fflush(stdout);
}

void line_editor::show() {
  if (!active_) return;
  rl_on_new_line();
  rl_redisplay();
}

// --- signals ---

void line_editor::watch_signals() {
  signals_.async_wait([this](boost::system::error_code failure, int number) {
    if (failure) return;
    on_signal(number);
    watch_signals();
  });
}

void line_editor::on_signal(int number) {
  switch (number) {
    case SIGINT:
      net_.interrupt();
      break;
    case SIGWINCH:
      if (active_) {
        rl_resize_terminal();
      } else {
        rl_reset_screen_size();  // without drawing a line that is not there
      }
      break;
    case SIGTSTP:
      suspend();
      break;
    default:
      ending_ = true;
      net_.interrupt();
  }
}

void line_editor::suspend() {
  if (active_) rl_cleanup_after_signal();
  ::kill(::getpid(), SIGSTOP);
  if (!active_) return;
  rl_reset_after_signal();
  rl_forced_update_display();
}

// --- completion ---

char** line_editor::attempt_completion(const char* word, int begin, int) {
  line_editor& self = *the_editor;
  const std::string_view before(rl_line_buffer, static_cast<std::size_t>(begin));
  completion found = self.complete_(before, word);
  self.offered_ = std::move(found.texts);
  rl_attempted_completion_over = found.files ? 0 : 1;
  return self.offered_.empty() ? nullptr : rl_completion_matches(word, &line_editor::next_completion);
}

char* line_editor::next_completion(const char*, int state) {
  static std::size_t next = 0;
  if (state == 0) next = 0;
  const auto& offered = the_editor->offered_;
  return next < offered.size() ? ::strdup(offered[next++].c_str()) : nullptr;
}

}  // namespace pubsubsql::cli
