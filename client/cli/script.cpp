#include "client/cli/script.hpp"

#include <cerrno>
#include <cstring>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "client/cli/accumulator.hpp"
#include "client/cli/line_source.hpp"
#include "client/cli/shell.hpp"
#include "client/cli/text.hpp"
#include "parser/request_reader.hpp"

namespace pubsubsql::cli {
namespace {

using next_line = std::function<std::optional<std::string>()>;

/// Executes one source after the other and remembers how it went.
class script_runner {
 public:
  explicit script_runner(const start_options& options)
      : options_(options),
        shell_(loop_,
               {.format = options.format,
                .interactive = false,
                .timing = false,
                .user = options.user,
                .password = options.password,
                .tls = options.tls},
               std::cout, std::cerr) {}

  int run(const script_input& input) {
    if (!shell_.connect(options_.host, options_.port)) return exit_no_connection;
    for (const std::string& text : input.statements) {
      std::istringstream lines(text);
      run_source("-e", [&]() -> std::optional<std::string> {
        std::string line;
        if (!std::getline(lines, line)) return std::nullopt;
        return line;
      });
    }
    if (!input.file.empty()) run_descriptor(input.file, ::open(input.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (input.standard_input) run_descriptor("stdin", ::dup(STDIN_FILENO));
    shell_.net().show_pending();
    return status_;
  }

 private:
  void run_descriptor(const std::string& name, int descriptor) {
    if (stop_) return;
    if (descriptor < 0) return unreadable(name, std::strerror(errno));
    try {
      line_source lines(loop_, shell_.net(), descriptor);
      run_source(name, [&] { return lines.next(); });
    } catch (const error& why) {
      unreadable(name, why.what());
    }
  }

  void unreadable(const std::string& name, std::string_view why) {
    std::cerr << escaped(name) << ": " << why << '\n';
    status_ = exit_usage;
    stop_ = true;
  }

  void run_source(const std::string& name, const next_line& lines) {
    statement_accumulator pieces;
    while (!stop_) {
      const auto line = lines();
      if (!line) break;
      pieces.add_line(*line);
      while (auto p = stop_ ? std::nullopt : pieces.next()) run_piece(*p, name);
      if (pieces.rest().size() > parser::statement_bytes_limit) return unreadable(name, "a statement is too long");
    }
    if (auto p = stop_ ? std::nullopt : pieces.last()) run_piece(*p, name);
  }

  void run_piece(const piece& p, const std::string& name) {
    switch (shell_.run(p, name)) {
      case shell::status::fine:
        return;
      case shell::status::quit:
        stop_ = true;
        return;
      case shell::status::failed:
        status_ = exit_statement_failed;
        stop_ = !options_.force;
        return;
      case shell::status::lost:
        status_ = exit_no_connection;
        stop_ = true;
    }
  }

  start_options options_;
  boost::asio::io_context loop_{1};
  shell shell_;
  int status_ = exit_fine;
  bool stop_ = false;
};

}  // namespace

int run_script(const start_options& options, const script_input& input) {
  return script_runner(options).run(input);
}

}  // namespace pubsubsql::cli
