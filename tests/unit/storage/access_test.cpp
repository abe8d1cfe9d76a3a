// Rights that hold for some rows of a table only.

#include <doctest/doctest.h>

#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;
using pubsubsql::access::user_rights;

namespace {

constexpr std::uint64_t web = 2;

/// A table with rows of two owners, and a user with these grants, who is subscriber 2.
struct guarded_engine : engine_driver {
  explicit guarded_engine(std::vector<std::string> grants) {
    run("insert into t (owner, n) values (web, 1), (root, 2), (web, 3), (root, 4)");
    act_as(web, std::make_shared<const user_rights>("web", std::move(grants)));
  }
  std::string as_web(std::string_view sql) { return run(sql, web); }
};

const char* const own = " on t to 'web' where owner = current_user()";

guarded_engine with_own(const std::string& rights) {
  return guarded_engine({"grant " + rights + own});
}

bool is_check_failure(const std::string& reply) {
  return reply.starts_with("error: CHECK OPTION failed");
}

}  // namespace

TEST_CASE("row filters: what is read") {
  auto engine = with_own("select");
  CHECK(engine.as_web("select n from t") == "select n: 1 3");
  CHECK(engine.as_web("select n from t where n > 1") == "select n: 3");
  CHECK(engine.as_web("select n from t where owner = root") == "select n:");
  CHECK(engine.as_web("select n from t where n = 2 or 1 = 1 order by n desc") == "select n: 3 1");
  CHECK(engine.as_web("select count(*) from t") == "select 2");
  CHECK(engine.as_web("select 1 + (select sum(n) from t)") == "select 5");
  CHECK(engine.as_web("peek front n from t") == "select n: 1");
  CHECK(engine.as_web("peek back n from t") == "select n: 3");
  CHECK(engine.as_web("explain select * from t").find("where") != std::string::npos);
  CHECK(engine.run("select n from t") == "select n: 1 2 3 4");
}

TEST_CASE("row filters: without users, current_user() is NULL") {
  engine_driver engine;
  CHECK(engine.run("select ifnull(current_user(), 'nobody') as u") == "select nobody");
  engine.act_as(web, std::make_shared<const user_rights>("web", std::vector<std::string>{}));
  CHECK(engine.run("select current_user as u", web) == "select web");
  CHECK(engine.run("insert into t (owner) values (current_user) returning owner", web) == "insert owner: web");
}

TEST_CASE("row filters: what is updated and deleted") {
  auto engine = with_own("select, update, delete");
  CHECK(engine.as_web("update t set n = n + 10") == "update 2");
  CHECK(engine.as_web("update t set n = 0 where n = 2") == "update 0");
  CHECK(is_check_failure(engine.as_web("update t set owner = root where n = 11")));
  CHECK(engine.run("select n from t") == "select n: 11 2 13 4");
  CHECK(engine.as_web("delete from t where n = 4") == "delete 0");
  CHECK(engine.as_web("truncate t").starts_with("error: truncate takes all rows"));
  CHECK(engine.as_web("pop front n from t") == "pop n: 11");
  CHECK(engine.as_web("pop from t") == "pop 1");
  CHECK(engine.as_web("pop from t") == "pop 0");
  CHECK(engine.run("select n from t") == "select n: 2 4");
}

TEST_CASE("row filters: rows are found that may be seen and changed") {
  guarded_engine engine({"grant select on t to 'web' where n < 4", "grant update on t to 'web'"});
  CHECK(engine.as_web("update t set m = 1 where n > 0") == "update 3");
  CHECK(engine.as_web("update t set m = 2") == "update 4");
}

TEST_CASE("row filters: what is inserted") {
  auto engine = with_own("insert, select");
  CHECK(engine.as_web("insert into t (owner, n) values (web, 5)") == "insert 1");
  CHECK(is_check_failure(engine.as_web("insert into t (owner, n) values (web, 6), (root, 7)")));
  CHECK(is_check_failure(engine.as_web("push into t (n) values (8)")));
  CHECK(is_check_failure(engine.as_web("insert into t (owner, more) values (root, 1)")));
  CHECK(engine.run("describe t").find("more") == std::string::npos);
  CHECK(engine.run("select n from t") == "select n: 1 2 3 4 5");
}

TEST_CASE("row filters: rows that are shown have to be those that may be seen") {
  guarded_engine engine({"grant insert on t to 'web'", "grant select on t to 'web' where n < 10"});
  CHECK(engine.as_web("insert into t (n) values (20)") == "insert 1");
  CHECK(is_check_failure(engine.as_web("insert into t (n) values (21) returning n")));
  CHECK(engine.as_web("insert into t (n) values (9) returning n") == "insert n: 9");
}

TEST_CASE("row filters: a row in the way that may not be changed is a duplicate") {
  auto engine = with_own("insert, update, delete, select");
  engine.run("key t n");
  CHECK(engine.as_web("insert into t (owner, n) values (web, 1) on duplicate key update m = 5") == "insert 2");
  CHECK(engine.as_web("insert into t (owner, n) values (web, 2) on duplicate key update m = 5").starts_with("error: "));
  CHECK(engine.as_web("replace into t (owner, n) values (web, 2)").starts_with("error: "));
  CHECK(engine.as_web("replace into t (owner, n) values (web, 3)") == "replace 2");
  CHECK(is_check_failure(engine.as_web("insert into t (n) values (1) on duplicate key update owner = root")));
  CHECK(is_check_failure(engine.as_web("replace into t (owner, n) values (root, 3)")));
  CHECK(engine.run("select n, owner from t where owner = root") == "select n,owner: 2,root 4,root");
}

TEST_CASE("row filters: a filter that cannot be asked lets nothing through") {
  guarded_engine engine({"grant all on t to 'web' where hidden is null"});
  for (const char* sql : {"select * from t", "update t set n = 1", "delete from t", "pop from t", "peek * from t",
                          "insert into t (n) values (1)", "subscribe * from t"}) {
    CHECK_MESSAGE(engine.as_web(sql).starts_with("error: Unknown column"), sql);
  }
  engine.run("insert into t (hidden, n) values (1, 5)");
  CHECK(engine.as_web("select n from t") == "select n: 1 2 3 4");
}

TEST_CASE("row filters: events") {
  auto engine = with_own("subscribe");
  CHECK(engine.as_web("subscribe * from t") == "subscribe 1 id,owner,n: 0,web,1 2,web,3");
  CHECK(engine.run_all("insert into t (owner, n) values (web, 5), (root, 6)") ==
        "insert 2\ns2/1 insert id,owner,n: 4,web,5");
  CHECK(engine.run_all("update t set n = 7 where n = 5 or n = 6") == "update 2\ns2/1 update id,n: 4,7");
  CHECK(engine.run_all("update t set owner = web where n = 2") == "update 1\ns2/1 add id,owner,n: 1,web,2");
  CHECK(engine.run_all("delete from t where n = 3 or n = 4") == "delete 2\ns2/1 delete id,owner,n: 2,web,3");
}

TEST_CASE("row filters: a row that leaves is shown as it was") {
  auto engine = with_own("subscribe");
  engine.as_web("subscribe * from t");
  CHECK(engine.run_all("update t set owner = root, n = 99 where n = 1") == "update 1\ns2/1 remove id,owner,n: 0,web,1");
  auto window = with_own("subscribe");
  CHECK(window.as_web("subscribe n from t order by n limit 2") == "subscribe 1 id,n: 0,1 2,3");
  CHECK(window.run_all("update t set owner = root, n = 99 where n = 1") == "update 1\ns2/1 remove id,n: 0,1");
}

TEST_CASE("row filters: groups and first rows") {
  auto engine = with_own("subscribe");
  CHECK(engine.as_web("subscribe count(*) as c, sum(n) as s from t") == "subscribe 1 c,s: 2,4");
  CHECK(engine.run_all("insert into t (owner, n) values (root, 50)") == "insert 1");
  CHECK(engine.run_all("insert into t (owner, n) values (web, 50)") == "insert 1\ns2/1 update c,s: 3,54");
  CHECK(engine.as_web("subscribe sum(if(owner = current_user(), 1, 0)) as mine from t") == "subscribe 2 mine: 3");
}

TEST_CASE("row filters: subscribers share what is the same for them only") {
  auto engine = with_own("subscribe");
  engine.act_as(3, std::make_shared<const user_rights>(
                       "root", std::vector<std::string>{
                                   std::string("grant subscribe on t to 'root' where owner = current_user()")}));
  engine.as_web("subscribe skip count(*) as c from t");
  engine.run("subscribe skip count(*) as c from t", 3);
  CHECK(engine.run_all("insert into t (owner) values (root)") == "insert 1\ns3/2 update c: 3");
}

TEST_CASE("row filters: a column that goes takes the rows with it") {
  guarded_engine engine({"grant subscribe on t to 'web' where ifnull(owner, '') <> 'root'"});
  engine.run("subscribe * from t", 1);
  CHECK(engine.as_web("subscribe skip * from t") == "subscribe 2");
  engine.run("alter table t drop column owner");
  for (const std::string& event : engine.events()) CHECK(event.find("s2/2 add") == std::string::npos);
  CHECK(engine.run_all("insert into t (n) values (9)").find("s2/2") == std::string::npos);
}
