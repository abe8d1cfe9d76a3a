#include "server/access_gate.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include "parser/secrets.hpp"
#include "server/access_control.hpp"
#include "server/log_text.hpp"
#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/worker.hpp"
#include "storage/access/password.hpp"
#include "storage/access/statement_needs.hpp"
#include "storage/access/user_list.hpp"

namespace pubsubsql::server {

namespace {

using parser::right;

storage::error ruled(int code, std::string_view sqlstate, std::string message) {
  return {storage::error_code::refused_by_rules, std::move(message), code, sqlstate};
}

/// Statements about users wait for a thread, so their texts are to be small. What is granted is smaller by far.
constexpr std::size_t change_bytes_max = 64U << 10;

/// MySQL's numbers for what is refused.
storage::error not_authenticated() {
  return ruled(1045, "28000", "Access denied: this server has users; send auth USER PASSWORD first");
}

std::string in_capitals(std::string_view word) {
  std::string out(word);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

storage::error denied(const access::denial& d, std::string_view user) {
  if (d.what == right::admin) {
    return ruled(1227, "42000",
                 "Access denied; user '" + std::string(user) + "' needs the right admin for this: grant admin to '" +
                     std::string(user) + "'");
  }
  const std::string word = d.what ? in_capitals(parser::right_names[static_cast<std::size_t>(*d.what)]) : "ANY";
  return ruled(1142, "42000",
               word + " command denied to user '" + std::string(user) + "' for table '" + log_text(d.table) + "'");
}

void refuse(const client_request& a, const storage::error& e) {
  a.from.reply([&](std::string& out) { encode_error(out, a.to, e); });
}

void refuse(const client_request& a, std::string_view message) {
  a.from.reply([&](std::string& out) { encode_error(out, a.to, message); });
}

}  // namespace

access_control* access_gate::control() const {
  return worker_.shared().access;
}

// Letting in

bool access_gate::admits(const client_request& a, const parser::statement& s) {
  session_identity& who = a.from.identity;
  if (who.user == nullptr) {
    if (parser::is_any<parser::auth_statement, parser::close_statement>(s.body)) return true;
    refuse(a, not_authenticated());
    return false;
  }
  if (who.version != control()->version()) {
    recheck(a.from);
    if (who.user == nullptr) return false;
  }
  if (!has_rights(a, s)) return false;
  if (const auto* made = std::get_if<parser::subscribe_statement>(&s.body)) note_subscription(a.from, made->table);
  return true;
}

void access_gate::note_subscription(session& from, std::string_view table) {
  auto& tables = from.identity.subscribed_to;
  if (!from.has_subscriptions()) tables.clear();
  if (tables.size() <= session_identity::subscribed_to_max && !tables.contains(table)) tables.emplace(table);
}

bool access_gate::has_rights(const client_request& a, const parser::statement& s) {
  const access::user_rights& user = *a.from.identity.user;
  known_decision& known = known_[(s.form ^ user.serial()) % known_.size()];
  if (s.form != 0 && known.form == s.form && known.rights == user.serial()) return true;
  if (const auto denial = denial_of(s, user)) {
    refuse(a, *denial);
    return false;
  }
  if (s.form != 0) known = {.form = s.form, .rights = user.serial()};
  return true;
}

std::optional<storage::error> access_gate::denial_of(const parser::statement& s, const access::user_rights& user) {
  access::statement_needs needs;
  access::needs_of(s, needs);
  const auto missing = access::find_denial(needs, user);
  if (!missing) return std::nullopt;
  return denied(*missing, user.name());
}

void access_gate::refuse_unread(const client_request& a, const parser::syntax_error& e) const {
  if (parser::holds_secret(a.sql)) {
    return a.from.reply([&](std::string& out) {
      encode_error(out, a.to, "expected " + e.expected + "; what is there is not shown, as it may be a password",
                   e.offset);
    });
  }
  if (control() != nullptr && a.from.identity.user == nullptr) return refuse(a, not_authenticated());
  a.from.reply([&](std::string& out) { encode_error(out, a.to, e); });
}

void access_gate::recheck(session& s) {
  session_identity& who = s.identity;
  if (who.user == nullptr) return;
  who.version = control()->version();
  if (who.token != 0 && !control()->has_token(who.token)) {
    who.user = nullptr;
    return s.abort("its token has expired, or was removed", close_code::refused);
  }
  access::shared_rights now = control()->find(who.user->name());
  if (now == who.user) return;
  const auto is_other = [&](const std::string& table) { return !now->has_same(*who.user, table, right::subscribe); };
  const bool is_many = who.subscribed_to.size() > session_identity::subscribed_to_max;
  std::string_view why;
  if (now == nullptr || now->identity() != who.user->identity()) {
    why = "its user was dropped";
  } else if (s.has_subscriptions() && (is_many || std::ranges::any_of(who.subscribed_to, is_other))) {
    why = "the user's right to what it subscribes to has changed";
  }
  if (!why.empty()) now = nullptr;
  who.user = std::move(now);
  if (why.empty()) return;
  s.flush();  // what it was told when it had the right
  s.abort(why, close_code::refused);
}

// Statements about users

bool access_gate::answers(const parser::statement_body& body) {
  if (const auto* show = std::get_if<parser::show_statement>(&body)) return show->what == parser::server_listing::users;
  return parser::is_any<parser::auth_statement, parser::create_user_statement, parser::drop_user_statement,
                        parser::grant_statement, parser::revoke_statement, parser::show_grants_statement>(body);
}

void access_gate::run(const client_request& a, const parser::statement& s) {
  if (control() == nullptr) {
    return refuse(a,
                  "this server has no users: everybody who can connect may do everything; to have users, make a file "
                  "with pubsubsql user add, and start the server with --users FILE");
  }
  if (const auto* auth = std::get_if<parser::auth_statement>(&s.body)) return authenticate(a, *auth);
  if (parser::is_any<parser::show_statement>(s.body)) return show_users(a);
  if (const auto* show = std::get_if<parser::show_grants_statement>(&s.body)) return show_grants(a, show->user);
  change(a, s);
}

void access_gate::show_users(const client_request& a) const {
  static constexpr std::string_view columns[] = {"User", "Admin"};
  const std::vector<access::shared_rights> users = control()->users();
  std::vector<storage::value> cells;
  for (const access::shared_rights& u : users) {
    cells.insert(cells.end(), {storage::value{u->name()}, storage::value{u->is_admin() ? "yes" : "no"}});
  }
  a.from.reply([&](std::string& out) { encode_listing(out, a.to, "show", columns, cells); });
}

void access_gate::show_grants(const client_request& a, std::string_view user) const {
  static constexpr std::string_view columns[] = {"Grant"};
  const access::user_rights& asker = *a.from.identity.user;
  const access::shared_rights of = user.empty() ? a.from.identity.user : control()->find(user);
  if (of.get() != &asker && !asker.is_admin()) {
    return refuse(a, denied({.table = {}, .what = right::admin}, asker.name()));
  }
  if (of == nullptr) return refuse(a, "there is no user '" + log_text(user) + "'; show users lists them");
  const std::vector<storage::value> cells(of->grants().begin(), of->grants().end());
  a.from.reply([&](std::string& out) { encode_listing(out, a.to, "show", columns, cells); });
}

void access_gate::change(const client_request& a, const parser::statement& s) {
  const access::user_rights& asker = *a.from.identity.user;
  const auto* made = std::get_if<parser::create_user_statement>(&s.body);
  const bool own_password = made != nullptr && made->replaces && made->user == asker.name() && !made->is_hash;
  if (!own_password && !asker.is_admin()) {
    return refuse(a, denied({.table = {}, .what = right::admin}, asker.name()));
  }
  if (a.sql.size() > change_bytes_max) {
    return refuse(a, "a statement about users has at most " + std::to_string(change_bytes_max) + " bytes; shorten it");
  }
  const reply_route to{.session = a.from.id(), .slot = a.from.await_reply_alone(), .address = a.to};
  if (control()->change(to, a.sql)) return;
  std::string bytes;
  encode_error(bytes, to.address, "too many changes of users wait; try again later");
  a.from.complete(to.slot, std::move(bytes));
}

// Authentication

void access_gate::authenticate(const client_request& a, const parser::auth_statement& s) {
  if (a.from.has_subscriptions()) {
    return refuse(a, "this connection has subscriptions of another user; unsubscribe, or connect anew");
  }
  if (accept_token(a, s)) return;
  const auto wait = control()->throttle().begin(auth_throttle::host_of(a.from.address()), auth_throttle::clock::now());
  if (!wait) {
    return refuse(a, ruled(1045, "28000",
                           "Access denied: too many attempts of this address have failed, and others wait; try again "
                           "later"));
  }
  const reply_route to{.session = a.from.id(), .slot = a.from.await_reply_alone(), .address = a.to};
  a.from.pause_admission();
  // Cut, so that what waits is small: nobody has a name or a password as long.
  std::string user(s.user.substr(0, access::user_name_bytes_max + 1));
  std::string password(s.password.substr(0, access::password_bytes_max + 1));
  if (*wait == auth_throttle::clock::duration::zero()) return verify(to, std::move(user), std::move(password));
  auto timer = std::make_shared<boost::asio::steady_timer>(worker_.context(), *wait);
  timer->async_wait([this, timer, to, user = std::move(user),
                     password = std::move(password)](const boost::system::error_code& cancelled) mutable {
    if (!cancelled) verify(to, std::move(user), std::move(password));
  });
}

/// A token is looked at without a wait: nobody guesses one, and others' failures from the same address are not the
/// concern of who has it.
bool access_gate::accept_token(const client_request& a, const parser::auth_statement& s) {
  if (!access::is_token(s.password)) return false;
  auto who = control()->identify_token(s.password, s.user);
  if (!who) return false;
  become(a.from, std::move(*who));
  a.from.reply([&](std::string& out) { encode_facts(out, a.to, "auth", {}, {}); });
  return true;
}

void access_gate::verify(const reply_route& to, std::string user, std::string password) {
  if (access::is_token(password)) {
    auth_done refused{.to = to, .user = std::move(user)};
    return on(refused);
  }
  session* const from = worker_.find(to.session);
  if (from == nullptr) return;
  const std::string host = auth_throttle::host_of(from->address());
  if (control()->authenticate(to, host, std::move(user), std::move(password))) return;
  std::string bytes;
  encode_error(bytes, to.address, "too many are being authenticated, of this address or of all; try again later");
  from->limit_admission();
  from->complete(to.slot, std::move(bytes));
}

void access_gate::on(auth_done& m) {
  session* const from = worker_.find(m.to.session);
  if (from == nullptr) return;
  std::string reply;
  auto who = m.accepted != nullptr ? control()->identify(*m.accepted) : std::nullopt;
  const bool accepted = who.has_value();
  if (accepted) {
    become(*from, std::move(*who));
    encode_facts(reply, m.to.address, "auth", {}, {});
  } else {
    reject(*from, m, reply);
    from->limit_admission();
  }
  from->complete(m.to.slot, std::move(reply));
  if (!accepted && ++from->identity.failures >= failures_max) {
    from->finish("too many failed authentications", close_code::refused);
  }
}

void access_gate::become(session& from, session_identity who) {
  spdlog::info("connection {} is of user '{}'", from.address(), log_text(who.user->name()));
  from.identity = std::move(who);
  from.admitted();
}

void access_gate::reject(session& from, const auth_done& m, std::string& reply) const {
  const auto wait = control()->throttle().failed(auth_throttle::host_of(from.address()), auth_throttle::clock::now());
  spdlog::warn("refused to authenticate {} as user '{}'; the next attempt of its address waits {} ms", from.address(),
               log_text(m.user), wait.count());
  encode_error(reply, m.to.address,
               ruled(1045, "28000",
                     "Access denied for user '" + log_text(m.user) +
                         "': there is no such user, or it has another password or token; the next attempt waits " +
                         std::to_string(wait.count()) + " ms"));
}

}  // namespace pubsubsql::server
