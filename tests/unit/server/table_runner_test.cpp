#include "tests/unit/server/running_server.hpp"

// The optimistic group commit: several connections and workers, pipelines, subscribers.

using namespace server_tests;

TEST_CASE("group commit: a refused statement in a pipeline leaves its neighbours unharmed") {
  struct row {
    const char* name;
    std::vector<std::string> statements;
    std::vector<std::string> replies;
  };
  const row rows[] = {
      {"in the middle",
       {"insert into t (a) values (1)", "insert into t (a) values (refuse)", "insert into t (a) values (2)",
        "select * from t"},
       {"ok 1", "err no", "ok 1", R"(ok [["0","1"],["1","2"]])"}},
      {"the one that makes the table",
       {"insert into t (a) values (refuse)", "insert into t (b) values (x) returning *", "select * from t"},
       {"err no", R"(ok [["0","x"]])", R"(ok [["0","x"]])"}},
      {"the only one",
       {"insert into t (a) values (refuse)", "select * from t", "describe t"},
       {"err no", "err table t does not exist; insert, push, key, tag or subscribe creates it",
        "err table t does not exist; insert, push, key, tag or subscribe creates it"}},
      {"one that added a column",
       {"insert into t (a) values (1)", "update t set b = refuse", "update t set c = 2 returning *"},
       {"ok 1", "err no", R"(ok [["0","1","2"]])"}},
      {"one that hid a duplicate",
       {"key t k", "insert into t (k) values (1)", "update t set k = refuse", "insert into t (k) values (1)"},
       {"ok", "ok 1", "err no", "err duplicate value '1' for key k of table t; another row has it"}},
      {"one whose row others changed",
       {"insert into t (a) values (1), (2)", "push front into t (a) values (refuse)", "pop front * from t",
        "delete from t where id = 2", "update t set a = 3 returning *"},
       {"ok 2", "err no", R"(ok [["0","1"]])", "ok 0", R"(ok [["1","3"]])"}},
      {"several",
       {"insert into t (a) values (refuse)", "insert into t (a) values (refuse)", "insert into t (a) values (1)",
        "insert into t (a) values (refuse)", "select id from t"},
       {"err no", "err no", "ok 1", "err no", R"(ok [["0"]])"}},
      {"with others that wait for everything",
       {"insert into t (a) values (refuse)", "tag t a", "insert into t (a) values (1)",
        "alter table t set ack = committed", "insert into t (a) values (refuse)", "subscribe * from t",
        "insert into t (a) values (2)", "unsubscribe from t"},
       {"err no", "ok", "ok 1", "ok", "err no", "ok", "ok 1", "ok"}},
      {"corrected",
       {"insert into t (a, b) values ('round 1', 2) returning *", "update t set b = 'round 3' returning *",
        "select * from t", "insert into t (a) values (4)"},
       {R"(ok [["0","1","2"]])", R"(ok [["0","1","3"]])", R"(ok [["0","1","3"]])", "ok 1"}},
      {"corrected and refused in turn",
       {"insert into t (a) values ('round 1'), ('round 2')", "insert into t (a) values (refuse)",
        "update t set a = 'round 9' where a = 1", "insert into t (a) values (refuse)", "select * from t"},
       {"ok 2", "err no", "ok 1", "err no", R"(ok [["0","9"],["1","2"]])"}},
  };
  for (const row& r : rows) {
    for (const unsigned threads : thread_counts) {
      for (unsigned seed = 1; seed <= 5; ++seed) {
        INFO(std::string(r.name) << ", " << threads << " workers, seed " << seed);
        running_server s(threads, seed);
        client c(s);
        client elsewhere(s);  // on another worker, if there is one
        if (seed % 2 == 0) s.store().hold(true);
        for (const std::string& sql : r.statements) (seed == 5 ? elsewhere : c).send(sql);
        s.store().hold(false);
        for (std::size_t i = 0; i < r.replies.size(); ++i) {
          INFO(r.statements[i]);
          const json reply = (seed == 5 ? elsewhere : c).reply();
          if (reply.contains("pubsubid")) continue;
          CHECK(brief(reply) == r.replies[i]);
          CHECK((reply["status"] != "err" || reply["msg"] != "no" || reply["code"] == 7));
        }
        s.stop();
        CHECK(s.store().problems() == std::vector<std::string>{});
      }
    }
  }
}

TEST_CASE("group commit: readers and subscribers see nothing before it is committed") {
  for (const unsigned threads : thread_counts) {
    running_server s(threads, 1);
    client writer(s);
    client reader(s);
    client subscriber(s);
    REQUIRE(brief(writer.ask("insert into t (a) values (1)")) == "ok 1");
    REQUIRE(subscriber.ask("subscribe skip * from t")["status"] == "ok");
    s.store().hold(true);
    writer.send("insert into t (a) values (2)");
    writer.send("insert into t (a) values (refuse)");
    s.store().wait_for_writes(3);
    reader.send("select * from t");
    CHECK(brief(subscriber.ask("status")).starts_with("ok"));
    CHECK_FALSE(writer.has_input());
    CHECK_FALSE(reader.has_input());
    CHECK(subscriber.events.empty());
    s.store().hold(false);
    CHECK(brief(writer.reply()) == "ok 1");
    CHECK(brief(writer.reply()) == "err no");
    CHECK(brief(reader.reply()) == R"(ok [["0","1"],["1","2"]])");
    CHECK(brief(subscriber.ask("select a from t")) == R"(ok [["1"],["2"]])");
    REQUIRE(subscriber.events.size() == 1);
    CHECK(subscriber.events[0]["data"].dump() == R"([["1","2"]])");
  }
}

TEST_CASE("group commit: a row that was stored otherwise is corrected late, with a store and without") {
  for (const unsigned threads : thread_counts) {
    for (const bool with_store : {true, false}) {
      running_server s(threads, 1);
      client c(s);
      client subscriber(s);
      REQUIRE(brief(c.ask("insert into t (a) values (1)")) == "ok 1");
      REQUIRE(subscriber.ask("subscribe skip * from t")["status"] == "ok");
      if (!with_store) s.drop_store();
      s.correct("insert into t (a) values (1)", {{"1.00"}});
      CHECK(brief(c.ask("select * from t")) == R"(ok [["0","1.00"]])");
      s.correct("insert into t (a) values (1)", {{"2.00"}});  // it is not as it was written any more
      CHECK(brief(subscriber.ask("select a from t")) == R"(ok [["1.00"]])");
      REQUIRE(subscriber.events.size() == 1);
      CHECK(subscriber.events[0]["action"] == "update");
      CHECK(brief(c.ask("insert into t (a) values (3)")) == "ok 1");
    }
  }
}

TEST_CASE("transactions: a refused commit takes back every table, and nothing else") {
  for (const unsigned threads : {1U, 3U}) {
    running_server server(threads, 5);
    client a(server);
    client watcher(server);
    for (const char* const table : {"x", "y"}) {
      const std::string name = table;
      CHECK(brief(a.ask("insert into " + name + " (v) values (first)")) == "ok 1");
      CHECK(brief(watcher.ask("subscribe skip * from " + name)) == "ok");
    }
    for (const char* const sql : {"begin", "insert into x (v) values (gone)", "update x set v = gone",
                                  "insert into y (v, w) values (refuse, gone)", "insert into z (v) values (gone)"}) {
      CHECK(brief(a.ask(sql)).starts_with("ok"));
    }
    CHECK(brief(a.ask("commit")) == "err no");
    CHECK(brief(a.ask("select * from x")) == R"(ok [["0","first"]])");
    CHECK(brief(a.ask("select * from y")) == R"(ok [["0","first"]])");
    CHECK(brief(a.ask("select * from z")).starts_with("err table z does not exist"));
    for (const char* const sql :
         {"begin", "insert into x (v) values (second)", "insert into y (v) values (second)", "commit"}) {
      CHECK(brief(a.ask(sql)).starts_with("ok"));
    }
    CHECK(brief(a.ask("insert into x (v) values (third)")) == "ok 1");
    CHECK(brief(watcher.ask("select v from x")) == R"(ok [["first"],["second"],["third"]])");
    CHECK(brief(watcher.ask("select v from y")) == R"(ok [["first"],["second"]])");
    REQUIRE(watcher.events.size() >= 2);
    CHECK(watcher.events[0]["data"] == json::parse(R"([["1","second"]])"));
    CHECK(watcher.events[1]["data"] == json::parse(R"([["1","second"]])"));
    server.stop();
    CHECK(server.store().rows_of("x") == "0:first,;1:second,;2:third,;");
    CHECK(server.store().rows_of("y") == "0:first,;1:second,;");
    CHECK(server.store().problems().empty());
  }
}

TEST_CASE("transactions: subscribers see nothing before the store has committed") {
  running_server server(2, 6);
  client a(server);
  client watcher(server);
  CHECK(brief(a.ask("insert into x (v) values (first)")) == "ok 1");
  CHECK(brief(watcher.ask("subscribe skip * from x")) == "ok");
  server.store().hold(true);
  for (const char* const sql : {"begin", "insert into x (v) values (second)"})
    CHECK(brief(a.ask(sql)).starts_with("ok"));
  a.send("commit");
  server.store().wait_for_writes(2);
  watcher.send("select v from x");
  CHECK_FALSE(watcher.has_input());
  server.store().hold(false);
  CHECK(brief(a.reply()) == "ok");
  CHECK(brief(watcher.reply()) == R"(ok [["first"],["second"]])");
  CHECK(watcher.events.size() == 1);
}

TEST_CASE("group commit: a broken transaction refuses its own and spares the rest, on every table") {
  for (const unsigned threads : thread_counts) {
    running_server s(threads, 3);
    client c(s);
    client subscriber(s);
    for (const char* t : {"t", "u", "v"}) {
      REQUIRE(brief(c.ask("insert into " + std::string(t) + " (a) values (0)")) == "ok 1");
      REQUIRE(subscriber.ask("subscribe * from " + std::string(t))["status"] == "ok");
    }
    s.store().hold(true);
    for (int i = 0; i < 30; ++i) {
      const std::string t = i % 3 == 0 ? "t" : i % 3 == 1 ? "u" : "v";
      c.send("insert into " + t + " (a) values (" + (i == 4 ? "break" : std::to_string(i)) + ")");
    }
    s.store().hold(false);
    std::size_t stored = 0;
    for (int i = 0; i < 30; ++i) {
      const std::string reply = brief(c.reply());
      CHECK((reply == "ok 1" || reply == "err no"));
      if (i == 4) CHECK(reply == "err no");
      if (reply == "ok 1") ++stored;
    }
    std::size_t rows = 0;
    std::map<std::string, std::string> selected;
    for (const char* t : {"t", "u", "v"}) {
      const json all = c.ask("select * from " + std::string(t));
      rows += all["data"].size() - 1;
      selected[t] = rows_of(all);
    }
    CHECK(rows == stored);
    s.stop();
    CHECK(s.store().problems() == std::vector<std::string>{});
    for (const auto& [t, expected] : selected) CHECK(s.store().rows_of(t) == expected);
  }
}

TEST_CASE("group commit: a subscription whose table could not be made is none") {
  for (const unsigned threads : thread_counts) {
    server::options o;
    o.subscriptions_max = 1;
    running_server s(threads, 1, o);
    client c(s);
    for (int i = 0; i < 3; ++i) CHECK(brief(c.ask("subscribe * from refuse_this")) == "err no");
    CHECK(c.ask("subscribe * from t")["status"] == "ok");
    const json tables = c.ask("show tables");
    CHECK(tables["data"].dump() == R"([["t","0","1","1"]])");
  }
}

TEST_CASE("group commit: a client that goes while its subscribe waits leaves no subscription behind") {
  for (const unsigned threads : thread_counts) {
    running_server s(threads, 1);
    client c(s);
    REQUIRE(brief(c.ask("insert into t (a) values (1)")) == "ok 1");
    s.store().hold(true);
    c.send("insert into t (a) values (2)");
    s.store().wait_for_writes(2);
    for (int i = 0; i < 4; ++i) {
      client leaver(s);
      leaver.send("subscribe * from t");
      leaver.send("show tables");  // so that it is known to have come
      leaver.send("status");
      leaver.reset();
    }
    client watcher(s);
    const auto until = std::chrono::steady_clock::now() + deadline;
    json status;
    do {
      status = watcher.ask("status");
    } while (status["connections"] != 2 && std::chrono::steady_clock::now() < until);
    REQUIRE(status["connections"] == 2);
    s.store().hold(false);
    CHECK(brief(c.reply()) == "ok 1");
    CHECK(c.ask("describe t")["status"] == "ok");
    CHECK(c.ask("show tables")["data"][0][3] == "0");
  }
}
