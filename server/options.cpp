#include "server/options.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "parser/utf8.hpp"
#include "server/limits.hpp"
#include "server/memory_watch.hpp"
#include "server/version.hpp"

namespace pubsubsql::server {

namespace {

/// Workers beyond this would not fit into a subscriber id, and no machine has the cores.
constexpr unsigned threads_max = 255;
constexpr unsigned spin_us_max = 1'000'000;
constexpr unsigned slow_statement_ms_max = 86'400'000;

/// Of the memory there is, what the process may take unless something else is said: the rest is for the system, and for
/// what statements need while they run.
std::uint64_t usual_memory() {
  return memory_for_process() / 5 * 4;
}

/// An address of MySQL without its password, for which nothing has to be understood but where it stands.
std::string without_password(std::string address) {
  const std::size_t host = address.rfind('@');
  const std::size_t scheme = address.find("://");
  const std::size_t user = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t password = address.find(':', user);
  if (host == std::string::npos || password >= host) return address;
  return address.replace(password + 1, host - password - 1, "***");
}

std::string variable_of(std::string flag) {
  for (char& c : flag) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return "PUBSUBSQL_" + flag;
}

/// Configuration files in UTF-8. CLI11 takes the first byte of some others, such as UTF-16, for the end of the file,
/// and what they set would be missing without a word.
class utf8_config : public CLI::ConfigTOML {
 public:
  [[nodiscard]] std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::ostringstream text;
    text << input.rdbuf();
    if (const std::size_t at = parser::find_invalid_utf8(text.view()); at != std::string_view::npos) {
      throw CLI::ConfigError("--config: byte " + std::to_string(at + 1) + " of the file is not UTF-8; save it as such",
                             CLI::ExitCodes::ConfigError);
    }
    std::istringstream valid(text.str());
    return CLI::ConfigTOML::from_config(valid);
  }
};

class option_reader {
 public:
  option_reader() : app_("PubSubSQL: a SQL publish/subscribe server", "pubsubsqld") {
    app_.config_formatter(std::make_shared<utf8_config>());
    app_.set_version_flag("--version", std::string("pubsubsqld ") + version);
    app_.set_config("--config", "", "Read flags from this file, `flag = value` a line");
    app_.allow_config_extras(CLI::config_extras_mode::error);
    app_.get_formatter()->column_width(36);
    app_.footer("Every flag can also be set as an environment variable (PUBSUBSQL_PORT) or in the --config file.");
  }

  void add_all(options& o) {
    app_.add_flag("--check-config", o.check_config, "Only say what is wrong with the settings, or else what they are");
    flag("bind", o.bind, "Address to listen on");
    flag("port", o.port, "Port to listen on; 0: any free one");
    file("users", o.users_file, "File that has the users, made by `pubsubsql user`; none: everybody may do everything");
    toggle("insecure-no-auth", o.insecure_no_auth, "Without --users, let --bind be any address");
    flag("http-port", o.http_port, "Port for HTTP and WebSocket; 0: none");
    flag("http-allow-origin", o.http_allow_origin,
         "Origins, separated by commas, whose pages may use HTTP and WebSocket besides the server's own; *: all");
    flag("http-allow-host", o.http_allow_host,
         "Names, separated by commas, by which a server without users may be called besides localhost; *: all");
    toggle("http-deflate", o.http_deflate, "Let WebSocket clients have messages compressed");
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
    flag("spin-us", o.spin_us,
         "Microseconds a worker looks for more work before it sleeps: lower latency for a busy core")
        ->check(CLI::Range(0U, spin_us_max));
    flag("threads", o.threads, "Worker threads; 0: one for each core")->check(CLI::Range(0U, threads_max));
    flag("log-level", o.log_level, "How much to log")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}));
    flag("slow-statement-ms", o.slow_statement_ms, "Milliseconds after which a statement is logged as slow; 0: never")
        ->check(CLI::Range(0U, slow_statement_ms_max));
    for (const limit_facts& l : all_limits()) limit(l, o);
    flag("on-slow", on_slow_name_,
         "Too slow a subscriber is to be sent off (`disconnect`), sent the latest state of each row (`conflate`), or "
         "begin anew (`drop`), unless its subscription says otherwise")
        ->check(CLI::IsMember({"disconnect", "conflate", "drop"}));
    flag("stop-grace-ms", o.stop_grace_ms, "Milliseconds an orderly stop waits for clients to read what is due");
    add_tls(o);
  }

  /// What was not written into the options while parsing.
  void finish(options& o) const {
    if (ack_name_ == "memory") o.ack = parser::ack_mode::memory;
    if (on_slow_name_ == "conflate") o.on_slow = parser::slow_policy::conflate;
    if (on_slow_name_ == "drop") o.on_slow = parser::slow_policy::drop;
    if (ack_name_ == "committed") o.ack = parser::ack_mode::committed;
    o.http_port_is_given = app_.get_option("--http-port")->count() > 0;
    o.shown = shown(o);
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
      exit_status = app_.exit(e) == 0 ? 0 : 1;
      return false;
    }
  }

 private:
  void add_tls(options& o) {
    file("tls-cert", o.tls.certificate_file,
         "PEM file with the server's certificate: connections to the port may use TLS; read again at SIGHUP");
    file("tls-key", o.tls.key_file, "PEM file with its private key, which only its owner may read");
    file("tls-client-ca", o.tls.client_ca_file,
         "PEM file with the CAs of client certificates; none: they are not asked for");
    toggle("tls-required", o.tls.required, "Refuse connections without TLS");
    toggle("tls-client-required", o.tls.client_required,
           "Refuse connections without a client certificate, and so without TLS");
  }

  /// A flag that needs no value.
  CLI::Option* toggle(const std::string& name, bool& target, const std::string& help) {
    names_.push_back(name);
    return app_.add_flag("--" + name, target, help);
  }

  /// A file without which clients are let in that should not be: an empty name, as of a variable that somebody forgot
  /// to set, is a mistake.
  void file(const std::string& name, std::string& target, const std::string& help) {
    files_.push_back(name);
    flag(name, target, help)->check([name](const std::string& given) {
      return given.empty() ? "name the file, or leave --" + name + " and " + variable_of(name) + " out" : "";
    });
  }

  template <typename T>
  CLI::Option* flag(const std::string& name, T& target, const std::string& help) {
    names_.push_back(name);
    return app_.add_option("--" + name, target, help)->capture_default_str();
  }

  /// Adds a flag for each variable that is set, unless the flag is there already.
  void add_variables(std::vector<std::string>& arguments) const {
    for (const std::string& name : names_) {
      const char* const set = std::getenv(variable_of(name).c_str());
      const std::string wanted = "--" + name;
      const bool given = std::ranges::any_of(arguments, [&](const std::string& argument) {
        return argument == wanted || argument.starts_with(wanted + "=");
      });
      if (set == nullptr || given) continue;
      if (*set != '\0') {
        arguments.push_back(wanted + "=" + set);
      } else if (std::ranges::find(files_, name) != files_.end()) {
        arguments.insert(arguments.end(), {wanted, ""});
      }
    }
  }

  /// Sizes with or without a unit.
  void limit(const limit_facts& l, options& o) {
    const bool is_size = l.in == limit_facts::unit::bytes;
    names_.emplace_back(l.flag);
    std::string help(l.help);
    if (is_size) help += ", such as 65536 or 16MiB";
    const auto set = [&l, &o](const std::uint64_t& value) { l.set(o, value); };
    CLI::Option* const added = app_.add_option_function<std::uint64_t>("--" + names_.back(), set, help);
    added->default_str(std::to_string(l.get(o)));
    if (is_size) added->transform(CLI::AsSizeValue(false));
    added->check(CLI::Range(l.least, l.most));
  }

  [[nodiscard]] std::string shown(const options& o) const {
    std::string out;
    for (const std::string& name : names_) {
      const CLI::Option& given = *app_.get_option("--" + name);
      const std::size_t place = place_of_limit(name);
      std::string value = given.count() > 0 ? given.results().back() : given.get_default_str();
      if (place < all_limits().size()) value = std::to_string(all_limits()[place].get(o));
      if (name == "mysql") value = without_password(std::move(value));
      if (!value.empty()) out.append(name).append(" = \"").append(value).append("\"\n");
    }
    return out;
  }

  CLI::App app_;
  std::vector<std::string> names_;
  std::vector<std::string> files_;  // of them, those that name a file that keeps clients out
  std::string ack_name_;
  std::string on_slow_name_ = "disconnect";
};

}  // namespace

std::optional<options> read_options(int argc, const char* const* argv, int& exit_status) {
  options o;
  o.memory_bytes_max = usual_memory();
  option_reader reader;
  reader.add_all(o);
  if (!reader.parse(argc, argv, exit_status)) return std::nullopt;
  reader.finish(o);
  return o;
}

}  // namespace pubsubsql::server
