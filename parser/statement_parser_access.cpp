// The statements about users and what they may do.

#include <cstddef>

#include "parser/keywords.hpp"
#include "parser/statement_parser.hpp"

namespace pubsubsql::parser {

bool statement_parser::user_name(std::string_view& out) {
  return accept_text(out) || scanner_.accept_name(out) || fail("the name of a user");
}

bool statement_parser::secret(std::string_view& out, std::string_view expected) {
  if (scanner_.at_end()) return fail(expected);
  literal value;
  if (!plain_value(value)) return false;
  if (value.is_null) return fail(expected);
  out = value.text;
  return true;
}

bool statement_parser::auth(statement_body& out) {
  auto& s = out.emplace<auth_statement>();
  return user_name(s.user) && secret(s.password, "the user's password") && end("end of statement");
}

bool statement_parser::create_user(statement_body& out, bool replaces) {
  auto& s = out.emplace<create_user_statement>(create_user_statement{.replaces = replaces, .user = {}, .secret = {}});
  if (!user_name(s.user) || !keyword("identified", "`identified by`") || !keyword("by", "`by`")) return false;
  const std::size_t before = scanner_.offset();
  s.is_hash = scanner_.accept_keyword("password");
  if (s.is_hash && scanner_.at_end()) {
    scanner_.rewind(before);  // a password that is `password`
    s.is_hash = false;
  }
  return secret(s.secret, "a password in quotes") && end("end of statement");
}

bool statement_parser::drop_user(statement_body& out) {
  return user_name(out.emplace<drop_user_statement>().user) && end("end of statement");
}

bool statement_parser::rights(right_set& out) {
  constexpr std::string_view expected =
      "`select`, `insert`, `update`, `delete`, `subscribe`, `create`, `all` or `admin`";
  do {
    bool found = scanner_.accept_keyword("all");
    if (found) out.add(all_table_rights);
    for (std::size_t i = 0; i < right_names.size() && !found; ++i) {
      found = scanner_.accept_keyword(right_names[i]);
      if (found) out.add(static_cast<right>(i));
    }
    if (!found) return fail(expected);
  } while (scanner_.accept(','));
  return true;
}

/// `RIGHT, ... on T`, or `admin`, which is on no table.
bool statement_parser::rights_on(right_set& what, std::string_view& table) {
  if (!rights(what)) return false;
  if (what.has(right::admin)) return what == right_set{right::admin} || fail("`admin` alone, as it is on no table");
  if (!keyword("on", "`,` or `on`")) return false;
  return scanner_.accept('*') || scanner_.accept_name(table) || fail("a table name, or `*` for all tables");
}

bool statement_parser::grant(statement_body& out) {
  auto& s = out.emplace<grant_statement>();
  if (!rights_on(s.rights, s.table) || !keyword("to", "`to`") || !user_name(s.user)) return false;
  const bool has_rows = !s.rights.has(right::admin);
  if (has_rows && !where(s.where)) return false;
  return end(has_rows && !s.where ? "`where` or end of statement" : "end of statement");
}

bool statement_parser::revoke(statement_body& out) {
  auto& s = out.emplace<revoke_statement>();
  return rights_on(s.rights, s.table) && keyword("from", "`from`") && user_name(s.user) && end("end of statement");
}

bool statement_parser::show_grants(statement_body& out) {
  auto& s = out.emplace<show_grants_statement>();
  if (scanner_.accept_keyword("for") && !user_name(s.user)) return false;
  return end(s.user.empty() ? "`for` or end of statement" : "end of statement");
}

}  // namespace pubsubsql::parser
