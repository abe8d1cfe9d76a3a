#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/print.hpp"
#include "storage/table.hpp"
#include "tests/unit/storage/engine_driver.hpp"

// Taking statements back after they succeeded. Two engines: one runs everything and takes some of it back, the other
// runs only what lasted; tables, replies and events must be the same.

using namespace pubsubsql::storage;

namespace {

std::string whole_state(engine_driver& e) {
  const table* t = e.engine().find("t");
  return t == nullptr ? "no table" : dump(*t);
}

class random_statements {
 public:
  explicit random_statements(unsigned seed) : random_(seed) {}

  std::size_t pick(std::size_t below) { return random_() % below; }

  /// A statement that changes something, if it succeeds.
  std::string next() {
    const auto dice = pick(100);
    if (dice < 25) return "insert into t (" + column() + ") values (" + value() + "), (" + value() + ")";
    if (dice < 40) return "push front into t (k, g) values (" + value() + ", " + value() + ")";
    if (dice < 65) return "update t set " + column() + " = " + value() + where();
    if (dice < 70) return "update t set p = " + value() + ", " + column() + " = " + value() + where();
    if (dice < 78) return "delete from t" + where();
    if (dice < 80) return "delete from t";
    if (dice < 90) return pick(2) == 0 ? "pop front from t" : "pop back from t";
    if (dice < 94) return "key t k";
    if (dice < 98) return "tag t " + column();
    return pick(2) == 0 ? "alter table t set ack = memory" : "alter table t set ack = committed";
  }

 private:
  std::string column() {
    static const char* const names[] = {"k", "g", "p", "q", "late", "later"};
    return names[pick(pick(8) == 0 ? 6 : 4)];
  }
  std::string value() {
    static const char* const few[] = {"''", "a", "b", "c", "null"};
    const auto dice = pick(8);
    if (dice == 0) return "'" + std::string(pick(300), 'x') + "'";
    return dice < 4 ? std::to_string(pick(500)) : few[pick(5)];
  }
  std::string where() {
    if (pick(3) == 0) return " where id = " + std::to_string(pick(60));
    return " where " + column() + " = " + value();
  }

  std::mt19937 random_;
};

struct done_statement {
  std::string sql;
  std::string told;
  std::shared_ptr<const durable::statement_changes> changes;
};

class undo_run {
 public:
  explicit undo_run(unsigned seed) : statements_(seed) {}
  /// Begins with a table that has ordered indexes.
  undo_run(unsigned seed, const table_description& d) : statements_(seed) {
    trying_.engine().restore(d);
    lasting_.engine().restore(d);
  }

  void step() {
    const auto dice = statements_.pick(12);
    if (dice == 0) return subscribe();
    if (dice < 3) return take_back(statements_.pick(held_.size() + 1));
    if (dice == 3) return commit(statements_.pick(held_.size() + 1));
    if (dice == 4 && held_.empty()) static_cast<void>(trying_.engine().maintain());
    const std::string sql = statements_.next();
    const std::string told = trying_.run_all(sql);
    held_.push_back({.sql = sql, .told = told, .changes = trying_.kept()});
  }

  void finish() {
    take_back(held_.size());
    compare();
  }

 private:
  void take_back(std::size_t count) {
    for (; count > 0; --count) {
      if (held_.back().changes != nullptr) trying_.engine().undo("t", held_.back().changes->changes());
      held_.pop_back();
    }
    if (held_.empty()) compare();
  }

  void commit(std::size_t count) {
    for (; count > 0; --count) {
      const done_statement& first = held_.front();
      INFO(first.sql);
      REQUIRE(lasting_.run_all(first.sql) == first.told);
      held_.pop_front();
    }
    if (held_.empty()) compare();
  }

  void subscribe() {
    commit(held_.size());
    static const char* const filters[] = {"", " where k = 1", " where g = a", " where late = b", " where later = a"};
    const std::string sql = "subscribe * from t" + std::string(filters[statements_.pick(5)]);
    const std::uint64_t who = 1 + statements_.pick(3);
    REQUIRE(trying_.run_all(sql, who) == lasting_.run_all(sql, who));
  }

  void compare() {
    REQUIRE(whole_state(trying_) == whole_state(lasting_));
    REQUIRE(whole_state(trying_).find(" OUT OF ORDER") == std::string::npos);
    REQUIRE(whole_state(trying_).find(" OF ANOTHER SIZE") == std::string::npos);
  }

  random_statements statements_;
  engine_driver trying_;
  engine_driver lasting_;
  std::deque<done_statement> held_;
};

}  // namespace

TEST_CASE("undo: what is taken back has never been, over random statements") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    undo_run run(seed);
    for (int i = 0; i < 600; ++i) run.step();
    run.finish();
  }
}

TEST_CASE("undo: ordered indexes follow, over random statements") {
  const table_description d = {
      .name = "t",
      .columns = {{.name = "k"}, {.name = "g"}, {.name = "p"}, {.name = "q"}},
      .indexes = {{.name = "by_g", .columns = {2, 3}},
                  {.name = "by_q", .columns = {4, 0}},
                  {.name = "u", .columns = {1, 4}, .type = pubsubsql::parser::index_type::unique}}};
  for (unsigned seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    undo_run run(seed, d);
    for (int i = 0; i < 600; ++i) run.step();
    run.finish();
  }
}

TEST_CASE("undo: a table that the statement made is gone, and the subscription with it") {
  engine_driver e;
  REQUIRE(e.run("subscribe * from t", 7) == "subscribe 1 id:");
  const auto made = e.kept();
  REQUIRE(made != nullptr);
  REQUIRE(e.run("insert into t (a) values (1)") == "insert 1");
  e.engine().undo("t", e.kept()->changes());
  e.engine().drop_subscription(subscriber_id{7}, 1);
  e.engine().undo("t", made->changes());
  CHECK(e.engine().find("t") == nullptr);
  CHECK(e.engine().tables().empty());
  CHECK(e.run_all("insert into t (b) values (1)") == "insert 1");
  e.engine().drop_subscriber(subscriber_id{7});
}
