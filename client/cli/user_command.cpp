#include "client/cli/user_command.hpp"

#include <chrono>
#include <iostream>
#include <string_view>
#include <utility>

#include "client/cli/password_input.hpp"
#include "client/cli/script.hpp"
#include "client/cli/text.hpp"
#include "storage/access/password.hpp"
#include "storage/access/users_file.hpp"

namespace pubsubsql::cli {

namespace {

using action = user_command::action;
using problem = std::optional<std::string>;

/// The statement that gives a user a password, with the hash of one that is asked for.
problem set_password(access::user_list& users, const user_command& c) {
  const bool is_known = users.find(c.name) != nullptr;
  if (c.what == action::add && is_known) return "there is a user " + c.name + " already; passwd gives a new password";
  if (c.what == action::passwd && !is_known) return "there is no user " + c.name + "; add makes one";
  auto password = new_password();
  if (!password) return password.error().what();
  if (auto wrong = access::password_problem(*password)) return wrong;
  const auto hash = access::hash_password(*password);
  access::wipe(*password);
  if (!hash) return "there is not the memory that hashing a password takes, which is 64 MiB";
  parser::statement s;
  s.body = parser::create_user_statement{
      .replaces = c.what == action::passwd, .user = c.name, .secret = *hash, .is_hash = true};
  return users.apply(s);
}

problem grant_admin(access::user_list& users, const std::string& name) {
  parser::statement s;
  s.body = parser::grant_statement{.rights = {parser::right::admin}, .table = {}, .user = name};
  return users.apply(s);
}

problem change(access::user_list& users, const user_command& c) {
  if (c.what == action::remove) {
    parser::statement s;
    s.body = parser::drop_user_statement{.user = c.name};
    return users.apply(s);
  }
  if (auto wrong = set_password(users, c)) return wrong;
  return c.admin ? grant_admin(users, c.name) : std::nullopt;
}

/// Leaves the new token, which is kept nowhere else, in `secret`.
problem add_token(access::user_list& users, const user_command& c, std::string& secret) {
  constexpr std::int64_t seconds_per_day = 24 * 60 * 60;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t now_s = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  auto made = access::new_token();
  if (!made) return "the system gives no random numbers; look at its log";
  secret = std::move(*made);
  return users.add_token(c.name, {.hash = access::hash_token(secret),
                                  .label = c.label,
                                  .created_s = now_s,
                                  .expires_s = c.days == 0 ? 0 : now_s + c.days * seconds_per_day});
}

problem change(access::user_list& users, const user_command& c, std::string& secret) {
  if (c.what == action::token_add) return add_token(users, c, secret);
  if (c.what == action::token_remove) return users.remove_token(c.name, c.token_id);
  return change(users, c);
}

void list_tokens(const access::user_list& users, const std::string& of) {
  for (const access::user_list::user& u : users.users()) {
    if (!of.empty() && u.name != of) continue;
    for (const access::token& t : u.tokens) {
      std::cout << escaped(u.name) << "  " << access::id_of(t) << "  created " << access::print_time(t.created_s)
                << "  " << (t.expires_s == 0 ? "never expires" : "expires " + access::print_time(t.expires_s));
      if (!t.label.empty()) std::cout << "  " << escaped(t.label);
      std::cout << '\n';
    }
  }
}

void list(const access::user_list& users) {
  for (const access::user_list::user& u : users.users()) {
    std::cout << escaped(u.name) << '\n';
    for (const std::string& grant : access::grants_of(u)) std::cout << "  " << escaped(grant) << '\n';
  }
}

int fail(std::string_view why) {
  std::cerr << "pubsubsql: " << escaped_lines(why) << '\n';
  return exit_usage;
}

}  // namespace

int run_user_command(const user_command& c) {
  access::user_list users;
  const auto stamp = access::stamp_of(c.file);
  if (stamp || c.what != action::add) {
    auto read = access::read_users(c.file);
    if (!read) return fail(read.error());
    users = std::move(read->list);
  }
  if (c.what == action::list) {
    list(users);
    return exit_fine;
  }
  if (c.what == action::token_list) {
    if (!c.name.empty() && users.find(c.name) == nullptr) return fail("there is no user " + c.name);
    list_tokens(users, c.name);
    return exit_fine;
  }
  std::string secret;
  if (const auto wrong = change(users, c, secret)) return fail(*wrong);
  if (access::stamp_of(c.file) != stamp) return fail(c.file + " has been changed meanwhile; try again");
  if (auto written = access::write_users(c.file, users); !written) return fail(written.error());
  if (!secret.empty()) {
    std::cout << secret << '\n';
    std::cerr << "This token is not shown again. A server that runs takes it after SIGHUP.\n";
    access::wipe(secret);
  }
  return exit_fine;
}

}  // namespace pubsubsql::cli
