#include "storage/access/user_list.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>
#include <variant>

#include "parser/print.hpp"
#include "storage/access/password.hpp"

namespace pubsubsql::access {

namespace {

std::uint64_t next_identity() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string in_quotes(std::string_view name) {
  return "'" + std::string(name) + "'";
}

std::string unknown_user(std::string_view name) {
  return "there is no user " + in_quotes(name) + "; show users lists them, create user makes one";
}

std::string print_grant(parser::right_set rights, std::string_view table, std::string_view user,
                        const std::optional<parser::condition>& where) {
  parser::statement s;
  s.body = parser::grant_statement{.rights = rights, .table = table, .user = user, .where = where};
  return parser::print(s);
}

/// What stands behind the user.
std::string print_where(const std::optional<parser::condition>& where) {
  if (!where) return {};
  const parser::right_set any{parser::right::select};
  return print_grant(any, {}, "u", where).substr(print_grant(any, {}, "u", {}).size());
}

bool reads_other_rows(const parser::expression& e) {
  return e.subquery != nullptr || e.op == parser::operation::aggregate ||
         std::ranges::any_of(e.operands, [](const parser::expression* operand) { return reads_other_rows(*operand); });
}

std::optional<std::string> filter_problem(const parser::grant_statement& s, std::string_view where) {
  if (!s.where) return std::nullopt;
  if (s.rights.has(parser::right::create)) {
    return "create is about a table, not about its rows; grant it without where, and name the other rights one by one";
  }
  if (s.where->predicate != nullptr && reads_other_rows(*s.where->predicate)) {
    return "what a row must meet is seen by itself; leave subqueries and aggregates out of the where";
  }
  if (has_control_characters(where)) return "a where must be one line without control characters; write it as such";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> user_list::apply(const parser::statement& s) {
  return std::visit([this](const auto& body) { return run(body); }, s.body);
}

void user_list::keep_identities_of(const user_list& before) {
  std::map<std::string_view, std::uint64_t> known;
  for (const user& u : before.users_) known.emplace(u.name, u.identity);
  for (user& u : users_) {
    if (const auto it = known.find(u.name); it != known.end()) u.identity = it->second;
  }
}

const user_list::user* user_list::find(std::string_view name) const {
  const auto it = std::ranges::find(users_, name, &user::name);
  return it == users_.end() ? nullptr : &*it;
}

user_list::user* user_list::find_for_change(std::string_view name) {
  const auto it = std::ranges::find(users_, name, &user::name);
  return it == users_.end() ? nullptr : &*it;
}

user_list::problem user_list::run(const parser::create_user_statement& s) {
  if (!s.is_hash || !is_password_hash(s.secret)) {
    return "the password has to be a hash that begins with $argon2id$ and takes at most 256 MiB and 10 passes, behind "
           "identified by password; pubsubsql user add writes it";
  }
  user* const known = find_for_change(s.user);
  if (s.replaces) {
    if (known == nullptr) return unknown_user(s.user);
    known->hash = s.secret;
    return std::nullopt;
  }
  if (known != nullptr) return "there is a user " + in_quotes(s.user) + " already; alter user gives a new password";
  if (s.user.empty() || s.user.size() > user_name_bytes_max || has_control_characters(s.user)) {
    return "the name of a user has 1 to " + std::to_string(user_name_bytes_max) +
           " bytes, none of them control characters; choose another";
  }
  if (users_.size() >= users_max) return "there are " + std::to_string(users_max) + " users already; drop some";
  users_.push_back({.identity = next_identity(),
                    .name = std::string(s.user),
                    .hash = std::string(s.secret),
                    .grants = {},
                    .tokens = {}});
  return std::nullopt;
}

user_list::problem user_list::run(const parser::drop_user_statement& s) {
  user* const known = find_for_change(s.user);
  if (known == nullptr) return unknown_user(s.user);
  users_.erase(users_.begin() + (known - users_.data()));
  return std::nullopt;
}

user_list::problem user_list::run(const parser::grant_statement& s) {
  user* const known = find_for_change(s.user);
  if (known == nullptr) return unknown_user(s.user);
  if (has_control_characters(s.table)) {
    return "rights on a table whose name has control characters cannot be granted; grant those on all tables, or give "
           "it "
           "another name";
  }
  std::string where = print_where(s.where);
  if (auto wrong = filter_problem(s, where)) return wrong;
  const bool is_admin = s.rights.has(parser::right::admin);
  const auto same = [&](const grant& g) {
    return g.rights.has(parser::right::admin) == is_admin && g.table == s.table && g.where == where;
  };
  const auto it = std::ranges::find_if(known->grants, same);
  if (it != known->grants.end()) {
    it->rights.add(s.rights);
    return std::nullopt;
  }
  if (known->grants.size() >= grants_per_user_max) {
    return "the user has " + std::to_string(grants_per_user_max) + " grants already; revoke some";
  }
  known->grants.push_back({.rights = s.rights, .table = std::string(s.table), .where = std::move(where)});
  return std::nullopt;
}

user_list::problem user_list::run(const parser::revoke_statement& s) {
  user* const known = find_for_change(s.user);
  if (known == nullptr) return unknown_user(s.user);
  bool found = false;
  for (grant& g : known->grants) {
    if (g.table != s.table) continue;
    const parser::right_set before = g.rights;
    g.rights.remove(s.rights);
    found = found || g.rights != before;
  }
  if (!found) {
    return "there is no such grant; show grants for " + in_quotes(s.user) + " lists what the user has";
  }
  std::erase_if(known->grants, [](const grant& g) { return g.rights.empty(); });
  return std::nullopt;
}

user_list::problem user_list::add_token(std::string_view name, token t) {
  user* const known = find_for_change(name);
  if (known == nullptr) return unknown_user(name);
  if (t.label.size() > token_label_bytes_max || has_control_characters(t.label)) {
    return "the label of a token has at most " + std::to_string(token_label_bytes_max) +
           " bytes, none of them control characters; choose another";
  }
  const auto is_same = [&](const user& u) {
    return std::ranges::find(u.tokens, t.hash, &token::hash) != u.tokens.end();
  };
  if (std::ranges::any_of(users_, is_same)) return "there is this token already; make a new one";
  if (known->tokens.size() >= tokens_per_user_max) {
    return "the user has " + std::to_string(tokens_per_user_max) + " tokens already; remove some";
  }
  known->tokens.push_back(std::move(t));
  return std::nullopt;
}

user_list::problem user_list::remove_token(std::string_view name, std::string_view id) {
  user* const known = find_for_change(name);
  if (known == nullptr) return unknown_user(name);
  const auto has_id = [&](const token& t) { return id.size() >= id_of(t).size() && to_hex(t.hash).starts_with(id); };
  const auto count = std::ranges::count_if(known->tokens, has_id);
  if (count == 0) return "the user has no token " + in_quotes(id) + "; pubsubsql user token list shows them";
  if (count > 1) return "several tokens begin so; give more digits of the hash in the file";
  std::erase_if(known->tokens, has_id);
  return std::nullopt;
}

bool have_same_credentials(const user_list::user& a, const user_list::user& b) {
  return a.identity == b.identity && a.hash == b.hash && a.tokens == b.tokens;
}

std::string creation_of(const user_list::user& u) {
  parser::statement s;
  s.body = parser::create_user_statement{.user = u.name, .secret = u.hash, .is_hash = true};
  return parser::print(s);
}

std::vector<std::string> grants_of(const user_list::user& u) {
  std::vector<std::string> out;
  for (const user_list::grant& g : u.grants) out.push_back(print_grant(g.rights, g.table, u.name, {}) + g.where);
  return out;
}

}  // namespace pubsubsql::access
