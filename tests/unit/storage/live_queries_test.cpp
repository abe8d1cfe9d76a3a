#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/table.hpp"
#include "tests/unit/storage/engine_driver.hpp"

// Subscriptions to groups and to the first rows in an order. What the events lead to is compared with what a select
// gives, after each of many random statements, of which some are taken back.

using namespace pubsubsql::storage;

TEST_CASE("live groups: from the first row to the last") {
  engine_driver engine;
  engine.run("insert into stocks (ticker, sector, bid) values (IBM, TECH, 120), (XOM, OIL, 200), (HP, TECH, 9)");
  CHECK(engine.run("subscribe sector, count(*), max(bid) as top from stocks group by sector", 1) ==
        "subscribe 1 sector,count(*),top: TECH,2,120 OIL,1,200");
  CHECK(engine.run_all("insert into stocks (ticker, sector, bid) values (BP, GAS, 30), (SAP, TECH, 130)") ==
        "insert 2\ns1/1 add sector,count(*),top: GAS,1,30\ns1/1 update sector,count(*),top: TECH,3,130");
  CHECK(engine.run_all("update stocks set sector = OIL where ticker = BP") ==
        "update 1\ns1/1 remove sector,count(*),top: GAS,1,30\ns1/1 update sector,count(*),top: OIL,2,200");
  CHECK(engine.run_all("update stocks set bid = 121 where ticker = IBM") == "update 1");
  CHECK(engine.run_all("delete from stocks where sector = TECH and bid > 100") ==
        "delete 2\ns1/1 update sector,count(*),top: TECH,1,9");
  CHECK(engine.run_all("unsubscribe from stocks") == "unsubscribe 1");
  CHECK(engine.run_all("delete from stocks") == "delete 3");
}

TEST_CASE("live groups: one group") {
  engine_driver engine;
  engine.run("key stocks ticker");
  engine.run("tag stocks bid");
  CHECK(engine.run("subscribe count(*), sum(bid) + 1 as s from stocks where bid > 10", 1) ==
        "subscribe 1 count(*),s: 0,null");
  CHECK(engine.run("subscribe skip COUNT(*) from stocks where bid > 10", 2) == "subscribe 2");
  CHECK(engine.run_all("insert into stocks (ticker, bid) values (A, 20), (B, 5)") ==
        "insert 2\ns1/1 update count(*),s: 1,21\ns2/2 update COUNT(*): 1");
  CHECK(engine.run_all("replace into stocks (ticker, bid) values (A, 21), (A, 22)") ==
        "replace 4\ns1/1 update count(*),s: 1,23");
  CHECK(engine.run_all("truncate stocks") == "truncate 2\ns1/1 update count(*),s: 0,null\ns2/2 update COUNT(*): 0");
}

TEST_CASE("live groups: the same definition is one query") {
  engine_driver engine;
  engine.run("insert into t (g, n) values (a, 1)");
  engine.run("subscribe skip g, count(*) from t where n > 0 group by g", 1);
  engine.run("subscribe skip g, count(*) from t where n > 0 group by g", 2);
  CHECK(engine.run_all("insert into t (g, n) values (a, 1)") ==
        "insert 1\ns1/1 update g,count(*): a,2\ns2/2 update g,count(*): a,2");
  engine.engine().drop_subscriber(subscriber_id{1});
  CHECK(engine.run_all("insert into t (g, n) values (a, 1)") == "insert 1\ns2/2 update g,count(*): a,3");
  engine.engine().drop_subscription(subscriber_id{2}, 2);
  CHECK(engine.run_all("insert into t (g, n) values (a, 1)") == "insert 1");
}

TEST_CASE("live queries: columns come and go") {
  engine_driver engine;
  engine.run("insert into t (g, n) values (a, 1), (b, 2)");
  engine.run("subscribe skip g, count(*) from t where late is null group by g", 1);
  engine.run("subscribe skip n from t order by n desc limit 1", 2);
  CHECK(engine.run_all("update t set late = 1 where g = a") == "update 1\ns1/1 remove g,count(*): a,1");
  CHECK(engine.run_all("alter table t drop column g") ==
        "alter\ns1/1 remove g,count(*): b,1\ns1/1 add g,count(*): null,1");
  CHECK(engine.run_all("alter table t drop column n") == "alter\ns2/2 remove id: 1\ns2/2 add id: 0");
  CHECK(engine.run_all("drop table t") == "drop\ns1/1 remove g,count(*): null,1\ns2/2 delete id: 0");
  CHECK(engine.run_all("insert into t (g, n) values (a, 1)") ==
        "insert 1\ns1/1 add g,count(*): a,1\ns2/2 insert id,n: 0,1");
}

TEST_CASE("live window: rows enter and leave") {
  engine_driver engine;
  engine.run("insert into stocks (ticker, bid) values (IBM, 120), (SAP, 98), (GE, 16)");
  CHECK(engine.run("subscribe ticker, bid from stocks order by bid desc limit 2", 1) ==
        "subscribe 1 id,ticker,bid: 0,IBM,120 1,SAP,98");
  CHECK(engine.run_all("update stocks set bid = 121 where ticker = IBM") == "update 1\ns1/1 update id,bid: 0,121");
  CHECK(engine.run_all("update stocks set bid = 10 where ticker = SAP") ==
        "update 1\ns1/1 remove id,ticker,bid: 1,SAP,10\ns1/1 add id,ticker,bid: 2,GE,16");
  CHECK(engine.run_all("insert into stocks (ticker, bid) values (BP, 17)") ==
        "insert 1\ns1/1 remove id,ticker,bid: 2,GE,16\ns1/1 insert id,ticker,bid: 3,BP,17");
  CHECK(engine.run_all("delete from stocks where ticker = IBM") ==
        "delete 1\ns1/1 delete id,ticker,bid: 0,IBM,121\ns1/1 add id,ticker,bid: 2,GE,16");
  CHECK(engine.run_all("update stocks set note = x") == "update 3");
  CHECK(engine.run_all("delete from stocks where bid < 17") == "delete 2\ns1/1 delete id,ticker,bid: 2,GE,16");
}

TEST_CASE("live queries: a row that a statement touches more than once") {
  engine_driver engine;
  engine.run("key visits page");
  engine.run("tag visits n");
  engine.run("subscribe skip sum(n), max(n) from visits", 1);
  engine.run("subscribe skip page, n from visits order by n desc limit 1", 2);
  CHECK(
      engine.run_all("insert into visits (page, n) values (a, 1), (a, 1), (a, 1) on duplicate key update n = n + 1") ==
      "insert 5\ns1/1 update sum(n),max(n): 3,3\ns2/2 insert id,page,n: 0,a,3");
  CHECK(engine.run_all("replace into visits (page, n) values (a, 4), (b, 9), (b, 2)") ==
        "replace 5\ns1/1 update sum(n),max(n): 6,4\ns2/2 delete id,page,n: 0,a,3\ns2/2 insert id,page,n: 1,a,4");
}

TEST_CASE("live queries: where reads the time") {
  engine_driver engine;
  engine.run("create table t (g varchar(5), at datetime)");
  engine.run("subscribe skip g, count(*) from t where at < now() group by g", 1);
  engine.run("subscribe skip g from t where at < now() order by g limit 1", 2);
  CHECK(engine.run_all("insert into t (g, at) values (a, '1969-12-31'), (b, '1971-01-01')") ==
        "insert 2\ns1/1 add g,count(*): a,1\ns2/2 insert id,g: 0,a");
  CHECK(engine.run_all("update t set at = '1969-12-30' where g = b") == "update 1\ns1/1 add g,count(*): b,1");
  CHECK(engine.run_all("delete from t where g = a") ==
        "delete 1\ns1/1 remove g,count(*): a,1\ns2/2 delete id,g: 0,a\ns2/2 add id,g: 1,b");
}

TEST_CASE("live queries: what is refused") {
  engine_driver engine;
  engine.run("insert into t (g, n) values (a, 1)");
  const auto refused = [&](const std::string& sql) { return engine.run(sql, 1).substr(0, 40); };
  CHECK(refused("subscribe n * 2 from t") == "error: a subscription shows columns of r");
  CHECK(refused("subscribe n * 2 from t order by n limit 1") == "error: a subscription shows columns of r");
  CHECK(refused("subscribe * from t group by g") == "error: groups have none of the columns t");
  CHECK(refused("subscribe g, count(*) from t group by g order by g limit 1") ==
        "error: groups of a subscription come in ");
  CHECK(refused("subscribe g, n from t group by g") == "error: Expression #2 of SELECT list is n");
  CHECK(refused("subscribe g, n + max(n) from t group by g") == "error: Expression #2 of SELECT list is n");
  CHECK(refused("subscribe g, max(no) from t group by g") == "error: Unknown column 'no' in 't'; descr");
  CHECK(refused("subscribe * from t order by n") == "error: a subscription is sent changes as");
  CHECK(refused("subscribe * from t order by n limit 1 offset 1") == "error: a subscription shows the first ro");
  CHECK(refused("subscribe * from t order by n limit 10001") == "error: a subscription shows at most the ");
  CHECK(refused("subscribe count(*) from t where n = 1 group by now()") == "error: what a subscription groups by, or");
  CHECK(refused("subscribe * from t order by unix_timestamp() - n limit 1") ==
        "error: what a subscription groups by, or");
  CHECK(engine.engine().find("t")->subscribers().size() == 0);
}

namespace {

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// Applies events to what was known before.
class follower {
 public:
  follower(std::string subscribe, std::string select, std::size_t key_columns, bool has_key = true)
      : subscribe_(std::move(subscribe)), select_(std::move(select)), key_columns_(key_columns), has_key_(has_key) {}

  [[nodiscard]] const std::string& subscribe() const { return subscribe_; }
  [[nodiscard]] const std::string& select() const { return select_; }

  /// "subscribe 1 id,n: 0,x 1,y"
  void begin(const std::string& reply) {
    const std::size_t colon = reply.find(':');
    REQUIRE(colon != std::string::npos);
    columns_ = split(split(reply.substr(0, colon), ' ').back(), ',');
    for (const std::string& row : split(reply.substr(colon + 1), ' ')) {
      if (!row.empty()) put(split(row, ','));
    }
  }

  /// "update id,n: 0,x"
  void follow(const std::string& event) {
    const std::size_t space = event.find(' ');
    const std::size_t colon = event.find(": ");
    const std::string action = event.substr(0, space);
    const auto names = split(event.substr(space + 1, colon - space - 1), ',');
    const auto values = split(event.substr(colon + 2), ',');
    const std::string key = key_of(values);
    if (action == "remove" || action == "delete") {
      CHECK(rows_.erase(key) == 1);
    } else if (action == "update") {
      REQUIRE(rows_.contains(key));
      for (std::size_t i = 0; i < names.size(); ++i) {
        const auto place = std::ranges::find(columns_, names[i]) - columns_.begin();
        rows_[key][static_cast<std::size_t>(place)] = values[i];
      }
    } else {
      CHECK(!rows_.contains(key));
      put(values);
    }
  }

  [[nodiscard]] std::string text() const {
    std::multiset<std::string> rows;
    for (const auto& [key, row] : rows_) {
      std::string all;
      for (const std::string& v : row) all += (all.empty() ? "" : ",") + v;
      rows.insert(all);
    }
    std::string out;
    for (const std::string& row : rows) out += row + " ";
    return out;
  }

 private:
  [[nodiscard]] std::string key_of(const std::vector<std::string>& values) const {
    std::string key;
    if (!has_key_) return key;
    for (std::size_t i = 0; i < key_columns_; ++i) key += values[i] + ",";
    return key;
  }
  void put(const std::vector<std::string>& values) { rows_[key_of(values)] = values; }

  std::string subscribe_;
  std::string select_;
  std::size_t key_columns_;
  bool has_key_;
  std::vector<std::string> columns_;
  std::map<std::string, std::vector<std::string>> rows_;
};

/// The rows of a select in the order of their texts.
std::string sorted_rows(const std::string& reply) {
  auto rows = split(reply, ' ');
  rows.erase(rows.begin());  // the action
  if (!rows.empty() && rows.front().ends_with(':')) rows.erase(rows.begin());
  std::ranges::sort(rows);
  std::string out;
  for (const std::string& row : rows) out += row + " ";
  return out;
}

class random_live_queries {
 public:
  random_live_queries(unsigned seed, bool typed) : random_(seed) {
    if (typed) {
      engine_.run(
          "create table t (id bigint auto_increment primary key, g varchar(9), h int, n decimal(8,2), x double)");
    } else {
      engine_.run("insert into t (g, h, n, x) values (a, 1, 1, 1)");
    }
    const auto groups = [&](const std::string& rest, std::size_t keys) {
      const bool has_key = rest.find("group by") != std::string::npos;
      followers_.emplace_back("subscribe " + rest, "select " + rest, keys, has_key);
    };
    groups("g,count(*),sum(h),min(n),max(g) from t group by g", 1);
    groups("g,h,count(x),avg(n),max(x) from t where n > 3 group by g,h", 2);
    groups("count(*),sum(n),min(h),max(n),count(distinct g) as d from t where g <> b or h = 2", 0);
    groups("upper(g),count(*)+sum(h) from t where h in (1, 2, 3) group by upper(g)", 1);
    groups("h,count(*) from t group by h", 1);
    const auto window = [&](const std::string& list, const std::string& rest) {
      followers_.emplace_back("subscribe " + list + " from t " + rest, "select " + list + " from t " + rest, 1);
    };
    window("*", "order by n limit 3");
    window("id,n", "order by n desc, h limit 5");
    window("id,g,x", "where h > 1 order by g, x desc limit 4");
    window("*", "order by h + n limit 1");
    window("id,h", "where n < 6 order by id desc limit 100");
    for (std::size_t i = 0; i < followers_.size(); ++i) followers_[i].begin(engine_.run(followers_[i].subscribe(), 1));
  }

  void step() {
    std::vector<std::vector<std::string>> held;
    std::vector<std::shared_ptr<const durable::statement_changes>> kept;
    // Some statements whose events wait; then some of them, last first, are taken back.
    const std::size_t count = 1 + pick(3);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string sql = next();
      engine_.run(sql);
      if (engine_.kept() == nullptr) continue;
      held.push_back(engine_.events());
      kept.push_back(engine_.kept());
    }
    const std::size_t back = pick(4) == 0 ? pick(kept.size() + 1) : 0;
    for (std::size_t i = 0; i < back; ++i) {
      engine_.engine().undo("t", kept.back()->changes());
      kept.pop_back();
      held.pop_back();
    }
    for (const auto& events : held) {
      for (const std::string& e : events) {
        const std::size_t space = e.find(' ');
        followers_[std::stoul(e.substr(3, space - 3)) - 1].follow(e.substr(space + 1));
      }
    }
  }

  void compare() {
    for (const follower& f : followers_) {
      INFO(f.select());
      REQUIRE(f.text() == sorted_rows(engine_.run(f.select())));
    }
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::string group() { return pick(6) == 0 ? "null" : std::string(1, static_cast<char>('a' + pick(4))); }
  std::string number() { return pick(8) == 0 ? "null" : std::to_string(pick(8)); }
  std::string row() { return "(" + group() + ", " + number() + ", " + number() + ", " + number() + ")"; }
  std::string where() {
    switch (pick(4)) {
      case 0:
        return " where g = " + group();
      case 1:
        return " where n > " + std::to_string(pick(8));
      case 2:
        return " where h = " + number();
      default:
        return " where id % 5 = " + std::to_string(pick(5));
    }
  }
  std::string next() {
    switch (pick(10)) {
      case 0:
      case 1:
      case 2:
        return "insert into t (g, h, n, x) values " + row() + ", " + row();
      case 3:
        return "push front into t (g, h, n, x) values " + row();
      case 4:
        return "update t set g = " + group() + where();
      case 5:
        return "update t set n = " + number() + ", x = " + number() + where();
      case 6:
        return "update t set h = h + 1 where h < 5 order by n limit 2";
      case 7:
        return "delete from t" + where();
      case 8:
        return pick(2) == 0 ? "pop from t" : "pop front from t";
      default:
        return pick(12) == 0 ? "truncate t" : "update t set n = n" + where();
    }
  }

  std::mt19937 random_;
  engine_driver engine_;
  std::deque<follower> followers_;
};

}  // namespace

TEST_CASE("live queries: as a select would say after every statement") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    random_live_queries run(seed, seed % 2 == 0);
    for (int i = 0; i < 80; ++i) {
      run.step();
      run.compare();
    }
  }
}
