#include "tests/unit/storage/model.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/print.hpp"
#include "tests/unit/storage/engine_driver.hpp"

// The engine against the model: long random sequences over a few columns, values and subscribers, so that keys collide,
// rows enter and leave filters, and statements fail half-way. PUBSUBSQL_MODEL_STATEMENTS sets the length of a run.

using namespace pubsubsql::storage;

namespace {

constexpr int compared_by_default = 20'000;

int statements_per_seed() {
  const char* wish = std::getenv("PUBSUBSQL_MODEL_STATEMENTS");
  return wish != nullptr ? std::atoi(wish) : compared_by_default;
}

class random_comparison {
 public:
  explicit random_comparison(unsigned seed) : random_(seed) {}

  void step() {
    const auto dice = pick(100);
    if (dice < 30) return insert();
    if (dice < 55) return update();
    if (dice < 66) return erase();
    if (dice < 74) return pop();
    if (dice < 80) return index();
    if (dice < 88) return subscribe();
    if (dice < 91) return unsubscribe();
    if (dice < 93) return drop();
    condition_ = condition();
    compare("select * from t" + sql(condition_), model_.select(condition_));
  }

  /// The whole table must agree; and now and then the engine tidies up, which must change nothing.
  void compare_all() {
    engine_.engine().maintain();
    compare("select * from t", model_.select({}));
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  model::cell value() {
    static const std::vector<std::string> few = {"", "a", "b", "cc", "null", "it's", "7"};
    const auto dice = pick(12);
    if (dice == 0) return std::nullopt;
    // Mostly few values, sometimes one of its own size, so that rows change length and move.
    if (dice == 1) return std::string(pick(200), 'x') + std::to_string(pick(5));
    if (dice < 4) return std::to_string(pick(2000));
    return few[pick(few.size())];
  }

  std::string column() {
    static const std::vector<std::string> names = {"k", "g", "p", "q", "late"};
    return pick(60) == 0 ? "id" : names[pick(pick(10) == 0 ? names.size() : names.size() - 1)];
  }

  model::condition condition() {
    const auto dice = pick(10);
    if (dice == 0) return {};
    if (dice < 4) return std::pair{std::string("id"), model::cell{std::to_string(pick(1 + inserted_))}};
    return std::pair{column(), value()};
  }

  static std::string sql(const model::cell& v) { return v ? pubsubsql::parser::quote_value(*v) : "null"; }
  static std::string sql(const model::condition& where) {
    return where ? " where " + where->first + " = " + sql(where->second) : "";
  }

  void insert() {
    const bool push = pick(3) == 0;
    const bool front = push && pick(2) == 0;
    std::vector<std::string> columns;
    for (std::size_t i = 0, n = 1 + pick(3); i < n; ++i) columns.push_back(column());
    std::string text = push ? (front ? "push front into t (" : "push into t (") : "insert into t (";
    for (std::size_t i = 0; i < columns.size(); ++i) text += (i > 0 ? ", " : "") + columns[i];
    text += ") values ";
    std::vector<std::vector<model::cell>> rows;
    for (std::size_t r = 0, n = 1 + pick(4) / 2; r < n; ++r) {
      rows.emplace_back();
      text += r > 0 ? ", (" : "(";
      for (std::size_t i = 0; i < columns.size(); ++i) {
        rows.back().push_back(value());
        text += (i > 0 ? ", " : "") + sql(rows.back().back());
      }
      text += ")";
    }
    inserted_ += rows.size();
    compare(text, model_.insert(columns, rows, front, push ? "push" : "insert"));
  }

  void update() {
    model::cells set;
    std::string text = "update t set ";
    for (std::size_t i = 0, n = 1 + pick(3); i < n; ++i) {
      set.emplace_back(column(), value());
      text += (i > 0 ? ", " : "") + set.back().first + " = " + sql(set.back().second);
    }
    condition_ = condition();
    compare(text + sql(condition_), model_.update(set, condition_));
  }

  void erase() {
    condition_ = condition();
    if (!condition_ && pick(8) != 0) return;
    compare("delete from t" + sql(condition_), model_.erase(condition_));
  }

  void pop() {
    const bool front = pick(2) == 0;
    compare(front ? "pop front from t" : "pop back from t", model_.pop(front));
  }

  void index() {
    const std::string c = column();
    // Keys are rare, or nearly every insert would fail.
    if (c == "k" || pick(20) == 0) {
      compare("key t " + c, model_.key(c));
    } else {
      compare("tag t " + c, model_.tag(c));
    }
  }

  void subscribe() {
    condition_ = condition();
    const bool skip = pick(2) == 0;
    const std::uint64_t who = 1 + pick(5);
    compare(std::string("subscribe ") + (skip ? "skip " : "") + "* from t" + sql(condition_),
            model_.subscribe(who, condition_, skip), who);
  }

  void unsubscribe() {
    const std::uint64_t who = 1 + pick(5);
    compare("unsubscribe from t", model_.unsubscribe(who), who);
  }

  void drop() {
    const std::uint64_t who = 1 + pick(5);
    model_.drop(who);
    engine_.engine().drop_subscriber(subscriber_id{who});
  }

  void compare(const std::string& text, const std::string& expected, std::uint64_t who = 9) {
    INFO(text);
    const std::string reply = engine_.run(text, who);
    REQUIRE((reply.starts_with("error: ") ? "error" : reply) == expected);
    // Within one changed row and one rank the engine may take filters in any order; per subscription order is exact.
    if (text.starts_with("select")) return;
    for (std::uint64_t subscriber = 1; subscriber <= 5; ++subscriber) {
      REQUIRE(of(engine_.events(), subscriber) == of(model_.events(), subscriber));
    }
  }

  /// A subscriber's events, subscription by subscription.
  static std::vector<std::string> of(const std::vector<std::string>& events, std::uint64_t subscriber) {
    std::vector<std::string> mine;
    std::ranges::copy_if(events, std::back_inserter(mine),
                         [&](const std::string& e) { return e.starts_with("s" + std::to_string(subscriber) + "/"); });
    std::ranges::stable_sort(mine, {}, [](const std::string& e) { return e.substr(0, e.find(' ')); });
    return mine;
  }

  std::mt19937 random_;
  engine_driver engine_;
  model model_;
  model::condition condition_;
  std::size_t inserted_ = 0;
};

}  // namespace

TEST_CASE("engine: agrees with the naive model over random statements") {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    INFO("seed " << seed);
    random_comparison run(seed);
    for (int i = 0; i < statements_per_seed() / 8; ++i) {
      run.step();
      if (i % 50 == 0) run.compare_all();
    }
  }
}
