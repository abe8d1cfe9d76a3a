#include "tests/unit/server/running_server.hpp"

// The optimistic group commit under random statements, refusals and corrections.

using namespace server_tests;

namespace {

class replay {
 public:
  void apply(const json& event) {
    for (const json& values : event["data"]) {
      const std::string id = values[0];
      const std::string action = event["action"];
      const bool known = rows_.contains(id);
      if (known != (action != "insert" && action != "add")) throw std::runtime_error(action + " of row " + id);
      if (action == "delete" || action == "remove") {
        rows_.erase(id);
        continue;
      }
      for (std::size_t i = 1; i < values.size(); ++i) rows_[id][event["columns"][i]] = values[i];
      if (values.size() == 1) rows_[id];
    }
  }

  [[nodiscard]] bool equals(const json& selected) const {
    if (selected["data"].size() != rows_.size()) return false;
    for (const json& values : selected["data"]) {
      const auto row = rows_.find(values[0]);
      if (row == rows_.end()) return false;
      for (std::size_t i = 1; i < values.size(); ++i) {
        const auto cell = row->second.find(selected["columns"][i]);
        const json seen = cell == row->second.end() ? json() : cell->second;
        if (seen != values[i]) return false;
      }
    }
    return true;
  }

 private:
  std::map<std::string, std::map<std::string, json>> rows_;
};

/// One worker has no remote tables; with four, most are.

}  // namespace

namespace {

/// What a writer of the storm knows in the end.
struct writer_result {
  std::set<std::string> acknowledged;
  std::set<std::string> refused;
  std::vector<std::string> problems;
};

std::string storm_statement(std::mt19937& random, const std::string& unique) {
  const auto pick = [&](std::size_t below) { return random() % below; };
  const std::string t = "t" + std::to_string(pick(3));
  const std::string small = std::to_string(pick(8));
  const auto value = [&]() -> std::string {
    const auto dice = pick(30);
    if (dice == 0) return "refuse";
    if (dice == 1 && pick(6) == 0) return "break";
    if (dice < 4) return "'round " + std::to_string(pick(8)) + "'";
    return std::to_string(pick(8));
  };
  switch (pick(10)) {
    case 0:
    case 1:
      return "insert into " + t + " (a, b) values (" + value() + ", " + small + "), (" + value() + ", x)";
    case 2:
      return "insert into log (v, w) values (" + unique + ", " + value() + ")";
    case 3:
    case 4:
      return "update " + t + " set b = " + value() + " where a = " + small;
    case 5:
      return "push front into " + t + " (a, c) values (" + small + ", " + value() + ") returning *";
    case 6:
      return "pop " + std::string(pick(2) == 0 ? "front" : "back") + " * from " + t;
    case 7:
      return "delete from " + t + " where a = " + small;
    case 8:
      return "update " + t + " set a = " + value() + ", d = 1 where b = " + small + " returning *";
    default:
      return "select * from " + t + " where a = " + small;
  }
}

void look_for_uncommitted(const json& message, std::vector<std::string>& problems) {
  const std::string text = message.dump();
  for (const char* word : {"refuse", "break", "round", "\"code\":8"}) {
    if (text.find(word) != std::string::npos) problems.push_back("seen outside: " + text);
  }
}

writer_result write_storm(const running_server& s, unsigned seed, int statements) {
  writer_result r;
  std::mt19937 random(seed);
  client c(s);
  std::vector<std::string> sent;
  for (int i = 0; i < statements; i += 25) {
    sent.clear();
    for (int j = 0; j < 25; ++j) {
      const std::string unique = "w" + std::to_string(seed) + "_" + std::to_string(i + j);
      sent.push_back(storm_statement(random, unique));
      c.send(sent.back());
    }
    for (int j = 0; j < 25; ++j) {
      json reply = c.reply();
      while (reply.contains("data") && reply["torow"] != reply["rows"]) reply = c.reply();
      look_for_uncommitted(reply, r.problems);
      const std::string& sql = sent[static_cast<std::size_t>(j)];
      if (sql.starts_with("insert into log")) {
        const std::string unique = "w" + std::to_string(seed) + "_" + std::to_string(i + j);
        (reply["status"] == "ok" ? r.acknowledged : r.refused).insert(unique);
      }
      if (reply["status"] == "ok" &&
          (sql.find("refuse") != std::string::npos || sql.find("break") != std::string::npos) &&
          sql.find("update") != 0) {
        r.problems.push_back("not refused: " + sql);
      }
    }
  }
  return r;
}

void storm(unsigned threads, unsigned seed, int statements) {
  running_server s(threads, seed);
  std::vector<std::unique_ptr<client>> subscribers;
  std::vector<std::pair<std::string, replay>> seen;
  const char* const watched[] = {"t0", "t1 where a = 3", "t2 where b = 5", "t0 where d = 1", "log"};
  {
    client setup(s);
    for (const char* t : {"t0", "t1", "t2"}) {
      REQUIRE(setup.ask("insert into " + std::string(t) + " (a, b) values (0, 0)")["status"] == "ok");
    }
    REQUIRE(setup.ask("tag t1 a")["status"] == "ok");
  }
  for (const char* what : watched) {
    subscribers.push_back(std::make_unique<client>(s));
    seen.emplace_back("select * from " + std::string(what), replay());
    REQUIRE(subscribers.back()->ask("subscribe * from " + std::string(what))["status"] == "ok");
  }
  std::vector<writer_result> results(4);
  std::vector<std::thread> writers;
  for (unsigned i = 0; i < results.size(); ++i) {
    writers.emplace_back([&, i] {
      try {
        results[i] = write_storm(s, seed * 100 + i, statements);
      } catch (const std::exception& e) {
        results[i].problems.emplace_back(e.what());
      }
    });
  }
  for (std::thread& w : writers) w.join();

  for (std::size_t i = 0; i < subscribers.size(); ++i) {
    INFO(seen[i].first);
    const json selected = subscribers[i]->ask(seen[i].first);
    std::vector<std::string> problems;
    for (const json& event : subscribers[i]->events) {
      look_for_uncommitted(event, problems);
      seen[i].second.apply(event);
    }
    CHECK(problems == std::vector<std::string>{});
    CHECK(seen[i].second.equals(selected));
  }
  std::set<std::string> acknowledged;
  for (const writer_result& r : results) {
    CHECK(r.problems == std::vector<std::string>{});
    acknowledged.insert(r.acknowledged.begin(), r.acknowledged.end());
  }
  client c(s);
  std::map<std::string, std::string> selected;
  for (const char* t : {"t0", "t1", "t2", "log"}) selected[t] = rows_of(c.ask("select * from " + std::string(t)));
  std::set<std::string> logged;
  const json log = c.ask("select id, v from log");
  for (const json& row : log["data"]) logged.insert(row[1]);
  CHECK(logged == acknowledged);
  s.stop();
  CHECK(s.store().problems() == std::vector<std::string>{});
  for (const auto& [t, expected] : selected) CHECK(s.store().rows_of(t) == expected);
}

}  // namespace

TEST_CASE("group commit: a storm of refusals and corrections, one worker") {
  for (unsigned seed = 1; seed <= 3; ++seed) storm(1, seed, 300);
}

TEST_CASE("group commit: a storm of refusals and corrections, several workers") {
  for (unsigned seed = 1; seed <= 3; ++seed) storm(3, seed, 300);
}
