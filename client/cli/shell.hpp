#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>

#include "client/cli/accumulator.hpp"
#include "client/cli/command.hpp"
#include "client/cli/format.hpp"
#include "client/cli/session.hpp"

namespace pubsubsql::cli {

/// What is the same for a person at a terminal and for a script: executing statements and commands, and showing what
/// comes of it. Everything that is written goes to `out` and `err`.
class shell {
 public:
  struct settings {
    output_format format = output_format::table;
    bool interactive = false;
    bool timing = false;
    std::string user = {};  ///< to authenticate as on every connection; empty: nobody
    std::string password = {};
    tls_options tls = {};
  };

  enum class status : std::uint8_t { fine, failed, lost, quit };

  shell(boost::asio::io_context& loop, settings s, std::ostream& out, std::ostream& err);

  [[nodiscard]] session& net() { return net_; }
  [[nodiscard]] const settings& how() const { return settings_; }

  /// Executes one piece. `source` names where it comes from in messages of a script ("load.sql"), empty for a person.
  status run(const piece& p, std::string_view source);

  /// Whether a transaction of the connection has begun and not ended, for the prompt: one that the server rolled back
  /// is noticed when it says so.
  [[nodiscard]] bool in_transaction() const { return in_transaction_; }

  /// Connects, and says so or why not.
  bool connect(const std::string& host, std::uint16_t port);

  /// Before and after something is written that nobody asked for just now (an event, the loss of the connection); a
  /// person's half-typed line is taken away meanwhile.
  std::function<void()> before_notice = [] {};
  std::function<void()> after_notice = [] {};

  /// After a statement succeeded: what was known of tables and columns may have changed.
  std::function<void(const reply&)> on_reply = [](const reply&) {};

  /// After the connection has been made again by itself.
  std::function<void()> on_back = [] {};

 private:
  /// For what is shown of a subscription, if it is of one.
  [[nodiscard]] layout output_layout(subscription of = subscription::none) const;
  status run_statement(const piece& p, std::string_view source);
  status run_command(const piece& p, std::string_view source);
  status show_tables();
  status fail(const piece& p, std::string_view source, const error& why);
  void note_transaction(std::string_view action);
  void show_reply(const reply& r, std::chrono::nanoseconds took);
  void tell_loss(const error& why);
  void say_connected(std::string_view again);
  void show_notice(const std::function<void()>& write);

  status perform(const help_command& c);
  status perform(const quit_command& c);
  status perform(const tables_command& c);
  status perform(const timing_command& c);
  status perform(const connect_command& c);
  status perform(const describe_command& c);
  status perform(const format_command& c);
  status perform(const import_command& c);
  status perform(const export_command& c);
  status perform(const wait_command& c);

  settings settings_;
  std::ostream& out_;
  std::ostream& err_;
  std::uint64_t events_ = 0;           // rows of events shown and not waited for by \wait yet
  std::set<subscription> positioned_;  // whoever made them has asked for positions, and sees them
  bool in_transaction_ = false;
  bool loss_told_ = false;  // nothing more is to be said of the present connection's end
  session net_;
};

}  // namespace pubsubsql::cli
