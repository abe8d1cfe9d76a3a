#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/errors.hpp"
#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;

namespace {

struct step {
  std::uint64_t subscriber;
  std::string sql;
  std::string expected;  ///< the reply and then the events, one per line
};

struct scenario {
  const char* name;
  std::vector<step> steps;
};

void play(const scenario& s) {
  INFO("scenario: " << s.name);
  engine_driver engine;
  for (const step& st : s.steps) {
    INFO(st.sql);
    CHECK(engine.run_all(st.sql, st.subscriber) == st.expected);
  }
}

}  // namespace

TEST_CASE("engine: rows") {
  const std::vector<scenario> scenarios = {
      {"tables and columns appear on first use, in order",
       {{1, "insert into t (b, a) values (1, 2)", "insert 1"},
        {1, "insert into t (c) values (3)", "insert 1"},
        {1, "select * from t", "select id,b,a,c: 0,1,2,null 1,null,null,3"},
        {1, "select a, id from t where id = 0", "select a,id: 2,0"}}},
      {"NULL is not the empty string",
       {{1, "insert into t (a, b) values ('', null)", "insert 1"},
        {1, "select * from t", "select id,a,b: 0,,null"},
        {1, "select * from t where a = ''", "select id,a,b: 0,,null"},
        {1, "select * from t where b = null", "select id,a,b:"},
        {1, "update t set a = null, b = ''", "update 1"},
        {1, "select * from t", "select id,a,b: 0,null,"}}},
      {"an update creates a column when a row matches",
       {{1, "insert into t (a) values (1)", "insert 1"},
        {1, "update t set z = 1 where a = 2", "update 0"},
        {1, "select * from t", "select id,a: 0,1"},
        {1, "update t set z = 1 where a = 1 returning *", "update id,a,z: 0,1,1"}}},
      {"ids are never given again",
       {{1, "insert into t (a) values (1), (2), (3)", "insert 3"},
        {1, "delete from t where id = 2", "delete 1"},
        {1, "delete from t", "delete 2"},
        {1, "insert into t (a) values (4) returning id", "insert id: 3"}}},
      {"returning shows what was done",
       {{1, "insert into t (a, b) values (1, 2), (3, 4) returning b, id", "insert b,id: 2,0 4,1"},
        {1, "update t set a = 9 where b = 4 returning *", "update id,a,b: 1,9,4"},
        {1, "delete from t where a = 1 returning a", "delete a: 1"}}},
      {"ids are matched in their canonical form only",
       {{1, "insert into t (a) values (1)", "insert 1"},
        {1, "select a from t where id = 0", "select a: 1"},
        {1, "select a from t where id = 00", "select a:"},
        {1, "select a from t where id = x", "select a:"},
        {1, "select a from t where id = 18446744073709551616", "select a:"}}},
      {"a double-ended queue",
       {{1, "push into q (a) values (1)", "push 1"},
        {1, "push front into q (a) values (0)", "push 1"},
        {1, "push back into q (a) values (2) returning *", "push id,a: 2,2"},
        {1, "select a from q", "select a: 0 1 2"},
        {1, "peek front a from q", "select a: 0"},
        {1, "peek * from q", "select id,a: 2,2"},
        {1, "pop front * from q", "pop id,a: 1,0"},
        {1, "pop from q", "pop 1"},
        {1, "pop back a from q", "pop a: 1"},
        {1, "pop from q", "pop 0"},
        {1, "pop * from q", "pop id,a:"},
        {1, "peek * from q", "select id,a:"}}},
      {"describe",
       {{1, "key t k", "key"},
        {1, "tag t g", "tag"},
        {1, "insert into t (v) values (1)", "insert 1"},
        {1, "describe t",
         "describe id,bigint,NO,PRI,null,auto_increment k,text,YES,UNI,null, g,text,YES,MUL,null, "
         "v,text,YES,,null,"}}},
  };
  for (const scenario& s : scenarios) play(s);
}

TEST_CASE("engine: keys and tags") {
  const std::string no_second = "error: " + already_indexed("t", "k").message;
  const std::string taken = "error: " + duplicate_key("t", "k", "a").message;
  const std::vector<scenario> scenarios = {
      {"a key refuses a value that another row has",
       {{1, "key t k", "key"},
        {1, "insert into t (k) values (a)", "insert 1"},
        {1, "insert into t (k, extra) values (a, 1)", taken},
        {1, "insert into t (k, extra) values (b, 1), (a, 2)", taken},
        {1, "insert into t (k) values (b)", "insert 1"},
        {1, "update t set k = a where id = 1", taken},
        {1, "update t set k = a where id = 0", "update 1"},
        {1, "update t set k = a, more = 1 where k = b", taken},
        {1, "update t set k = c", "error: " + duplicate_key("t", "k", "c").message},
        {1, "select * from t", "select id,k: 0,a 1,b"}}},
      {"a key lets many rows have no value",
       {{1, "key t k", "key"}, {1, "insert into t (k, a) values (null, 1), (null, 2)", "insert 2"}}},
      {"a value freed by update or delete may be used again",
       {{1, "key t k", "key"},
        {1, "insert into t (k) values (a)", "insert 1"},
        {1, "update t set k = b where k = a", "update 1"},
        {1, "insert into t (k) values (a)", "insert 1"},
        {1, "delete from t where k = b", "delete 1"},
        {1, "insert into t (k) values (b)", "insert 1"},
        {1, "select k from t where k = b", "select k: b"}}},
      {"one index per column",
       {{1, "key t k", "key"},
        {1, "key t k", no_second},
        {1, "tag t k", no_second},
        {1, "key t id", "error: " + already_indexed("t", "id").message}}},
      {"keys over existing rows",
       {{1, "insert into t (a, b) values (1, x), (2, x)", "insert 2"},
        {1, "key t new", "error: " + key_on_new_column("t", "new").message},
        {1, "key t b", "error: " + key_over_duplicates("t", "b", "x").message},
        {1, "key t a", "key"},
        {1, "tag t b", "tag"},
        {1, "tag t new", "tag"},
        {1, "select * from t where b = x", "select id,a,b,new: 0,1,x,null 1,2,x,null"}}},
      {"a failed key leaves no table behind",
       {{1, "key t id", "error: " + already_indexed("t", "id").message},
        {1, "select * from t", "error: " + unknown_table("t").message}}},
      {"rows found by tag come in table order",
       {{1, "tag t g", "tag"},
        {1, "push into t (g) values (x)", "push 1"},
        {1, "push front into t (g) values (x)", "push 1"},
        {1, "push into t (g) values (y), (x)", "push 2"},
        {1, "select id from t where g = x", "select id: 1 0 3"}}},
  };
  for (const scenario& s : scenarios) play(s);
}

TEST_CASE("engine: events") {
  const std::vector<scenario> scenarios = {
      {"a whole table",
       {{7, "subscribe * from t", "subscribe 1 id:"},
        {1, "insert into t (a) values (x)", "insert 1\ns7/1 insert id,a: 0,x"},
        {1, "push front into t (a) values (y)", "push 1\ns7/1 insert id,a: 1,y"},
        {1, "update t set a = z, b = 1 where id = 0", "update 1\ns7/1 update id,a,b: 0,z,1"},
        {1, "pop front from t", "pop 1\ns7/1 delete id,a,b: 1,y,null"},
        {1, "delete from t", "delete 1\ns7/1 delete id,a,b: 0,z,1"}}},
      {"a filter: rows enter, change and leave",
       {{1, "insert into t (g, v) values (x, 1), (y, 2)", "insert 2"},
        {7, "subscribe * from t where g = x", "subscribe 1 id,g,v: 0,x,1"},
        {1, "update t set v = 3 where id = 0", "update 1\ns7/1 update id,v: 0,3"},
        {1, "update t set v = 3 where id = 1", "update 1"},
        {1, "update t set v = 4, g = x where id = 1", "update 1\ns7/1 add id,g,v: 1,x,4"},
        {1, "update t set g = x where id = 1", "update 1\ns7/1 update id,g: 1,x"},
        {1, "update t set g = null where id = 0", "update 1\ns7/1 remove id,g,v: 0,null,3"},
        {1, "delete from t where id = 0", "delete 1"},
        {1, "delete from t where id = 1", "delete 1\ns7/1 delete id,g,v: 1,x,4"}}},
      {"removes, then adds, then updates",
       {{1, "insert into t (g) values (x)", "insert 1"},
        {7, "subscribe skip * from t", "subscribe 1"},
        {7, "subscribe skip * from t where g = y", "subscribe 2"},
        {7, "subscribe skip * from t where g = x", "subscribe 3"},
        {1, "update t set g = y", "update 1\ns7/3 remove id,g: 0,y\ns7/2 add id,g: 0,y\ns7/1 update id,g: 0,y"}}},
      {"an id",
       {{1, "insert into t (a) values (x), (y)", "insert 2"},
        {7, "subscribe * from t where id = 1", "subscribe 1 id,a: 1,y"},
        {7, "subscribe * from t where id = 2", "error: " + unknown_row("t", "2").message},
        {1, "update t set a = z", "update 2\ns7/1 update id,a: 1,z"},
        {1, "delete from t", "delete 2\ns7/1 delete id,a: 1,z"}}},
      {"a column that comes later",
       {{7, "subscribe * from t where g = x", "subscribe 1 id:"},
        {1, "insert into t (a, g) values (1, x)", "insert 1\ns7/1 insert id,a,g: 0,1,x"}}},
      {"equality is by text, not case or number",
       {{7, "subscribe * from t where g = 1", "subscribe 1 id:"},
        {1, "insert into t (g) values (1.0), (' 1'), (1)", "insert 3\ns7/1 insert id,g: 2,1"}}},
      {"nothing equals NULL",
       {{7, "subscribe * from t where g = null", "subscribe 1 id:"},
        {1, "insert into t (g) values (null), ('null')", "insert 2"},
        {7, "unsubscribe from t", "unsubscribe 1"}}},
      {"unsubscribe",
       {{7, "subscribe * from t", "subscribe 1 id:"},
        {7, "subscribe * from t where a = 1", "subscribe 2 id:"},
        {8, "subscribe * from t where a = 1", "subscribe 3 id:"},
        {8, "unsubscribe from t where pubsubid = 2", "error: " + unknown_subscription("t", 2).message},
        {7, "unsubscribe from t where pubsubid = 1", "unsubscribe 1"},
        {1, "insert into t (a) values (1)", "insert 1\ns7/2 insert id,a: 0,1\ns8/3 insert id,a: 0,1"},
        {7, "unsubscribe from t", "unsubscribe 1"},
        {7, "unsubscribe from t", "unsubscribe 0"},
        {1, "insert into t (a) values (1)", "insert 1\ns8/3 insert id,a: 1,1"},
        {7, "unsubscribe from nowhere", "error: " + unknown_table("nowhere").message}}},
      {"a failed statement sends nothing",
       {{1, "key t k", "key"},
        {7, "subscribe * from t", "subscribe 1 id,k:"},
        {1, "insert into t (k) values (a), (b), (a)", "error: " + duplicate_key("t", "k", "a").message},
        {1, "insert into t (k) values (a), (b)", "insert 2\ns7/1 insert id,k: 0,a\ns7/1 insert id,k: 1,b"}}},
  };
  for (const scenario& s : scenarios) play(s);
}

TEST_CASE("engine: refused statements") {
  struct refusal {
    const char* sql;
    error expected;
  };
  const std::vector<refusal> refusals = {
      {"select * from u", unknown_table("u")},
      {"update u set a = 1", unknown_table("u")},
      {"delete from u", unknown_table("u")},
      {"pop from u", unknown_table("u")},
      {"peek * from u", unknown_table("u")},
      {"describe u", unknown_table("u")},
      {"unsubscribe from u", unknown_table("u")},
      {"select z from t", unknown_column("t", "z")},
      {"select * from t where z = 1", unknown_column("t", "z")},
      {"update t set a = 1 where z = 1", unknown_column("t", "z")},
      {"delete from t where z = 1", unknown_column("t", "z")},
      {"delete from t returning z", unknown_column("t", "z")},
      {"insert into t (n) values (1) returning z", unknown_column("t", "z")},
      {"insert into u (n) values (1) returning z", unknown_column("u", "z")},
      {"pop z from t", unknown_column("t", "z")},
      {"insert into t (id) values (1)", read_only_id("t")},
      {"update t set id = 1", read_only_id("t")},
      {"insert into t (a, n, a) values (1, 2, 3)", repeated_column("a")},
      {"update t set a = 1, a = 2", repeated_column("a")},
      {"status", unsupported()},
      {"show tables", unsupported()},
  };
  for (const refusal& r : refusals) {
    engine_driver engine;
    engine.run("insert into t (a) values (1)");
    INFO(r.sql);
    CHECK(engine.run(r.sql) == "error: " + r.expected.message);
    CHECK(engine.events().empty());
    CHECK(engine.run("select * from t") == "select id,a: 0,1");
    CHECK(engine.run("insert into t (a) values (2) returning id") == "insert id: 1");
    CHECK(engine.run("select * from u").starts_with("error: "));
    CHECK(engine.changes().empty());
  }
}

TEST_CASE("engine: limits") {
  engine_driver engine({.columns_max = 3, .row_bytes_max = 200, .rows_max = 2, .name_bytes_max = 10});
  CHECK(engine.run("insert into t (a, b, c) values (1, 2, 3)") == "error: " + too_many_columns("t", 3).message);
  CHECK(engine.run("select * from t") == "error: " + unknown_table("t").message);
  CHECK(engine.run("insert into t (a, b) values (1, 2)") == "insert 1");
  CHECK(engine.run("update t set a = " + std::string(200, 'x')).starts_with("error: a row of table t would take "));
  CHECK(engine.run("insert into t (a) values (3), (4)") == "error: " + too_many_rows("t", 2).message);
  CHECK(engine.run("insert into t (a) values (3)") == "insert 1");
  CHECK(engine.run("tag elevenchars a") == "error: " + name_too_long("elevenchars", 10).message);
  CHECK(engine.run("select * from t") == "select id,a,b: 0,1,2 1,3,null");
}

TEST_CASE("engine: a result beyond the limit fails the statement, and nothing of it remains") {
  engine_driver engine({.result_bytes_max = 100});
  const std::string refused = "error: " + result_too_large(100).message;
  for (int i = 0; i < 10; ++i) engine.run("insert into t (a) values (x)");
  CHECK(engine.run("select * from t") == refused);
  CHECK(engine.run("subscribe * from t", 7) == refused);
  CHECK(engine.run_all("update t set a = y returning *") == refused);
  CHECK(engine.run("delete from t returning id") == refused);
  CHECK(engine.run("select * from t where id = 9") == "select id,a: 9,x");
  CHECK(engine.run("subscribe skip * from t", 7) == "subscribe 1");
}

TEST_CASE("engine: columns named more than once count as often in a result") {
  engine_driver engine({.result_bytes_max = 70});
  engine.run("insert into t (a, b) values (123456789, x)");
  CHECK(engine.run("select b, a, id, b from t") == "select b,a,id,b: x,123456789,0,x");
  CHECK(engine.run("select a, b, a, a, a from t") == "error: " + result_too_large(70).message);
  CHECK(engine.run("delete from t returning a, a, a, a, a") == "error: " + result_too_large(70).message);
  CHECK(engine.run("select * from t") == "select id,a,b: 0,123456789,x");
}

TEST_CASE("engine: the change stream is dense and complete") {
  engine_driver engine;
  using lines = std::vector<std::string>;
  engine.run("insert into t (a) values (x)");
  CHECK(engine.changes() == lines{"1 create_table t", "2 add_column a", "3 insert_row 0,x"});
  engine.run("key t a");
  CHECK(engine.changes() == lines{"4 add_key a"});
  engine.run("insert into t (a, b) values (y, 1), (x, 2)");
  CHECK(engine.changes().empty());
  engine.run("tag t g");
  CHECK(engine.changes() == lines{"5 add_column g", "6 add_tag g"});
  engine.run("update t set g = 1, a = z");
  CHECK(engine.changes() == lines{"7 update_row 0,x,null -> 0,z,1 set g,a"});
  engine.run("select * from t");
  CHECK(engine.changes().empty());
  engine.run("pop from t");
  CHECK(engine.changes() == lines{"8 delete_row 0,z,1"});
}

TEST_CASE("engine: a gone subscriber gets nothing more") {
  engine_driver engine;
  engine.run("subscribe * from t", 7);
  engine.run("subscribe * from t where a = 1", 7);
  engine.run("subscribe * from u", 7);
  engine.run("subscribe * from t", 8);
  engine.engine().drop_subscriber(subscriber_id{7});
  engine.engine().drop_subscriber(subscriber_id{99});
  CHECK(engine.run_all("insert into t (a) values (1)") == "insert 1\ns8/4 insert id,a: 0,1");
  CHECK(engine.run_all("insert into u (a) values (1)") == "insert 1");
  for (const table_summary& t : engine.engine().tables()) CHECK(t.subscriptions == (t.name == "t" ? 1U : 0U));
}
