#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "examples.hpp"
#include "parser/bound_text.hpp"
#include "parser/splitter.hpp"

using namespace pubsubsql::parser;

namespace {

std::string bound(std::string_view sql, std::string_view values) {
  std::string out;
  append_bound(out, sql, values);
  return out;
}

/// A statement with values, and the one without that says the same.
struct same_example {
  std::string_view sql;
  std::string_view values;
  std::string_view plain;
};

void check_same(const std::vector<same_example>& examples) {
  for (const same_example& e : examples) {
    const std::string sql = bound(e.sql, e.values);
    INFO(sql);
    statement_arena arena;
    const auto got = parse(sql, arena);
    REQUIRE_MESSAGE(got.has_value(), message(got.error()));
    statement_arena plain_arena;
    const auto expected = parse(e.plain, plain_arena);
    REQUIRE(expected.has_value());
    CHECK_MESSAGE(*got == *expected, print(*got));
    CHECK(statement_end(sql + ';') == sql.size() + 1);

    const std::string printed = print(*got);
    statement_arena printed_arena;
    const auto reread = parse(printed, printed_arena);
    REQUIRE(reread.has_value());
    CHECK_MESSAGE(*reread == *got, printed);
  }
}

}  // namespace

TEST_CASE("bound values: a `?` stands wherever a value may") {
  check_same({
      {"insert into t (a, b, c) values (?, ?, ?)", "'x', 5, null", "insert into t (a, b, c) values ('x', 5, null)"},
      {"insert into t values (?,?), ( ? ,now())", "1, 2, 3", "insert into t values (1, 2), (3, now())"},
      {"insert into t (a) values (?) on duplicate key update a = ?", "1, 2",
       "insert into t (a) values (1) on duplicate key update a = 2"},
      {"insert into t (a) select b from u where c = ?", "'x'", "insert into t (a) select b from u where c = 'x'"},
      {"push front into t (a) values (?)", "'x y'", "push front into t (a) values ('x y')"},
      {"update t set a = ?, b = b + ? where c=? and d > ?", "'x', 2, 'y', 3",
       "update t set a = 'x', b = b + 2 where c='y' and d > 3"},
      {"update t set a = ?+1", "2", "update t set a = 2 + 1"},
      {"update t set a = upper(?)", "'x'", "update t set a = upper('x')"},
      {"select * from t where a in (?, ?) and b between ? and ? and c like ? escape ?", "'x', 'y', 1, 2, '50!%', '!'",
       "select * from t where a in ('x', 'y') and b between 1 and 2 and c like '50!%' escape '!'"},
      {"select * from t where a=?", "null", "select * from t where a=null"},
      {"select ?, a || ? as b from t where ? < c", "5, 'x', 7", "select 5, a || 'x' as b from t where 7 < c"},
      {"select * from t order by a limit ? offset ?", "10, 20", "select * from t order by a limit 10 offset 20"},
      {"select * from t limit ?, ?", "20, '10'", "select * from t limit 20, 10"},
      {"delete from t where a = ? order by b limit ?", "'x', 1", "delete from t where a = 'x' order by b limit 1"},
      {"select * from t where a > now() - interval ? day", "7", "select * from t where a > now() - interval 7 day"},
      {"select * from t where a > now() - interval ? day", "'7'", "select * from t where a > now() - interval '7' day"},
      {"select a - ? from t", "-5", "select a - -5 from t"},
      {"select a * ? from t", "-1.5e-3", "select a * -1.5e-3 from t"},
      {"select -? from t where a = (select max(b) from u where c = ?)", "-5, 6",
       "select - -5 from t where a = (select max(b) from u where c = 6)"},
      {"select count(*) from t group by a having count(*) > ?", "3",
       "select count(*) from t group by a having count(*) > 3"},
      {"subscribe a from t where b > ? order by a limit ?", "1, 3",
       "subscribe a from t where b > 1 order by a limit 3"},
      {"subscribe * from t since ?", "12", "subscribe * from t since 12"},
      {"unsubscribe from t where pubsubid = ?", "'12'", "unsubscribe from t where pubsubid = 12"},
      {"stream insert into t (a) values (?)", "1", "stream insert into t (a) values (1)"},
      {"explain select * from t where a = ?", "'x'", "explain select * from t where a = 'x'"},
      {"create table t (a int default ?)", "5", "create table t (a int default 5)"},
      {"grant select on t to ? where a = ?", "'web', 'x'", "grant select on t to 'web' where a = 'x'"},
      {"auth ? ?", "'web', 'a b'", "auth web 'a b'"},
      {"create user ? identified by ?", "'web', 'a b'", "create user web identified by 'a b'"},
      {"mysql connect ?", "'mysql://a:b@c/d'", "mysql connect mysql://a:b@c/d"},
      {"begin", "", "begin"},
  });
}

TEST_CASE("bound values: they are data, whatever they hold") {
  check_same({
      {"select * from t where a = ?", "'b'", "select * from t where a = 'b'"},
      {"select * from t where ? = a", "'b'", "select * from t where 'b' = a"},
      {"select * from t where a = ?", "'null'", "select * from t where a = 'null'"},
      {"insert into t (a) values (?)", "'default'", "insert into t (a) values ('default')"},
      {"insert into t (a) values (?)", "'now()'", "insert into t (a) values ('now()')"},
      {"insert into t (a) values (?)", "'x''); drop table t --'", "insert into t (a) values ('x''); drop table t --')"},
      {"insert into t (a, b) values (?, 'it''s ? here')", "'?'", "insert into t (a, b) values ('?', 'it''s ? here')"},
      {"select `a?` from t /* ? */ where b = ? -- ?", "1", "select `a?` from t where b = 1"},
      {"insert into t (a, b) values (?, ?)", "true, false", "insert into t (a, b) values (1, 0)"},
      {"insert into t (a, b) values (?, ?)", "1.10, 123456789012345678901234567890",
       "insert into t (a, b) values (1.10, 123456789012345678901234567890)"},
      {"create table t (a text default ?)", "'current_timestamp'",
       "create table t (a text default 'current_timestamp')"},
  });
}

TEST_CASE("bound values: what is wrong is said, with its place in the statement executed") {
  check({
      {"execute immediate 'select * from t where a = ?'",
       "expected 1 value, one for each `?`, found 0 at offset 26 of the statement to be executed"},
      {"execute immediate 'select * from t where a = ? and b = ?' using 1",
       "expected 2 values, one for each `?`, found 1 at offset 36 of the statement to be executed"},
      {"execute immediate 'select * from t where a = ?' using 1, 2",
       "expected 1 value, one for each `?`, found 2 at offset 27 of the statement to be executed"},
      {"execute immediate 'select * from ?' using 't'",
       "expected a table name, found `?` at offset 14 of the statement to be executed"},
      {"execute immediate 'select * from t where ? = ?' using 'a'",
       "expected 2 values, one for each `?`, found 1 at offset 26 of the statement to be executed"},
      {"execute immediate 'select * from t where a = b?' using 'a'",
       "expected a value, found `b?`, which needs quotes, as it has a `?` at offset 26 of the statement to be "
       "executed"},
      {"execute immediate 'select * from t where a = ?b' using 'a'",
       "expected white space, `,` or `)` after the value, found `b` at offset 27 of the statement to be executed"},
      {"execute immediate 'select * from t limit ?' using 'x'",
       "expected a number of rows, found `?` at offset 22 of the statement to be executed"},
      {"execute immediate 'select * from t limit ?' using null",
       "expected a number of rows, found `?` at offset 22 of the statement to be executed"},
      {"execute immediate 'subscribe * from t since ?' using 'abc'",
       "expected a change number, 0 or greater, as the server told it in `seq`, found `abc` for `?` at offset 25 of "
       "the "
       "statement to be executed"},
      {"execute immediate 'subscribe * from t since ?' using -1",
       "expected a change number, 0 or greater, as the server told it in `seq`, found `-1` for `?` at offset 25 of the "
       "statement to be executed"},
      {"execute immediate 'subscribe * from t since ?' using null",
       "expected a change number, 0 or greater, as the server told it in `seq`, found null for `?` at offset 25 of the "
       "statement to be executed"},
      {"execute immediate 'subscribe * from t since ? 5' using ''",
       "expected a change number, 0 or greater, as the server told it in `seq`, found `` for `?` at offset 25 of the "
       "statement to be executed"},
      {"execute immediate 'create table t (a decimal(?, 2))' using 5",
       "expected a number or a text, found `?` at offset 26 of the statement to be executed"},
      {"execute immediate 'select * from t; select * from u'",
       "expected `where` or end of statement, found `;` at offset 15 of the statement to be executed"},
      {"execute immediate 'execute immediate ''begin'''",
       "expected a statement other than prepare, execute and deallocate, found `'begin'` at offset 18 of the statement "
       "to be executed"},
      {"prepare p from 'prepare q from ''begin'''",
       "expected a statement other than prepare, execute and deallocate, found `'begin'` at offset 15 of the statement "
       "to be executed"},
      {"prepare p from 'deallocate prepare p'",
       "expected a statement other than prepare, execute and deallocate, found `p` at offset 19 of the statement to be "
       "executed"},
      {"stream execute immediate 'stop'",
       "expected a statement that has a reply, found `stop` at offset 0 of the statement to be executed"},
      {"select * from t where a = ?", "expected a value, found `?` without a value at offset 26"},
      {"insert into t (a) values (?)", "expected a value, found `?` without a value at offset 26"},
      {"select ? from t", "expected `*` or a column name, found `?` without a value at offset 7"},
      {"execute immediate select", "expected a statement as a text in quotes, found `select` at offset 18"},
      {"execute p using x", "expected a text in quotes, a number, null, true or false, found `x` at offset 16"},
      {"execute p using",
       "expected a text in quotes, a number, null, true or false, found end of statement at offset 15"},
      {"execute p using 1 2", "expected `,` or end of statement, found `2` at offset 18"},
      {"execute p 1", "expected `using` or end of statement, found `1` at offset 10"},
      {"execute", "expected `immediate` or the name of a prepared statement, found end of statement at offset 7"},
      {"prepare p from select", "expected a statement as a text in quotes, found `select` at offset 15"},
  });
}

TEST_CASE("bound values: what is bare and has a `?` inside stays a text where nothing is bound") {
  check({{"select * from t where a = b?c", "select * from t where a = 'b?c'"},
         {"select * from t where a = '?'", "select * from t where a = '?'"}});
}

TEST_CASE("prepared statements: they are read back as they are printed") {
  check({
      {"prepare p from 'select * from t where a = ?'", {}},
      {"prepare `from` from 'select ''x'''", {}},
      {"PREPARE p FROM 'begin';", "prepare p from 'begin'"},
      {"execute p", {}},
      {"execute `immediate`", {}},
      {"execute immediate using 1", "execute `immediate` using 1"},
      {"execute p using 'it''s', -5, 1.50, null, true, false", "execute p using 'it''s', -5, 1.50, null, 1, 0"},
      {"deallocate prepare p", {}},
      {"drop prepare p", "deallocate prepare p"},
      {"insert into t (execute, immediate, prepare, using) values (1, 2, 3, 4)",
       "insert into t (`execute`, `immediate`, `prepare`, `using`) values (1, 2, 3, 4)"},
  });
}

TEST_CASE("prepared statements: every `?` is counted, also where a number has to stand") {
  const std::vector<std::pair<std::string, std::size_t>> examples = {
      {"begin", 0},
      {"select * from t where a = ? limit ? offset ?", 3},
      {"select * from t where a = '?' and b in (?, ?) and c > now() - interval ? day", 3},
      {"auth ? ?", 2},
      {"pop ? from q wait ? seconds lease ? seconds", 3},
      {"select * from t where a = (? + 1) * ?", 2},
  };
  for (const auto& [sql, count] : examples) {
    statement_arena arena;
    std::string text = "prepare p from ";
    append_quoted(text, sql);
    const auto parsed = parse(text, arena);
    REQUIRE_MESSAGE(parsed.has_value(), message(parsed.error()));
    CHECK(std::get<prepare_statement>(parsed->body).parameters == count);
    CHECK(std::get<prepare_statement>(parsed->body).sql == sql);
  }
}

TEST_CASE("bound values: as many as there may be") {
  constexpr int count = 100'000;
  std::string sql = "insert into t (a) values (?)";
  std::string values = "0";
  for (int i = 1; i < count; ++i) {
    sql += ",(?)";
    values += "," + std::to_string(i);
  }
  const std::string text = bound(sql, values);
  statement_arena arena;
  const auto parsed = parse(text, arena);
  REQUIRE(parsed.has_value());
  const auto& rows = std::get<insert_statement>(parsed->body).rows.values;
  REQUIRE(rows.size() == count);
  CHECK(rows[0].text == "0");
  CHECK(rows[count - 1].text == "99999");
}
