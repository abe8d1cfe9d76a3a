// Rows that are published and not stored, and what is to be copied to queues.

#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/table.hpp"
#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;
using pubsubsql::access::user_rights;

namespace {

using texts = std::vector<std::string>;

std::string state(engine_driver& e, std::string_view name = "t") {
  const table* t = e.engine().find(name);
  return t == nullptr ? "no table" : dump(*t);
}

}  // namespace

TEST_CASE("publish: events and nothing else") {
  engine_driver e;
  static_cast<void>(e.run("insert into t (a, b) values (1, x)"));
  static_cast<void>(e.run("subscribe skip * from t", 7));
  static_cast<void>(e.run("subscribe skip b from t where a > 1", 8));
  static_cast<void>(e.run("subscribe skip * from t where id = 0", 8));
  static_cast<void>(e.run("subscribe skip count(*) from t", 9));
  const std::string before = state(e);
  CHECK(e.run("publish into t (a, b) values (1, y), (2, z)") == "publish 2");
  CHECK(e.changes().empty());
  CHECK(e.events().size() == 3);
  CHECK(e.events()[0].starts_with("s7/1 publish id,a,b:"));
  CHECK(state(e) == before);
  CHECK(e.run("publish into t (a, c) values (1, null)") == "publish 1");
  CHECK(e.changes() == texts{"5 add_column c"});
}

TEST_CASE("publish: what a table refuses, it refuses") {
  engine_driver e;
  static_cast<void>(e.run("create table t (k int primary key, v varchar(3) not null, n int auto_increment, key (n))"));
  static_cast<void>(e.run("insert into t (k, v) values (1, a)"));
  const std::string before = state(e);
  CHECK(e.run("publish into t (k, v) values (1, a)") == "publish 1");
  CHECK(e.run("publish into t (k) values (1)").starts_with("error: Field 'v'"));
  CHECK(e.run("publish into t (k, v) values (x, a)").starts_with("error: Incorrect integer"));
  CHECK(e.run("publish into t (k, v) values (2, a), (3, null)").starts_with("error: Column 'v'"));
  CHECK(e.events().empty());
  CHECK(e.run("publish into t (id, v) values (2, a)").starts_with("error: a row that is published"));
  CHECK(state(e) == before);
}

TEST_CASE("publish: only rows that one may insert") {
  engine_driver e;
  static_cast<void>(e.run("subscribe skip * from t", 7));
  e.act_as(2, std::make_shared<const user_rights>(
                  "web", std::vector<std::string>{"grant insert on t to 'web' where owner = current_user()"}));
  CHECK(e.run("publish into t (owner) values (web)", 2) == "publish 1");
  CHECK(e.run("publish into t (owner) values (web), (root)", 2).starts_with("error: CHECK OPTION failed"));
  CHECK(e.events().empty());
  CHECK(e.run("bind t to u", 2).starts_with("error: a binding copies rows as they come"));
}

TEST_CASE("bindings: which rows go where") {
  engine_driver e;
  CHECK(e.run("bind q to t where a = 1 or b like 'x%'") == "bind");
  CHECK(e.changes() == texts{"1 create_table t", "2 add_binding 1:qa = 1 or b like x%"});
  CHECK(e.run("bind q to t where a = 1") == "bind");
  CHECK(e.run("bind all to t") == "bind");
  CHECK(e.run("bind all to t") == "bind");
  CHECK(e.changes().empty());
  CHECK(e.run("insert into t (a, b) values (1, xy), (2, y), (3, x)") == "insert 3");
  CHECK(e.copies() == texts{"all a,b: 1,xy 2,y 3,x", "q a,b: 1,xy 3,x"});
  CHECK(e.run("publish into t (a) values (1), (null)") == "publish 2");
  CHECK(e.copies() == texts{"all a: 1 null", "q a: 1"});
  CHECK(e.run("update t set a = 1") == "update 3");
  CHECK(e.copies().empty());
  CHECK(e.run("unbind q from t where a = 2") == "unbind 0");
  CHECK(e.run("unbind q from t where a = 1 or b like 'x%'") == "unbind 1");
  CHECK(e.run("insert into t (b) values (x)") == "insert 1");
  CHECK(e.copies() == texts{"all b: x"});
  CHECK(e.run("unbind all from t") == "unbind 1");
  CHECK(e.run("unbind q from t") == "unbind 1");
  CHECK(e.engine().find("t")->bindings() == nullptr);
}

TEST_CASE("bindings: what cannot be bound") {
  limits few;
  few.bindings_max = 2;
  engine_driver e(few);
  CHECK(e.run("bind q to t where a in (select b from u)").starts_with("error: "));
  CHECK(e.run("bind q to t where sum(a) > 1").starts_with("error: "));
  CHECK(e.run("bind pubsubsql_q to t").starts_with("error: "));
  CHECK(e.run("bind q to pubsubsql_t").starts_with("error: "));
  CHECK(state(e) == "no table");
  CHECK(e.run("unbind q from t").starts_with("error: table t does not exist"));
  CHECK(e.run("bind a to t") == "bind");
  CHECK(e.run("bind b to t") == "bind");
  CHECK(e.run("bind c to t").starts_with("error: table t has 2 bindings"));
  CHECK(e.run("create table i (id int primary key, a int)") == "create");
  CHECK(e.run("bind q to i") == "bind");
  CHECK(e.run("insert into i (id) values (1)").starts_with("error: the row of table i has nothing"));
  CHECK(e.run("insert into i (id, a) values (1, 2)") == "insert 1");
  CHECK(e.copies() == texts{"q a: 2"});
}

TEST_CASE("bindings: what was taken back is as before") {
  engine_driver e;
  std::minstd_rand random(7);
  const auto pick = [&](const texts& of) { return of[random() % of.size()]; };
  for (int i = 0; i < 2'000; ++i) {
    const std::string queue = pick({"q", "r", "s"});
    const std::string where = pick({"", " where a = 1", " where b > 2 and c like 'x%'"});
    const std::string statement =
        pick({"bind " + queue + " to t" + where, "unbind " + queue + " from t" + where,
              "insert into t (" + pick({"a", "b", "c"}) + ") values (" + pick({"1", "3", "xy"}) + ")",
              "create table if not exists t (a int, b int)", "drop table if exists t", "alter table t drop column c"});
    const std::string before = state(e);
    static_cast<void>(e.run(statement));
    if (e.kept() == nullptr || random() % 2 == 0) continue;
    const auto changes = e.kept();
    e.engine().undo("t", changes->changes());
    REQUIRE_MESSAGE(state(e) == before, statement);
  }
}
