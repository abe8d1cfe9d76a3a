#include "client/cli/interactive.hpp"

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "client/cli/accumulator.hpp"
#include "client/cli/completion.hpp"
#include "client/cli/history.hpp"
#include "client/cli/line_editor.hpp"
#include "client/cli/shell.hpp"
#include "parser/print.hpp"

namespace pubsubsql::cli {
namespace {

constexpr const char* prompt = "pubsubsql> ";
constexpr const char* transaction_prompt = "pubsubsql*> ";
constexpr const char* continuation_prompt = "        -> ";

/// How long the TAB key may take when the server has to be asked for names.
constexpr std::chrono::milliseconds completion_patience{200};

/// Knows the tables and columns for completion, and asks the server when it does not.
class name_source {
 public:
  explicit name_source(session& net) : net_(net) {}

  void statement_succeeded(const reply& r) {
    static constexpr std::string_view changing[] = {"insert", "push", "update", "key", "tag", "subscribe"};
    for (const auto action : changing) stale_ = stale_ || r.action() == action;
  }

  void connected() { stale_ = true; }

  /// The names that matter for a text, as fresh as the server's patience allows.
  const catalog& names_for(std::string_view text) {
    if (!net_.connected()) return *known_;
    const auto deadline = session::clock::now() + completion_patience;
    if (stale_) ask_for_tables(deadline);
    ask_for_columns(text, deadline);
    return *known_;
  }

 private:
  // Replies may come after the patience has ended, so what they need is shared with them.
  void ask_for_tables(session::clock::time_point deadline) {
    const auto done = std::make_shared<bool>(false);
    net_.start("show tables", [known = known_, done](const session::outcome& got) {
      *done = true;
      if (!got || !got->rows().column("Table")) return;
      std::vector<std::string> tables;
      for (const row r : *got) tables.emplace_back(r["Table"].text());
      known->set_tables(tables);
      known->forget_columns();
    });
    if (net_.wait_quietly([done] { return *done; }, deadline)) stale_ = false;
  }

  void ask_for_columns(std::string_view text, session::clock::time_point deadline) {
    const auto open = std::make_shared<std::size_t>(0);
    for (const std::string& table : tables_named(*known_, text)) {
      if (!known_->tables().at(table).empty()) continue;
      ++*open;
      net_.start("describe " + parser::quote_name(table), [known = known_, open, table](const session::outcome& got) {
        --*open;
        if (!got || !got->rows().column("Field")) return;
        std::vector<std::string> columns;
        for (const row r : *got) columns.emplace_back(r["Field"].text());
        known->set_columns(table, std::move(columns));
      });
    }
    net_.wait_quietly([open] { return *open == 0; }, deadline);
  }

  session& net_;
  std::shared_ptr<catalog> known_ = std::make_shared<catalog>();
  bool stale_ = true;
};

/// One person's session, from the first prompt to the last.
class conversation {
 public:
  explicit conversation(const start_options& options)
      : options_(options),
        shell_(loop_,
               {.format = options.format,
                .interactive = true,
                .timing = true,
                .user = options.user,
                .password = options.password,
                .tls = options.tls},
               std::cout, std::cerr),
        names_(shell_.net()),
        editor_(loop_, shell_.net(), [this](auto before, auto word) { return complete(before, word); }) {
    shell_.before_notice = [this] { editor_.hide(); };
    shell_.after_notice = [this] { editor_.show(); };
    shell_.on_back = [this] { names_.connected(); };
    shell_.on_reply = [this](const reply& r) { names_.statement_succeeded(r); };
  }

  int run() {
    if (!shell_.connect(options_.host, options_.port)) std::cerr << "\\c [HOST[:PORT]] connects.\n";
    std::cerr << "\\? shows help, \\q quits.\n";
    std::string line;
    for (;;) {
      const char* const ready_prompt = shell_.in_transaction() ? transaction_prompt : prompt;
      switch (editor_.read(typed_.under_way() ? continuation_prompt : ready_prompt, line)) {
        case line_editor::outcome::end_of_input:
          return 0;
        case line_editor::outcome::interrupted:
          typed_.clear();
          break;
        case line_editor::outcome::line:
          typed_.add_line(line);
          if (!run_whole_pieces()) return 0;
      }
    }
  }

 private:
  /// False when the person wants to leave.
  bool run_whole_pieces() {
    while (auto p = typed_.next()) {
      history_.add(p->command ? p->text : p->text + ";");
      if (!p->command && !shell_.net().connected() && !offer_reconnect()) continue;
      if (shell_.run(*p, {}) == shell::status::quit || editor_.ending()) return false;
      if (p->command) names_.connected();
    }
    return true;
  }

  bool offer_reconnect() {
    session& net = shell_.net();
    std::string answer;
    const std::string question =
        "Not connected. Connect to " + net.host() + ":" + std::to_string(net.port()) + "? [Y/n] ";
    if (editor_.read(question, answer) != line_editor::outcome::line) return false;
    if (net.connected()) return true;  // by itself meanwhile
    const bool yes = answer.empty() || answer.front() == 'y' || answer.front() == 'Y';
    if (!yes || !shell_.connect(net.host(), net.port())) return false;
    names_.connected();
    return true;
  }

  line_editor::completion complete(std::string_view before, std::string_view word) {
    std::string text = std::string(typed_.rest()) + std::string(before);
    text.erase(0, text.rfind(';') + 1);
    text.erase(0, text.find_first_not_of(" \t\n"));
    line_editor::completion c;
    const bool file_of_import = text.starts_with("\\import ") && text.find_last_not_of(' ') < 7;
    const bool file_of_export = text.starts_with("\\export ") && text.ends_with(" to ");
    c.files = file_of_import || file_of_export;
    if (!c.files) c.texts = candidates(names_.names_for(text), text, word);
    return c;
  }

  start_options options_;
  // Not told that there is one thread: with that hint, what is started inside a handler (as completion is, by the TAB
  // key) waits for the handler's end.
  boost::asio::io_context loop_;
  shell shell_;
  name_source names_;
  statement_accumulator typed_;
  history history_;
  line_editor editor_;
};

}  // namespace

int run_interactive(const start_options& options) {
  return conversation(options).run();
}

}  // namespace pubsubsql::cli
