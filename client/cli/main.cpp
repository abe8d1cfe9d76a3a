#include <clocale>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <langinfo.h>
#include <unistd.h>

#include "client/cli/interactive.hpp"
#include "client/cli/password_input.hpp"
#include "client/cli/script.hpp"
#include "client/cli/user_command.hpp"

namespace {

constexpr const char* description = R"(Talks with a PubSubSQL server: interactively, or executing a script.

Without FILE and -e, and with a terminal as standard input, it is interactive: statements end with ';', \? shows
help, events of subscriptions appear as they happen. Otherwise it executes the statements of -e, of FILE, or of
standard input, and stops at the first one that fails.)";

constexpr const char* more = R"(
Exit status
  0  everything succeeded
  1  a statement failed
  2  wrong usage, or a file that cannot be read
  3  no connection, or the connection was lost

Files
  $XDG_STATE_HOME/pubsubsql/history, or ~/.pubsubsql_history: what was typed

Examples
  pubsubsql
  pubsubsql -e "select * from stocks" --format json
  pubsubsql --host db1 --user web load.sql
  pubsubsql --host db1 --tls --tls-ca ca.pem
  pubsubsql user add --file users web
  echo "status" | pubsubsql
  pubsubsql -e "subscribe * from stocks; \wait 10 60"
)";

/// Widths of characters are known to the C library only under an UTF-8 locale.
void use_utf8_locale() {
  std::setlocale(LC_ALL, "");
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
  std::setlocale(LC_NUMERIC, "C");
}

using pubsubsql::cli::user_command;

CLI::App* add_user_command(CLI::App* group, user_command& out, const char* name, const char* help,
                           user_command::action what) {
  CLI::App* const command = group->add_subcommand(name, help);
  command->add_option("--file,--users", out.file, "the file; `add` of a user makes it")->required()->type_name("FILE");
  if (what != user_command::action::list) {
    command->add_option("NAME", out.name, "the user's name")->required(what != user_command::action::token_list);
  }
  command->callback([&out, what] { out.what = what; });
  return command;
}

void add_token_commands(CLI::App* user, user_command& out) {
  using action = user_command::action;
  CLI::App* const token = user->add_subcommand("token", "secrets for programs, in the place of a user's password");
  token->require_subcommand(1);
  CLI::App* const add = add_user_command(token, out, "add", "makes a token, and shows it this once", action::token_add);
  add->add_option("--label", out.label, "what it is for")->type_name("TEXT");
  add->add_option("--expires", out.days, "how long it is good (default: for ever)")
      ->type_name("DAYS")
      ->check(CLI::Range(1U, 36'500U));
  add_user_command(token, out, "remove", "removes a token", action::token_remove)
      ->add_option("ID", out.token_id, "which; list shows it")
      ->required();
  add_user_command(token, out, "list", "shows tokens: user, id, times in UTC, label", action::token_list);
}

void add_user_commands(CLI::App& app, user_command& out) {
  using action = user_command::action;
  CLI::App* const user =
      app.add_subcommand("user", "the users in a server's --users file: add, passwd, remove, list, token");
  user->require_subcommand(1);
  add_user_command(user, out, "add", "adds a user; asks for the password, or reads it from standard input", action::add)
      ->add_flag("--admin", out.admin, "who may also change users, rights and the server");
  add_user_command(user, out, "passwd", "gives a user another password", action::passwd);
  add_user_command(user, out, "remove", "removes a user with all rights and tokens", action::remove);
  add_user_command(user, out, "list", "shows the users and what they have been granted", action::list);
  add_token_commands(user, out);
}

/// What the flags say about TLS, and what is wrong with them together.
struct tls_flags {
  bool verify = false;
  bool insecure = false;
  pubsubsql::tls_options options;

  void add_to(CLI::App& app) {
    app.add_flag("--tls", verify, "encrypt the connection, and check the server's certificate");
    app.add_flag("--tls-insecure", insecure, "encrypt the connection, whoever the server is");
    app.add_option("--tls-ca", options.ca_file, "trust the CAs in this file (default: those the system trusts)")
        ->type_name("FILE");
    app.add_option("--tls-server-name", options.server_name, "the name its certificate must have (default: --host)")
        ->type_name("NAME");
    app.add_option("--tls-cert", options.certificate_file, "show the server this client certificate")
        ->type_name("FILE");
    app.add_option("--tls-key", options.key_file, "its private key")->type_name("FILE");
  }

  void finish() {
    using pubsubsql::tls_mode;
    const bool wanted = verify || insecure;
    const bool detailed = !options.ca_file.empty() || !options.server_name.empty() ||
                          !options.certificate_file.empty() || !options.key_file.empty();
    if (verify && insecure)
      throw CLI::ValidationError("--tls-insecure", "says the contrary of --tls; give one of them");
    if (detailed && !wanted) throw CLI::ValidationError("--tls-...", "needs --tls");
    if (insecure && !options.ca_file.empty()) throw CLI::ValidationError("--tls-ca", "needs --tls, which checks it");
    if (options.certificate_file.empty() != options.key_file.empty()) {
      throw CLI::ValidationError("--tls-cert", "needs --tls-key, and the other way round");
    }
    if (wanted) options.mode = insecure ? tls_mode::insecure : tls_mode::verify;
  }
};

int run(int argc, char** argv) {
  namespace cli = pubsubsql::cli;
  use_utf8_locale();

  cli::start_options options{.host = "127.0.0.1",
                             .port = 7777,
                             .format = cli::output_format::table,
                             .user = {},
                             .password = {},
                             .force = false,
                             .tls = {}};
  cli::user_command users;
  std::string password_file;
  cli::script_input input;
  std::string format = "table";

  CLI::App app{description, "pubsubsql"};
  app.footer(more);
  app.set_version_flag("--version", "pubsubsql " PUBSUBSQL_VERSION);
  app.add_option("--host", options.host, "the server's name or address")
      ->envname("PUBSUBSQL_HOST")
      ->capture_default_str();
  app.add_option("--port", options.port, "the server's port")->envname("PUBSUBSQL_PORT")->capture_default_str();
  app.add_option("--user", options.user,
                 "who to authenticate as; the password is asked for, or is in PUBSUBSQL_PASSWORD or --password-file")
      ->envname("PUBSUBSQL_USER");
  app.add_option("--password-file", password_file, "a file whose first line is the password of --user")
      ->type_name("FILE");
  app.add_option("-e,--execute", input.statements, "execute these statements, separated by ';' (repeatable)")
      ->type_name("SQL")
      ->allow_extra_args(false);
  app.add_option("--format", format, "table, json, csv or vertical")
      ->check(CLI::IsMember({"table", "json", "csv", "vertical"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_flag("--force", options.force, "in a script, go on after a statement that failed");
  tls_flags tls;
  tls.add_to(app);
  app.add_option("FILE", input.file, "a script to execute");
  add_user_commands(app, users);

  try {
    app.parse(argc, argv);
    tls.finish();
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? cli::exit_fine : cli::exit_usage;
  }
  options.format = *cli::format_named(format);
  options.tls = tls.options;

  if (users.what) return cli::run_user_command(users);
  if (!options.user.empty()) {
    auto password = cli::connection_password(options.user, password_file);
    if (!password) {
      std::cerr << "pubsubsql: " << password.error().what() << '\n';
      return cli::exit_usage;
    }
    options.password = std::move(*password);
  }

  input.standard_input = input.statements.empty() && input.file.empty();
  if (input.standard_input && ::isatty(STDIN_FILENO) != 0) return cli::run_interactive(options);
  return cli::run_script(options, input);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "pubsubsql: " << e.what() << '\n';
    return pubsubsql::cli::exit_statement_failed;
  }
}
