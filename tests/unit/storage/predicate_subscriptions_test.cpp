#include <doctest/doctest.h>

#include "tests/unit/storage/engine_driver.hpp"

// Subscriptions of any predicate and of some columns, from the statement to the events.

using namespace pubsubsql::storage;

TEST_CASE("subscriptions: equality and range") {
  engine_driver engine;
  engine.run("insert into stocks (symbol, sector, bid) values (IBM, TECH, 120), (XOM, OIL, 200), (HP, TECH, 9)");
  CHECK(engine.run("subscribe * from stocks where sector = TECH and bid > 100", 1) ==
        "subscribe 1 id,symbol,sector,bid: 0,IBM,TECH,120");
  CHECK(engine.run_all("update stocks set bid = 101 where symbol = HP") ==
        "update 1\ns1/1 add id,symbol,sector,bid: 2,HP,TECH,101");
  CHECK(engine.run_all("update stocks set bid = 102 where symbol = HP") == "update 1\ns1/1 update id,bid: 2,102");
  CHECK(engine.run_all("update stocks set sector = OIL where symbol = HP") ==
        "update 1\ns1/1 remove id,symbol,sector,bid: 2,HP,OIL,102");
  CHECK(engine.run_all("update stocks set bid = 300 where symbol = HP") == "update 1");
  CHECK(engine.run_all("delete from stocks where symbol = IBM") ==
        "delete 1\ns1/1 delete id,symbol,sector,bid: 0,IBM,TECH,120");
}

TEST_CASE("subscriptions: some columns") {
  engine_driver engine;
  engine.run("insert into stocks (symbol, bid, ask) values (IBM, 120, 121)");
  CHECK(engine.run("subscribe bid from stocks where symbol = IBM", 1) == "subscribe 1 id,bid: 0,120");
  CHECK(engine.run("subscribe id, symbol, bid from stocks", 2) == "subscribe 2 id,symbol,bid: 0,IBM,120");
  CHECK(engine.run_all("update stocks set ask = 7, bid = 8") ==
        "update 1\ns2/2 update id,bid: 0,8\ns1/1 update id,bid: 0,8");
  CHECK(engine.run_all("update stocks set ask = 9, bid = 8") == "update 1");
  CHECK(engine.run("subscribe last from stocks", 3) == "error: " + engine.run("select last from stocks").substr(7));
}

TEST_CASE("subscriptions: a column that comes later is NULL until then") {
  engine_driver engine;
  engine.run("subscribe skip * from t where a > 1 and late is null", 1);
  engine.run("subscribe skip * from t where late = 5 or a = 9", 2);
  CHECK(engine.run_all("insert into t (a) values (2)") == "insert 1\ns1/1 insert id,a: 0,2");
  CHECK(engine.run_all("update t set late = 5") == "update 1\ns1/1 remove id,a,late: 0,2,5\ns2/2 add id,a,late: 0,2,5");
  CHECK(engine.run_all("unsubscribe from t", 1) == "unsubscribe 1");
  CHECK(engine.run_all("delete from t") == "delete 1\ns2/2 delete id,a,late: 0,2,5");
}
