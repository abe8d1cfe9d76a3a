#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/storage/engine_driver.hpp"

// What filters of subscriptions may cost those who change rows, see matching/match_budget.hpp.

using namespace pubsubsql::storage;

namespace {

/// A pattern that takes about `cost` steps for each character of a text of so many times 'a' and more.
std::string dear_pattern(std::size_t cost) {
  return "%" + std::string(cost, 'a') + "b%";
}

const std::string text(10'000, 'a');

std::string inserted() {
  return "insert into t (v) values ('" + text + "')";
}

/// The subscriptions that have cost too much, which are ended.
std::vector<std::uint64_t> ended(engine_driver& engine) {
  std::vector<std::uint64_t> out;
  for (const costly_subscription& c : engine.engine().end_costly()) {
    CHECK(c.table == "t");
    CHECK(c.steps > 0);
    out.push_back(c.target.pubsubid);
  }
  return out;
}

}  // namespace

TEST_CASE("match budget: the dearest filters end, and nobody else misses anything") {
  engine_driver engine({.filter_steps_max = 2'000'000});
  engine.run("subscribe skip id from t where v like '" + dear_pattern(150) + "'", 1);
  engine.run("subscribe skip id from t where v like '" + dear_pattern(40) + "'", 2);
  engine.run("subscribe skip id from t where v like '%a%a%'", 3);
  engine.run("subscribe skip id from t", 4);
  CHECK(engine.run_all(inserted()) == "insert 1\ns3/3 insert id: 0\ns4/4 insert id: 0");
  CHECK_FALSE(engine.engine().has_costly());  // the two take 1,900,000 together

  engine.run("subscribe skip id from t where v like '" + dear_pattern(50) + "'", 5);
  engine.run("subscribe skip id from t where v like '" + dear_pattern(150) + "'", 6);  // shares the first one's filter
  CHECK(engine.run_all(inserted()) == "insert 1\ns3/3 insert id: 1\ns4/4 insert id: 1");
  CHECK(ended(engine) == std::vector<std::uint64_t>{1, 6});
  engine.run(inserted());
  CHECK(ended(engine).empty());
  CHECK(engine.run("unsubscribe from t", 1) == "unsubscribe 0");
  CHECK(engine.run("unsubscribe from t", 5) == "unsubscribe 1");
}

TEST_CASE("match budget: filters that take little more than reading the row do not count") {
  engine_driver engine({.filter_steps_max = 1'000'000});
  for (int i = 0; i < 200; ++i) {
    engine.run("subscribe skip id from t where v like '%b" + std::to_string(i) + "%' and 1 + 1 = 2", 1);
  }
  engine.run(inserted());
  engine.run("update t set v = concat(v, 'b7')");
  CHECK(engine.events().size() == 1);
  CHECK_FALSE(engine.engine().has_costly());
}

TEST_CASE("match budget: many small filters together are not free") {
  engine_driver engine({.filter_steps_max = 100'000});
  for (int i = 0; i < 1000; ++i) {
    engine.run("subscribe skip id from t where v like '%b" + std::to_string(i) + "%' and 1 + 1 = 2", 1);
  }
  engine.run("subscribe skip id from t where v <> b and v <> c", 2);
  engine.run("subscribe skip id from t", 3);
  CHECK(engine.run_all("insert into t (v) values ('a')") == "insert 1\ns2/1001 insert id: 0\ns3/1002 insert id: 0");
  CHECK_FALSE(engine.engine().has_costly());
  // Some ten thousand steps each
  CHECK(engine.run_all(inserted()) == "insert 1\ns2/1001 insert id: 1\ns3/1002 insert id: 1");
  const std::size_t count = ended(engine).size();
  CHECK(count >= 850);
  CHECK(count < 1000);
  CHECK(engine.run_all(inserted()) == "insert 1\ns2/1001 insert id: 2\ns3/1002 insert id: 2");
  CHECK(ended(engine).empty());
}

TEST_CASE("match budget: one filter may be too much, also before it is told of its row") {
  engine_driver engine({.filter_steps_max = 100'000});
  const std::string pattern = dear_pattern(3'000);
  engine.run("subscribe skip * from t where v like '" + pattern + "'", 1);
  SUBCASE("insert") {
    engine.run(inserted());
  }
  SUBCASE("update") {
    engine.run("insert into t (v) values (a)");
    engine.run("update t set v = '" + text + "'");
  }
  SUBCASE("publish") {
    engine.run("publish into t (v) values ('" + text + "')");
  }
  CHECK(engine.events().empty());
  CHECK(ended(engine) == std::vector<std::uint64_t>{1});
}

TEST_CASE("match budget: a statement's rows have as much each, and who is over is not asked again") {
  engine_driver engine({.filter_steps_max = 100'000});
  engine.run("subscribe skip * from t where v like '" + dear_pattern(3'000) + "'", 1);
  engine.run("subscribe skip id from t where v like '" + dear_pattern(3) + "' or v = b", 2);
  std::string rows = "insert into t (v) values ";
  for (int i = 0; i < 50; ++i) rows += "('" + text + "'), ";
  CHECK(engine.run_all(rows + "(b)") == "insert 51\ns2/2 insert id: 50");
  CHECK(ended(engine) == std::vector<std::uint64_t>{1});
}

TEST_CASE("match budget: groups and first rows count, too") {
  engine_driver engine({.filter_steps_max = 100'000});
  const std::string dear = "v like '" + dear_pattern(3'000) + "'";
  engine.run("insert into t (v) values (a)");
  engine.run("subscribe count(*) from t where " + dear, 1);
  engine.run("subscribe sum(" + dear + ") from t", 2);
  engine.run("subscribe * from t order by " + dear + " limit 2", 3);
  engine.run("subscribe count(*) from t", 4);
  CHECK(engine.run_all(inserted()) == "insert 1\ns4/4 update count(*): 2");
  CHECK(ended(engine) == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(engine.run_all(inserted()) == "insert 1\ns4/4 update count(*): 3");
}

TEST_CASE("match budget: a group that shows too much costs too much") {
  engine_driver engine;
  std::string list = "v";
  for (int i = 0; i < 7'000; ++i) list += ", coalesce(v, " + std::to_string(i) + ")";
  engine.run("insert into t (v) values (a)");
  CHECK(engine.run("subscribe skip " + list + " from t group by v", 1).starts_with("subscribe 1"));
  engine.run("subscribe skip count(*) from t", 2);
  CHECK(engine.run_all(inserted()) == "insert 1\ns2/2 update count(*): 2");
  CHECK(ended(engine) == std::vector<std::uint64_t>{1});
  CHECK(engine.run("subscribe skip " + list + " from t group by v", 1).starts_with("error: Query execution was inter"));
}

TEST_CASE("match budget: what a subscription begins with is paid by its statement") {
  engine_driver engine({.statement_steps_max = 1'000'000});
  engine.run(inserted());
  const std::string dear = "v like '" + dear_pattern(3'000) + "'";
  const std::string refused =
      "error: Query execution was interrupted, it takes more than 1000000 steps; narrow it, use "
      "a key, or raise --max-statement-steps";
  CHECK(engine.run("subscribe * from t where " + dear) == refused);
  CHECK(engine.run("subscribe sum(" + dear + ") from t") == refused);
  CHECK(engine.run("subscribe * from t order by " + dear + " limit 2") == refused);
  CHECK(engine.run("unsubscribe from t") == "unsubscribe 0");
  // The query that others have is as it was.
  CHECK(engine.run("subscribe count(*) from t", 2) == "subscribe 1 count(*): 1");
  CHECK(engine.run_all("insert into t (v) values (b)") == "insert 1\ns2/1 update count(*): 2");
}

TEST_CASE("match budget: bindings are paid by who brings rows") {
  engine_driver engine({.statement_steps_max = 1'000'000});
  engine.run("bind q to t where v like '" + dear_pattern(3'000) + "'");
  CHECK(engine.run(inserted()).starts_with("error: Query execution was interrupted"));
  CHECK(engine.run("select count(*) from t") == "select 0");
  CHECK(engine.run("insert into t (v) values ('a')") == "insert 1");
}

TEST_CASE("match budget: a column that dear filters read is not dropped halfway") {
  engine_driver engine({.statement_steps_max = 1'000'000, .filter_steps_max = UINT64_MAX});
  engine.run("insert into t (v, w) values ('" + text + "', b)");
  engine.run("subscribe skip * from t where v like '" + dear_pattern(3'000) + "'", 1);
  CHECK(engine.run("alter table t drop column v").starts_with("error: Query execution was interrupted"));
  CHECK(engine.run("select length(v) from t") == "select 10000");
  CHECK(engine.run("alter table t drop column w") == "alter");
}
