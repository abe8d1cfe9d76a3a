#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "parser/parser.hpp"
#include "parser/statement_cache.hpp"
#include "storage/database.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/table.hpp"
#include "tests/unit/storage/engine_driver.hpp"

// Two databases are given the same statements. One gets them from a statement cache, read ahead in groups, so that it
// remembers what the names of each form stand for; the other gets each as if it had never seen the like. Meanwhile
// tables come and go, get columns and keys, and statements are taken back. PUBSUBSQL_MODEL_STATEMENTS sets the length.

using namespace pubsubsql;
using namespace pubsubsql::storage;

namespace {

constexpr int statements_by_default = 20'000;
constexpr subscriber_id somebody{1};

int statements_per_run() {
  const char* wish = std::getenv("PUBSUBSQL_MODEL_STATEMENTS");
  return wish != nullptr ? std::atoi(wish) : statements_by_default;
}

class two_databases {
 public:
  explicit two_databases(unsigned seed) : random_(seed) {}

  /// Some statements that are read ahead together; returns how many.
  int step() {
    std::vector<std::string> texts(1 + pick(12));
    for (std::string& sql : texts) sql = statement();
    const std::vector<std::string_view> next(texts.begin(), texts.end());
    if (pick(4) != 0) by_form_.prefetch(cache_.expect(next));
    for (const std::string_view sql : next) run(sql);
    cache_.expect({});
    take_back();
    return static_cast<int>(texts.size());
  }

  void compare_tables() const {
    REQUIRE(by_form_.tables().size() == plain_.tables().size());
    for (const table_summary& t : plain_.tables()) {
      REQUIRE(by_form_.find(t.name) != nullptr);
      REQUIRE(dump(*by_form_.find(t.name)) == dump(*plain_.find(t.name)));
    }
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  std::string table() { return "table_" + std::to_string(pick(3)); }

  std::string column() {
    static const std::vector<std::string> names = {"k", "`k`", "a", "b", "late", "`a``b`", "id"};
    return names[pick(pick(20) == 0 ? names.size() : 4)];
  }

  std::string literal() {
    const auto dice = pick(20);
    if (dice == 0) return "null";
    if (dice == 1) return "'it''s'";
    if (dice == 2) return "''";
    if (dice == 3) return "'" + std::string(pick(100), 'x') + "'";
    return dice < 10 ? "'" + std::to_string(pick(60)) + "'" : std::to_string(pick(60));
  }

  std::string where() { return " where " + column() + " = " + literal(); }
  std::string returning() { return pick(4) == 0 ? " returning " + column() + ", " + column() : ""; }

  std::string statement() {
    const std::string t = table();
    const auto dice = pick(100);
    if (dice < 35) {
      const bool one = pick(3) == 0;
      std::string sql = (pick(3) == 0 ? "push front into " : "insert into ") + t + " (k, " + column() + ") values ";
      for (std::size_t i = one ? 1 : 2; i > 0; --i) sql += "(" + literal() + ", " + literal() + (i > 1 ? "), " : ")");
      return sql + returning();
    }
    if (dice < 65) return "update " + t + " set " + column() + " = " + literal() + where() + returning();
    if (dice < 80) return "select " + column() + ", id from " + t + where();
    if (dice < 92) return "delete from " + t + where() + returning();
    if (dice < 94) return "key " + t + " " + column();
    if (dice < 96) return "tag " + t + " " + column();
    return "select * from " + t + where();
  }

  void run(std::string_view sql) {
    INFO(sql);
    const parser::statement* known = cache_.parse(sql);
    parser::statement_arena arena;
    const auto parsed = parser::parse(sql, arena);
    REQUIRE(known != nullptr);
    const outcome& a = by_form_.execute(*known, {.subscriber = somebody, .pubsubid = 0});
    const outcome& b = plain_.execute(*parsed, {.subscriber = somebody, .pubsubid = 0});
    REQUIRE(a.failure.has_value() == b.failure.has_value());
    if (a.failure) {
      REQUIRE(a.failure->message == b.failure->message);
      return;
    }
    REQUIRE(text_of(a) == text_of(b));
    if (a.changes.empty()) return;
    done_.push_back({.table = std::string(a.about->name()),
                     .by_form = std::make_unique<durable::statement_changes>(*a.about, a.changes),
                     .plain = std::make_unique<durable::statement_changes>(*b.about, b.changes)});
  }

  static std::string text_of(const outcome& o) {
    std::string out = std::string(o.action) + " " + std::to_string(o.rows);
    for (const row_view row : o.data) {
      for (const column_index column : o.columns) {
        const value v = column == id_column ? value{} : row.at(column);
        out += " " + std::string(o.about->column_name(column)) + "=" + std::string(v.value_or("null"));
      }
    }
    return out;
  }

  /// Now and then the last statements, sometimes all: then every table goes.
  void take_back() {
    if (pick(5) != 0 && done_.size() < 400) return;
    std::size_t left = pick(10) == 0 ? 0 : done_.size() - pick(done_.size() + 1) / 8;
    if (done_.size() >= 400) left = 0;
    for (; done_.size() > left; done_.pop_back()) {
      by_form_.undo(done_.back().table, done_.back().by_form->changes());
      plain_.undo(done_.back().table, done_.back().plain->changes());
    }
  }

  struct changed {
    std::string table;
    std::unique_ptr<durable::statement_changes> by_form;
    std::unique_ptr<durable::statement_changes> plain;
  };

  std::mt19937 random_;
  parser::statement_cache cache_;
  database by_form_;
  database plain_;
  std::vector<changed> done_;
};

}  // namespace

TEST_CASE("engine: what is known of a form's names is never out of date") {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    INFO("seed " << seed);
    two_databases both(seed);
    for (int i = 0; i < statements_per_run() / 4; i += both.step()) both.compare_tables();
  }
}

TEST_CASE("engine: a table that is forgotten is not remembered by a form") {
  database d;
  parser::statement_cache cache;
  const auto reply = [&](const std::string& sql) {
    const outcome& o = d.execute(*cache.parse(sql), {.subscriber = somebody, .pubsubid = 0});
    return o.failure ? o.failure->message : std::to_string(o.rows);
  };
  const table_description restored{.name = "stocks", .columns = {{.name = "ticker"}}};
  for (int i = 0; i < 3; ++i)
    CHECK(reply("select * from stocks where ticker = 1").find("does not exist") != std::string::npos);
  for (int round = 0; round < 2; ++round) {
    d.restore(restored);
    CHECK(reply("select * from stocks where ticker = 2") == "0");
    d.forget("stocks");
    CHECK(reply("select * from stocks where ticker = 3").find("does not exist") != std::string::npos);
  }
}
