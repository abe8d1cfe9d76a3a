#include "server/options.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "parser/request_reader.hpp"
#include "server/version.hpp"

namespace pubsubsql::server {

namespace {

/// Workers beyond this would not fit into a subscriber id, and no machine has the cores.
constexpr unsigned threads_max = 255;
constexpr unsigned spin_us_max = 1'000'000;
/// A message's size must fit the frame header also when every byte of a result is escaped sixfold.
constexpr std::size_t result_bytes_ceiling = 512U << 20;
static_assert(result_bytes_ceiling * 6 < UINT32_MAX);

std::string variable_of(std::string flag) {
  for (char& c : flag) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return "PUBSUBSQL_" + flag;
}

class option_reader {
 public:
  option_reader() : app_("PubSubSQL: a SQL publish/subscribe server", "pubsubsqld") {
    app_.set_version_flag("--version", std::string("pubsubsqld ") + version);
    app_.set_config("--config", "", "Read flags from this file, `flag = value` a line");
    app_.get_formatter()->column_width(36);
    app_.footer("Every flag can also be set as an environment variable (PUBSUBSQL_PORT) or in the --config file.");
  }

  void add_all(options& o) {
    flag("bind", o.bind, "Address to listen on");
    flag("port", o.port, "Port to listen on; 0: any free one");
    flag("users", o.users_file, "File that has the users, made by `pubsubsql user`; none: everybody may do everything");
    toggle("insecure-no-auth", o.insecure_no_auth, "Without --users, let --bind be any address");
    flag("http-port", http_port_, "Port for HTTP; 0: none. This build has no HTTP, so it must be 0")
        ->check(CLI::Range(0, 0));
    flag("data", o.data_directory, "Directory to keep tables in; none: they live in memory only, or in MySQL");
    flag("mysql", o.mysql,
         "MySQL to write every change to: mysql://user:password@host:3306/database; the password may be in "
         "PUBSUBSQL_MYSQL_PASSWORD instead");
    flag("mysql-tables", o.mysql_tables, "Tables to take over from MySQL, separated by commas; none: all");
    flag("mysql-connections", o.mysql_connections, "Connections to MySQL; a table is written over one of them")
        ->check(CLI::Range(1U, 64U));
    flag("mysql-timeout-ms", o.mysql_timeout_ms, "Milliseconds without an answer after which MySQL counts as gone")
        ->check(CLI::Range(100U, 3'600'000U));
    flag("ack", ack_name_,
         "Acknowledge changes when in `memory`, or when `committed` in a store (default with a store)")
        ->check(CLI::IsMember({"memory", "committed"}));
    size("store-queue-bytes", o.store_queue_bytes_max, "Changes waiting to be stored before statements slow down");
    flag("spin-us", o.spin_us,
         "Microseconds a worker looks for more work before it sleeps: lower latency for a busy core")
        ->check(CLI::Range(0U, spin_us_max));
    flag("threads", o.threads, "Worker threads; 0: one for each core")->check(CLI::Range(0U, threads_max));
    flag("log-level", o.log_level, "How much to log")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}));
    size("max-statement-bytes", o.statement_bytes_max, "Size of a statement")
        ->check(CLI::Range(1U, parser::statement_bytes_limit));
    size("max-result-bytes", o.engine.result_bytes_max, "Size of the rows a statement may show")
        ->check(CLI::Range(std::size_t{1}, result_bytes_ceiling));
    size("max-backlog-bytes", o.backlog_bytes_max, "Unread events before a subscriber is too slow");
    size("max-total-backlog-bytes", o.backlog_total_bytes_max,
         "Unread events of all subscribers before the slowest get less; 0: no bound");
    flag("on-slow", on_slow_name_,
         "Too slow a subscriber is to be sent off (`disconnect`), sent the latest state of each row (`conflate`), or "
         "begin anew (`drop`), unless its subscription says otherwise")
        ->check(CLI::IsMember({"disconnect", "conflate", "drop"}));
    size("max-row-bytes", o.engine.row_bytes_max, "Size of a row")
        ->check(CLI::Range(std::size_t{64}, std::size_t{1} << 30U));
    flag("max-columns", o.engine.columns_max, "Columns of a table")->check(CLI::Range(2U, 60'000U));
    flag("max-tables", o.tables_max, "Tables")->check(CLI::PositiveNumber);
    flag("max-connections", o.connections_max, "Connections at a time")->check(CLI::Range(1, 1 << 23));
    flag("max-subscriptions", o.subscriptions_max, "Subscriptions of a connection")->check(CLI::PositiveNumber);
    flag("max-pipeline", o.pipeline_max, "Requests of a connection that may wait for their replies")
        ->check(CLI::PositiveNumber);
    flag("max-transaction-rows", o.transaction_rows_max, "Rows that a transaction may change")
        ->check(CLI::PositiveNumber);
    size("max-transaction-bytes", o.transaction_bytes_max, "Size of what a transaction changes");
    flag("max-transaction-seconds", o.transaction_seconds_max, "Seconds that a transaction may take")
        ->check(CLI::Range(1U, 86'400U));
    flag("stop-grace-ms", o.stop_grace_ms, "Milliseconds an orderly stop waits for clients to read what is due");
    add_tls(o);
  }

  /// What was not written into the options while parsing.
  void finish(options& o) const {
    if (ack_name_ == "memory") o.ack = parser::ack_mode::memory;
    if (on_slow_name_ == "conflate") o.on_slow = parser::slow_policy::conflate;
    if (on_slow_name_ == "drop") o.on_slow = parser::slow_policy::drop;
    if (ack_name_ == "committed") o.ack = parser::ack_mode::committed;
  }

  bool parse(int argc, const char* const* argv, int& exit_status) {
    try {
      // CLI11 would let the configuration file win over the environment, so variables go in as if they were flags.
      std::vector<std::string> arguments(argv + 1, argv + argc);
      add_variables(arguments);
      std::ranges::reverse(arguments);  // which is how CLI11 wants a vector
      app_.parse(std::move(arguments));
      return true;
    } catch (const CLI::ParseError& e) {
      exit_status = app_.exit(e);
      return false;
    }
  }

 private:
  void add_tls(options& o) {
    flag("tls-cert", o.tls.certificate_file,
         "PEM file with the server's certificate: connections to the port may use TLS; read again at SIGHUP");
    flag("tls-key", o.tls.key_file, "PEM file with its private key, which only its owner may read");
    flag("tls-client-ca", o.tls.client_ca_file,
         "PEM file with the CAs of client certificates; none: they are not asked for");
    toggle("tls-required", o.tls.required, "Refuse connections without TLS");
    toggle("tls-client-required", o.tls.client_required, "Refuse connections without a client certificate");
    flag("handshake-timeout-seconds", o.handshake_timeout_seconds,
         "Seconds that a TLS handshake and, with users, authentication may take")
        ->check(CLI::Range(1U, 3'600U));
  }

  /// A flag that needs no value.
  CLI::Option* toggle(const std::string& name, bool& target, const std::string& help) {
    names_.push_back(name);
    return app_.add_flag("--" + name, target, help);
  }

  template <typename T>
  CLI::Option* flag(const std::string& name, T& target, const std::string& help) {
    names_.push_back(name);
    return app_.add_option("--" + name, target, help)->capture_default_str();
  }

  void toggle(const std::string& name, bool& target, const std::string& help) {
    names_.push_back(name);
    app_.add_flag("--" + name, target, help);
  }

  /// Adds a flag for each variable that is set, unless the flag is there already.
  void add_variables(std::vector<std::string>& arguments) const {
    for (const std::string& name : names_) {
      const char* const set = std::getenv(variable_of(name).c_str());
      const std::string wanted = "--" + name;
      const bool given = std::ranges::any_of(arguments, [&](const std::string& argument) {
        return argument == wanted || argument.starts_with(wanted + "=");
      });
      if (set != nullptr && *set != '\0' && !given) arguments.push_back(wanted + "=" + set);
    }
  }

  /// A number of bytes, with or without a unit.
  template <typename T>
  CLI::Option* size(const std::string& name, T& target, const std::string& help) {
    return flag(name, target, help + ", such as 65536 or 16MiB")->transform(CLI::AsSizeValue(false));
  }

  CLI::App app_;
  std::vector<std::string> names_;
  int http_port_ = 0;
  std::string ack_name_;
  std::string on_slow_name_ = "disconnect";
};

}  // namespace

std::optional<options> read_options(int argc, const char* const* argv, int& exit_status) {
  options o;
  option_reader reader;
  reader.add_all(o);
  if (!reader.parse(argc, argv, exit_status)) return std::nullopt;
  reader.finish(o);
  return o;
}

}  // namespace pubsubsql::server
