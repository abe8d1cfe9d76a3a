#include "client/cli/password_input.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace pubsubsql::cli {

namespace {

constexpr std::size_t line_bytes_max = 4096;

using line = std::optional<std::string>;

/// Byte by byte, so that what comes behind the line stays where it is. Nothing: there is no line.
line read_line(int descriptor) {
  std::string out;
  char c = 0;
  for (;;) {
    const ssize_t bytes = ::read(descriptor, &c, 1);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return out.empty() ? std::nullopt : line(out);
    if (c == '\n') break;
    out += c;
    if (out.size() > line_bytes_max) return std::nullopt;
  }
  if (out.ends_with('\r')) out.pop_back();
  return out;
}

/// The terminal of the process, which shows nothing of what is typed as long as this lives.
class quiet_terminal {
 public:
  quiet_terminal() : descriptor_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {
    if (descriptor_ < 0 || ::tcgetattr(descriptor_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_quiet_ = ::tcsetattr(descriptor_, TCSAFLUSH, &quiet) == 0;
  }
  ~quiet_terminal() {
    if (is_quiet_) ::tcsetattr(descriptor_, TCSAFLUSH, &before_);
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  quiet_terminal(const quiet_terminal&) = delete;
  quiet_terminal& operator=(const quiet_terminal&) = delete;

  /// Nothing: there is no terminal, or no line.
  [[nodiscard]] line ask(std::string_view question) const {
    if (!is_quiet_) return std::nullopt;
    write(question);
    line out = read_line(descriptor_);
    write("\n");
    return out;
  }

 private:
  void write(std::string_view text) const { static_cast<void>(!::write(descriptor_, text.data(), text.size())); }

  int descriptor_;
  bool is_quiet_ = false;
  termios before_{};
};

error usage(const std::string& message) {
  return {errc::usage, message};
}

result<std::string, error> password_of_file(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return usage("cannot read " + file + ": " + std::strerror(errno));
  line first = read_line(descriptor);
  ::close(descriptor);
  if (!first) return usage(file + " has no password in its first line");
  return std::move(*first);
}

}  // namespace

result<std::string, error> new_password() {
  if (::isatty(STDIN_FILENO) == 0) {
    line only = read_line(STDIN_FILENO);
    if (!only) return usage("standard input has no password; write it there as one line");
    return std::move(*only);
  }
  const quiet_terminal terminal;
  line first = terminal.ask("New password: ");
  const line again = terminal.ask("Once more: ");
  if (!first || !again) return usage("no password was typed");
  if (*first != *again) return usage("the two passwords differ; try again");
  return std::move(*first);
}

result<std::string, error> connection_password(const std::string& user, const std::string& file) {
  if (!file.empty()) return password_of_file(file);
  if (const char* const set = std::getenv("PUBSUBSQL_PASSWORD")) return std::string(set);
  line typed = quiet_terminal().ask("Password of " + user + ": ");
  if (!typed) return usage("there is no terminal to ask for the password; give PUBSUBSQL_PASSWORD or --password-file");
  return std::move(*typed);
}

}  // namespace pubsubsql::cli
