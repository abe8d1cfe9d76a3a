#include <memory_resource>
#include <string>

#include <doctest/doctest.h>

#include "parser/parser.hpp"
#include "storage/database.hpp"
#include "storage/sql/comparison.hpp"
#include "storage/sql/datum.hpp"

// What a statement may cost, and what happens when it would cost more: it is refused, and nothing is changed.

using namespace pubsubsql;
using namespace pubsubsql::storage;

namespace {

class engine {
 public:
  explicit engine(const limits& l = {}) : database_(l) {}

  /// The error, or nothing.
  std::string run(const std::string& sql, std::uint64_t memory_exceeded = 0) {
    parser::statement_arena arena;
    const auto parsed = parser::parse(sql, arena);
    REQUIRE_MESSAGE(parsed, sql);
    const outcome& o = database_.execute(*parsed, {.memory_exceeded = memory_exceeded});
    rows_ = o.rows;
    limit_ = o.failure ? std::string(o.failure->limit) : "";
    code_ = o.failure ? o.failure->mysql_code : 0;
    return o.failure ? o.failure->message : "";
  }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] const std::string& limit() const { return limit_; }
  [[nodiscard]] int code() const { return code_; }

 private:
  database database_;
  std::uint64_t rows_ = 0;
  std::string limit_;
  int code_ = 0;
};

void fill(engine& e, int rows) {
  std::string sql = "insert into t (a, b) values ";
  for (int i = 0; i < rows; ++i) sql += (i > 0 ? ",(" : "(") + std::to_string(i) + "," + std::to_string(i % 7) + ")";
  REQUIRE(e.run(sql).empty());
}

}  // namespace

TEST_CASE("work budget: statements that take too many steps are interrupted and change nothing") {
  engine e({.statement_steps_max = 2'000});
  fill(e, 1'000);
  for (const char* sql :
       {"select * from t where a + 1 > b * 2", "update t set b = 9 where a + 1 > b * 2",
        "update t set b = a + b + a + b", "delete from t where a + 1 > b * 2",
        "select sum(a + b), count(*) from t group by b + 1", "select distinct a + b from t",
        "insert into u (x) select a + b + a from t", "select (select sum(a + b) from t)",
        "update t set b = 3 where a in (select max(a + b) from t)", "select a from t order by a + b * 2"}) {
    INFO(sql);
    CHECK(e.run(sql) ==
          "Query execution was interrupted, it takes more than 2000 steps; narrow it, use a key, or raise "
          "--max-statement-steps");
    CHECK(e.limit() == "max-statement-steps");
    CHECK(e.code() == 3024);
  }
  CHECK(e.run("select * from t where b = 9").empty());
  CHECK(e.rows() == 0);
  CHECK(e.run("select * from t").empty());
  CHECK(e.rows() == 1'000);
}

TEST_CASE("work budget: every statement has a budget of its own") {
  engine e({.statement_steps_max = 4'000});
  fill(e, 1'000);
  for (int i = 0; i < 20; ++i) CHECK(e.run("select * from t where a < 0").empty());
}

TEST_CASE("work budget: a pattern that would take the product of two lengths is interrupted") {
  const std::string text(20'000, 'a');
  const std::string pattern = "%" + std::string(10'000, 'a') + "b%";
  std::uint64_t steps = 1'000'000;
  CHECK_FALSE(sql::is_like(steps, text, pattern, "\\"));
  steps = 1'000'000;
  CHECK(sql::is_like(steps, text, "%a%a%a%a%a%a%a%", "\\") == true);
  CHECK(steps > 900'000);

  engine e({.statement_steps_max = 3'000'000});
  CHECK(e.run("insert into t (v) values ('" + text + "')").empty());
  CHECK(e.run("select * from t where v like '" + pattern + "'").starts_with("Query execution was interrupted"));
  CHECK(e.run("select '" + text + "' like '" + pattern + "'").starts_with("Query execution was interrupted"));
  CHECK(e.run("subscribe * from t where v like '" + pattern + "'").starts_with("Query execution was interrupted"));
  CHECK(e.run("subscribe count(*) from t where v like '" + pattern + "'").starts_with("Query execution was interr"));
}

TEST_CASE("work budget: who has had too few steps has none left") {
  std::pmr::monotonic_buffer_resource memory;
  sql::work_budget budget{.steps_max = 10};
  sql::evaluation e(memory, 0, &budget);
  CHECK(e.spend(4));
  CHECK_FALSE(e.spend(7));
  CHECK(e.failure());
  // Or each of many patterns would take as many again.
  CHECK(budget.steps_left == 0);
}

TEST_CASE("work budget: what a statement holds to group, sort and tell apart is bounded") {
  engine e({.statement_memory_max = 1U << 16});
  fill(e, 5'000);
  for (const char* sql : {"select a from t order by a desc", "select distinct a from t",
                          "select count(*) from t group by a", "select count(distinct a) from t"}) {
    INFO(sql);
    CHECK(e.run(sql).starts_with("Out of sort memory, the statement would hold more than 65536 bytes"));
    CHECK(e.limit() == "max-statement-memory");
  }
  CHECK(e.run("select a from t order by a desc limit 10").empty());  // holds little more than those
  CHECK(e.run("select b, count(*) from t group by b").empty());
}

TEST_CASE("work budget: results that grow are refused before they are made") {
  engine e;
  CHECK(e.run("insert into t (v) values ('" + std::string(1U << 20, 'x') + "')").empty());
  std::string all = "v";
  for (int i = 0; i < 100; ++i) all += ", v";
  CHECK(e.run("select concat(" + all + ") from t") == "Result of a function was larger than 67108864 bytes");
  std::string sum = "v";
  for (int i = 0; i < 150; ++i) sum += " || v";
  CHECK(e.run("select " + sum + " from t") == "Result of an expression was larger than 268435456 bytes");
}

TEST_CASE("work budget: long conditions are read in a time that grows with their length") {
  engine e;
  fill(e, 3);
  std::string same;
  std::string several;
  std::string aggregates;
  for (int i = 0; i < 50'000; ++i) {
    const std::string n = std::to_string(i);
    same += (i > 0 ? " or a = " : "a = ") + n;
    several += (i > 0 ? " or " : "") + ("a = 'x" + n) + "' or b = 'y" + n + "'";
    if (i < 5'000) aggregates += (i > 0 ? ", sum(a + " : "sum(a + ") + n + ")";
  }
  CHECK(e.run("select * from t where " + same).empty());
  CHECK(e.rows() == 3);
  CHECK(e.run("select * from t where " + several).empty());
  CHECK(e.rows() == 0);
  CHECK(e.run("select " + aggregates + " from t").starts_with("A query computes at most 4096 different aggregates"));
}

TEST_CASE("memory: what adds to it is refused, all else goes on") {
  constexpr std::uint64_t exceeded = 1'000'000;
  engine e;
  fill(e, 10);
  CHECK(e.run("insert into t (a) values (x)", exceeded) ==
        "Out of memory; the server uses more than 1000000 bytes, so nothing may be added: delete rows, end "
        "subscriptions, or raise --max-memory");
  CHECK(e.code() == 1041);
  CHECK(e.limit() == "max-memory");
  for (const char* sql : {"push into t (a) values (x)", "insert into new (a) values (x)", "key t a", "tag t b",
                          "subscribe * from t", "create table d (a int)", "create index i on t (a)",
                          "alter table t add column c", "update t set a = longer_than_before"}) {
    INFO(sql);
    CHECK(e.run(sql, exceeded).starts_with("Out of memory"));
  }
  CHECK(e.run("update t set a = 7 where a = 5", exceeded).empty());
  CHECK(e.rows() == 1);
  CHECK(e.run("select * from t", exceeded).empty());
  CHECK(e.rows() == 10);
  CHECK(e.run("delete from t where a = 7", exceeded).empty());
  CHECK(e.rows() == 2);
  CHECK(e.run("insert into t (a) values (x)").empty());
}

TEST_CASE("indexes: a table has at most 64, as in MySQL") {
  engine e;
  std::string sql = "create table t (a int";
  for (int i = 0; i < 65; ++i) sql += ", index i" + std::to_string(i) + " (a)";
  CHECK(e.run(sql + ")") == "Too many keys specified; max 64 keys allowed for table t");
  CHECK(e.code() == 1069);
}
