// Which rights statements take, and what grants come to.

#include <doctest/doctest.h>

#include "parser/parser.hpp"
#include "storage/access/statement_needs.hpp"
#include "storage/access/user_rights.hpp"

using namespace pubsubsql::access;
using pubsubsql::parser::right;

namespace {

/// As "t: select, update; u: select".
std::string needs(std::string_view sql) {
  pubsubsql::parser::statement_arena arena;
  const auto parsed = pubsubsql::parser::parse(sql, arena);
  REQUIRE_MESSAGE(parsed, sql);
  statement_needs found;
  needs_of(*parsed, found);
  std::string out = found.admin ? "admin" : "";
  for (const table_need& need : found.tables) {
    out += (out.empty() ? "" : "; ") + std::string(need.table) + ":";
    for (std::size_t i = 0; i < pubsubsql::parser::right_names.size(); ++i) {
      if (need.rights.has(static_cast<right>(i))) out += " " + std::string(pubsubsql::parser::right_names[i]);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("rights: what statements take") {
  struct example {
    std::string_view sql;
    std::string_view needs;
  };
  for (const auto& [sql, expected] : std::initializer_list<example>{
           {"select * from t where a in (select b from u)", "t: select; u: select"},
           {"select 1", ""},
           {"peek * from t", "t: select"},
           {"explain update t set a = 1", "t: update"},
           {"describe t", "t:"},
           {"insert into t (a) values (1)", "t: insert"},
           {"insert into t (a) values (1) returning *", "t: select insert"},
           {"insert into t (a) select b from u", "t: insert; u: select"},
           {"insert into t (a) values (1) on duplicate key update a = values(a)", "t: insert update"},
           {"insert into t (a) values (1) on duplicate key update a = a + 1", "t: select insert update"},
           {"replace into t (a) values (1)", "t: insert delete"},
           {"push into t (a) values (1)", "t: insert"},
           {"publish into t (a) values (1)", "t: insert"},
           {"publish into t (a) values ((select b from u))", "t: insert; u: select"},
           {"bind q to t where a = 1", "t: select create; q: insert"},
           {"unbind q from t", "t: create"},
           {"show bindings", ""},
           {"pop from t", "t: delete"},
           {"pop * from t", "t: select delete"},
           {"update t set a = 1", "t: update"},
           {"update t set a = 1 where b = 2", "t: select update"},
           {"update t set a = a + 1", "t: select update"},
           {"delete from t", "t: delete"},
           {"delete from t where a = 1", "t: select delete"},
           {"truncate t", "t: delete"},
           {"subscribe * from t", "t: subscribe"},
           {"unsubscribe from t", "t:"},
           {"create table t (a int)", "t: create"},
           {"drop table t", "t: create"},
           {"alter table t add b int", "t: create"},
           {"key t a", "t: create"},
           {"tag t a", "t: create"},
           {"create index i on t (a)", "t: create"},
           {"begin", ""},
           {"status", ""},
           {"show tables", ""},
           {"stop", "admin"},
           {"mysql status", "admin"},
           {"show users", "admin"},
           {"show subscriptions", "admin"},
           {"grant select on t to web", "admin"},
           {"drop user web", "admin"},
       }) {
    CHECK_MESSAGE(needs(sql) == expected, sql);
  }
}

TEST_CASE("rights: grants on a table and on all tables add up") {
  const user_rights web("web", {"grant select on * to 'web'", "grant insert, update on t to 'web' where a = 1",
                                "grant update on t to 'web' where b = 2", "grant delete on u to 'web'"});
  CHECK(web.has_row_filters());
  CHECK_FALSE(web.is_admin());
  CHECK(web.on("other").rights == pubsubsql::parser::right_set{right::select});
  CHECK(web.on("u").rights == pubsubsql::parser::right_set{right::select, right::delete_rows});
  CHECK(web.on("t").rows_of(right::select) == nullptr);
  CHECK(web.on("t").rows_of(right::insert)->op == pubsubsql::parser::operation::equal);
  CHECK(web.on("t").rows_of(right::update)->op == pubsubsql::parser::operation::logical_or);
}

TEST_CASE("rights: a grant for all rows outdoes those for some") {
  const user_rights web("web", {"grant select on t to 'web' where a = 1", "grant select on * to 'web'"});
  CHECK(web.on("t").rows_of(right::select) == nullptr);
}

TEST_CASE("rights: what has stayed the same") {
  const user_rights before("web", {"grant select on t to 'web' where a = current_user()"});
  const user_rights same("web", {"grant select on t to 'web' where a = current_user()", "grant insert on t to 'web'"});
  const user_rights other("web", {"grant select on t to 'web' where a = 'x'"});
  CHECK(before.has_same(same, "t", right::select));
  CHECK_FALSE(before.has_same(same, "t", right::insert));
  CHECK_FALSE(before.has_same(other, "t", right::select));
}

TEST_CASE("rights: what is missing") {
  const user_rights web("web", {"grant select on t to 'web'"});
  CHECK_FALSE(find_denial({.tables = {{"t", {right::select}}}, .admin = false}, web));
  CHECK_FALSE(find_denial({.tables = {{"t", {}}}, .admin = false}, web));
  CHECK(find_denial({.tables = {{"t", {right::select, right::update}}}, .admin = false}, web)->what == right::update);
  CHECK(find_denial({.tables = {{"u", {}}}, .admin = false}, web)->table == "u");
  CHECK(find_denial({.tables = {}, .admin = true}, web)->what == right::admin);
  const user_rights root("root", {"grant admin to 'root'"});
  CHECK_FALSE(find_denial({.tables = {}, .admin = true}, root));
  CHECK(find_denial({.tables = {{"t", {right::select}}}, .admin = false}, root));
}
