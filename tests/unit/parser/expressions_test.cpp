// Expressions and what is made of them: queries, changes, subscriptions.

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "tests/unit/parser/examples.hpp"

using namespace pubsubsql::parser;

namespace {

/// The predicate of a select.
const expression& predicate_of(const statement& s) {
  return *std::get<select_statement>(s.body).where->predicate;
}

}  // namespace

TEST_CASE("expressions: a word is a column, or a value where one may stand") {
  check({
      {"select * from t where sector = TECH and bid > 100", ""},
      {"update t set bid = bid + 1", ""},
      {"update t set bid = bid+1", ""},
      {"update t set a = 12%, b = user@example.org, c = -3.5, d = 2026-01-01, e = d||e",
       "update t set a = 12%, b = user@example.org, c = -3.5, d = 2026-01-01, e = 'd||e'"},
      {"update t set x = (a), y = ('x'), z = (null), w = `a`", "update t set x = `a`, y = ('x'), z = (null), w = `a`"},
      {"update t set a = 'x'||b, c = d || e", "update t set a = 'x' || b, c = d || e"},
      {"update t set flag = bid > 100 and ask < 5", "update t set flag = (bid > 100 and ask < 5)"},
      {"update t set a = b div 2, c = d mod 3", "update t set a = b div 2, c = d % 3"},
      {"update t set a = b and c = 1",
       "expected `,`, `where`, `returning` or end of statement, found `and` at offset 19"},
      {"insert into t (a) values (-1), (-b + 1), ((-b))", ""},
  });
}

TEST_CASE("expressions: what binds how") {
  check({
      {"select * from t where a = 1 or b = 2 and (c = 3 or d = 4) and not (e = 5 and f = 6)", ""},
      {"select * from t where a = 1 xor b = 2 or c = 3", ""},
      {"select * from t where not a = b", ""},
      {"select * from t where !a = b", "select * from t where !a = b"},
      {"select (a + b) * c, a + b * c, a - (b - c), a - b - c from t", ""},
      {"select (a || b) * c from t", "select a || b * c from t"},
      {"select -a, - -b, -(-5), +3, !c, not d from t", "select -a, - -b, - -5, 3, not c, not d from t"},
      {"select * from t where a = b = c", ""},
      {"select * from t where a is null and b is not null and c is true and d is not false and e is unknown",
       "select * from t where a is null and b is not null and c is true and d is not false and e is null"},
      {"select * from t where a between 1 and b + 1 and c not between x and y", ""},
      {"select * from t where a in (1, x, 'x y', b + 1, now()) and c not in (select d from u where e = f)", ""},
      {"select * from t where a like 'x%' and b not like '!%%' escape '!'",
       "select * from t where a like x% and b not like '!%%' escape '!'"},
      {"select * from t where a <=> null and b <> 1 and c != 2 and d <= 3 and e >= 4",
       "select * from t where a <=> null and b <> 1 and c <> 2 and d <= 3 and e >= 4"},
  });
}

TEST_CASE("expressions: functions, aggregates, intervals, subqueries") {
  check({
      {"select NOW(), Count(*), count(distinct a), sum(a * 2), max(upper(b)) from t", ""},
      {"select count(distinct (not a)), count(distinct (not a and b)), count(distinct (!a + b)) from t", ""},
      {"select if(a = X, 1, 2), coalesce(a, 'x', null), timestampdiff(day, a, `day`) from t",
       "select if(a = X, 1, 2), coalesce(a, 'x', null), timestampdiff('day', a, `day`) from t"},
      {"select * from t where d > now() - interval 1 hour and e < date_add(f, interval -1 day)", ""},
      {"select interval '1 hour' + a, interval '1' day, interval a hour, interval (a + b) minute from t", ""},
      {"select * from t where interval = 5 and day = 3", "select * from t where `interval` = 5 and day = 3"},
      {"update t set kind = interval where day = 3", ""},
      {"select * from t where a > interval 1 day", ""},
      {"select * from t where a = (select max(b) from u where c = (select d from v))", ""},
      {"select (select !b * b) * c, (select != 1) from t", "select (select !b * b) * c, `select` <> 1 from t"},
      {"select * from t where current_timestamp - a > interval 5 minute",
       "select * from t where current_timestamp() - a > interval 5 minute"},
      {"update t set a = current_timestamp", ""},
      {"select foo(a) from t where (foo(b)) > 1 and c = (foo(d) + 1)",
       "select foo(a) from t where foo(b) > 1 and c = (foo(d) + 1)"},
      {"select interval 1 dya from t",
       "expected a unit of time such as `second`, `hour` or `day`, found `dya` at offset 18"},
      {"select exists(select 1) from t", "expected `*` or a column name, found `exists` at offset 7"},
  });
}

TEST_CASE("expressions: the form most often used stays what it was") {
  statement_arena arena;
  for (const std::string_view sql :
       {"select * from t where a = b", "select * from t where (a = 'b')", "select * from t where ((`a`) = b)"}) {
    INFO(sql);
    const auto parsed = parse(sql, arena);
    REQUIRE(parsed.has_value());
    const condition& where = *std::get<select_statement>(parsed->body).where;
    CHECK(where.column == "a");
    CHECK(where.value == literal{.text = "b"});
    CHECK(where.predicate == nullptr);
  }
  const auto names = parse("select a, (b) from t", arena);
  REQUIRE(names.has_value());
  CHECK(std::get<select_statement>(names->body).columns.names.size() == 2);
  check({
      {"select * from t where null = 5", "select * from t where `null` = 5"},
      {"select * from t where not = 5", "select * from t where `not` = 5"},
      {"select * from t where not = 5 and not in (1)", "select * from t where `not` = 5 and `not` in (1)"},
      {"select null, true, a from t", "select (null), (true), a from t"},
      {"select `null`, `false`, `current_date` from t", ""},
      {"select * from t where (null) = 1", ""},
      {"select * from t where a = ('b')", ""},
      {"select * from t where a = ==b", "select * from t where a = '==b'"},
  });
}

TEST_CASE("expressions: the source is what was written") {
  statement_arena arena;
  const auto parsed = parse("select ( a+1 ) , max( b )/* x */ as m from t where c  <  now( )  and d = e", arena);
  REQUIRE(parsed.has_value());
  const auto& select = std::get<select_statement>(parsed->body);
  CHECK(select.columns.items[0].value->source == "( a+1 )");
  CHECK(select.columns.items[1].value->source == "max( b )");
  const expression& both = predicate_of(*parsed);
  CHECK(both.source == "c  <  now( )  and d = e");
  CHECK(both.operands[0]->source == "c  <  now( )");
  CHECK(both.operands[0]->operands[1]->source == "now( )");
}

TEST_CASE("queries: all their parts") {
  check({
      {"select distinct a, b + 1 as c from t where d > 1 group by a, b + 1 having count(*) > 3 order by c desc, a "
       "limit "
       "5 offset 10",
       ""},
      {"select a b, c as 'd e', f + 1 `g` from t", "select a as b, c as `d e`, f + 1 as g from t"},
      {"select *, a + 1 from t", ""},
      {"select a, * from t", ""},
      {"select a from t order by a asc limit 5, 10", "select a from t order by a limit 10 offset 5"},
      {"select a from t for update skip locked limit 3", "select a from t limit 3"},
      {"select a from t limit 3 for share nowait", "select a from t limit 3"},
      {"select a from t lock in share mode", "select a from t"},
      {"select distinct from t", "select `distinct` from t"},
      {"select distinct from from t", "select distinct `from` from t"},
      {"select distinct, a from t", "select `distinct`, a from t"},
      {"select 1 + 1, now()", ""},
      {"select 1, a", "expected `,` or `from`, found end of statement at offset 11"},
      {"select a as from t", "expected `,` or `from`, found `t` at offset 17"},
      {"select a from t group c", "expected `by`, found `c` at offset 22"},
      {"select a from t limit x", "expected a number of rows, found `x` at offset 22"},
      {"select a from t limit 1.5", "expected a number of rows, found `1.5` at offset 22"},
      {"select a from t where a like", "expected a value, found end of statement at offset 28"},
      {"select a from t where a > 1 and", "expected an expression, found end of statement at offset 31"},
      {"select a from t where a in ()", "expected a value, found `)` at offset 28"},
      {"select a from t for", "expected `update` or `share`, found end of statement at offset 19"},
      {"select count(a, b) from t", "expected an operator or `)`, found `,` at offset 14"},
  });
}

TEST_CASE("changes: all their parts") {
  check({
      {"insert into t values (1, now()), (3, null)", ""},
      {"insert into t values (1, 2), (3)",
       "expected `,` and a value: 2 values, one for each column, found `)` at offset 31"},
      {"insert ignore into t (a) values (1)", ""},
      {"insert into t (a, b) values (1, 2) on duplicate key update b = values(b) + 1, c = 5 returning *", ""},
      {"insert into t (a, b) select c, d + 1 from u where e = f on duplicate key update a = 1", ""},
      {"insert into t select * from u order by x limit 3", ""},
      {"replace into t (a) values (1) returning a + 1 as b", ""},
      {"insert ignore into t (a) values (1) on duplicate key update a = 1",
       "expected `,` and more values, `returning` or end of statement, found `on` at offset 36"},
      {"push into t values (1, 2)", "push back into t values (1, 2)"},
      {"update t set a = a + 1 where b > 2 order by c desc limit 3 returning a, b + 1 as d", ""},
      {"delete from t where a = 1 order by b limit 1 returning *", ""},
      {"delete from t limit 1, 2", "expected `where`, `returning` or end of statement, found `,` at offset 21"},
  });
}

TEST_CASE("subscriptions: columns, groups, the first rows") {
  check({
      {"subscribe skip a, b from t where x > 1 and y = z", ""},
      {"subscribe skip from t", "subscribe `skip` from t"},
      {"subscribe skip from from t", "subscribe skip `from` from t"},
      {"subscribe sector, count(*), avg(bid) as average from t where bid > 0 group by sector", ""},
      {"subscribe * from t order by bid desc limit 10", ""},
      {"subscribe * from t limit 10", "expected `order by` before `limit`, found `limit` at offset 19"},
  });
}

TEST_CASE("expressions: a statement has so many parts") {
  const auto is_read = [](const std::string& sql, std::size_t parts_max) {
    statement_arena arena(parts_max);
    const auto parsed = parse(sql, arena);
    if (!parsed) {
      CHECK(parsed.error().expected == "a statement of at most " + std::to_string(parts_max) +
                                           " names and parts of expressions (raise --max-statement-parts)");
      CHECK(parsed.error().limit == "max-statement-parts");
    }
    return parsed.has_value();
  };
  const std::pair<std::string, std::size_t> statements[] = {
      {"select 1, 2 from t", 2},
      {"select a, b, c from t", 3},
      {"select *, *, a from t", 3},
      {"select a, a + 1 from t", 4},
      {"select a from t where a in (1, 2, 3)", 6},
      {"select a from t where a > 1 order by a", 5},
      {"insert into t (a, b) values (1, 2), (3, 4)", 2},
      {"insert into t (a) values (1 + 2)", 4},
      {"update t set a = 1, b = a + 1 where a = 1", 5},
      {"delete from t where a > 1 returning a, b", 5},
      {"create table t (a int, b int, index i (a))", 4},
      {"subscribe a, b from t where a > 1", 5},
      {"select (select 1), 2", 3},
  };
  for (const auto& [sql, parts] : statements) {
    CAPTURE(sql);
    CHECK(is_read(sql, parts));
    CHECK_FALSE(is_read(sql, parts - 1));
  }
  // Each statement has its own.
  statement_arena arena(4);
  for (int i = 0; i < 3; ++i) {
    CHECK(parse("select a + 1, 2 from t", arena).has_value());
    arena.reset();
  }
}

TEST_CASE("expressions: subqueries are limited") {
  const auto subqueries = [](std::size_t count) {
    std::string sql = "select (select 1)";
    for (std::size_t i = 1; i < count; ++i) sql += ", (select 1)";
    return sql;
  };
  statement_arena arena;
  CHECK(parse(subqueries(subqueries_max), arena).has_value());
  const auto too_many = parse(subqueries(subqueries_max + 1), arena);
  REQUIRE_FALSE(too_many.has_value());
  CHECK(too_many.error().expected == "a statement of at most 1000 subqueries");
}

TEST_CASE("expressions: depth is limited") {
  const auto repeated = [](std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  const auto is_read = [](const std::string& sql) {
    statement_arena arena;
    const auto parsed = parse(sql, arena);
    if (!parsed) CHECK(parsed.error().expected == "an expression of at most 200 levels");
    return parsed.has_value();
  };
  const auto nested = [&](std::string_view open, std::string_view close, int times) {
    return "select " + repeated(open, times) + "1" + repeated(close, times) + " + 1";
  };
  CHECK(is_read(nested("(", ")", 150)));
  CHECK_FALSE(is_read(nested("(", ")", 100'000)));
  CHECK(is_read(nested("(select 1 + ", ")", 60)));
  CHECK_FALSE(is_read(nested("(select 1 + ", ")", 100'000)));
  CHECK(is_read(nested("upper(", ")", 150)));
  CHECK_FALSE(is_read(nested("upper(", ")", 100'000)));
  CHECK(is_read(nested("- ", "", 150)));
  CHECK_FALSE(is_read(nested("- ", "", 100'000)));
  CHECK_FALSE(is_read(nested("not ", "", 100'000)));
  CHECK(is_read(nested("1 + ", "", 150)));
  CHECK_FALSE(is_read(nested("1 + ", "", 100'000)));
  CHECK(is_read("select * from t where a > 1" + repeated(" and b > 2", 100'000)));
  CHECK(is_read("select * from t where a in (1" + repeated(", 2", 100'000) + ")"));
}

TEST_CASE("tables of a statement: subqueries, too") {
  const auto tables = [](std::string_view sql) {
    statement_arena arena;
    const auto parsed = parse(sql, arena);
    REQUIRE(parsed.has_value());
    std::vector<std::string_view> found;
    tables_of(*parsed, found);
    std::string all;
    for (const std::string_view t : found) all += std::string(t) + " ";
    return all;
  };
  CHECK(tables("select * from t") == "t ");
  CHECK(tables("select (select a from u), b from t where c in (select d from v where e = (select f from t))") ==
        "t u v ");
  CHECK(tables("insert into t select * from u where a = (select b from v)") == "t u v ");
  CHECK(tables("insert into t (a) values ((select a from u)) on duplicate key update a = (select b from v)") ==
        "t u v ");
  CHECK(tables("update t set a = (select b from u) where c > 1") == "t u ");
  CHECK(tables("explain delete from t where a in (select b from u)") == "t u ");
  CHECK(tables("begin").empty());
  CHECK(tables("select 1 + 1").empty());
}

TEST_CASE("statements that change nothing") {
  const auto reads_only = [](std::string_view sql) {
    statement_arena arena;
    return is_read_only(parse(sql, arena)->body);
  };
  CHECK(reads_only("select * from t where a > 1"));
  CHECK(reads_only("explain update t set a = 1"));
  CHECK(reads_only("peek * from t"));
  CHECK_FALSE(reads_only("pop from t"));
  CHECK_FALSE(reads_only("update t set a = 1"));
  CHECK_FALSE(reads_only("subscribe * from t"));
  CHECK_FALSE(reads_only("begin"));
}
