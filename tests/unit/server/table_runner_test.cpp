#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "parser/frame.hpp"
#include "parser/parser.hpp"
#include "server/server.hpp"
#include "storage/database.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/durable/store_switch.hpp"
#include "tests/unit/server/fake_store.hpp"

// The optimistic group commit, with the real server and a store that refuses and corrects what a test wants: several
// connections and workers, pipelines, subscribers.

using namespace pubsubsql;
using boost::asio::ip::tcp;
using nlohmann::json;
using pubsubsql::server::fake_store;

namespace {

constexpr auto deadline = std::chrono::seconds(60);

class running_server {
 public:
  running_server(unsigned threads, unsigned seed, server::options o = {}) : store_(seed), options_(std::move(o)) {
    spdlog::set_level(spdlog::level::off);
    options_.port = 0;
    options_.threads = threads;
    switch_.set(&store_);
    server_ = std::make_unique<server::server>(options_, switch_);
    store_.start([this](unsigned worker, auto& results) { server_->deliver(worker, results); });
    if (const auto problem = server_->listen()) throw std::runtime_error(*problem);
    thread_ = std::thread([this] { server_->run(); });
  }
  ~running_server() { stop(); }
  running_server(const running_server&) = delete;
  running_server& operator=(const running_server&) = delete;

  void stop() {
    if (!thread_.joinable()) return;
    store_.hold(false);
    server_->stop();
    thread_.join();
    store_.stop();
  }

  [[nodiscard]] fake_store& store() { return store_; }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  /// Goes on without the store. REQUIRES: nothing is held, and no client asks anything at the moment.
  void drop_store() { switch_.set(nullptr); }
  /// As if MySQL had stored the rows of `sql`, the first statement on its table, like this.
  void correct(std::string_view sql, const storage::corrected_rows& stored) {
    parser::statement_arena arena;
    storage::database engine;
    const storage::outcome& o = engine.execute(*parser::parse(sql, arena), {});
    server_->correct(std::make_shared<const storage::durable::statement_changes>(*o.about, o.changes), stored);
  }

 private:
  fake_store store_;
  storage::durable::store_switch switch_;
  server::options options_;
  std::unique_ptr<server::server> server_;
  std::thread thread_;
};

/// A framed connection that blocks. Events met while a reply is awaited are put aside.
class client {
 public:
  explicit client(const running_server& to) : socket_(context_) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), to.port()});
    const timeval limit{.tv_sec = deadline.count(), .tv_usec = 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  void send(std::string_view sql) {
    const auto header =
        parser::encode({.payload_bytes = static_cast<std::uint32_t>(sql.size()), .request_id = ++last_sent_});
    std::string bytes(header.data(), header.size());
    bytes += sql;
    boost::asio::write(socket_, boost::asio::buffer(bytes));
  }

  /// The next reply; fails when it is not the one that is due.
  json reply() {
    for (;;) {
      const auto [id, message] = read();
      if (id == 0) {
        events.push_back(message);
        continue;
      }
      if (!more_follows_) ++last_replied_;
      more_follows_ = message.contains("data") && message["torow"] != message["rows"];
      if (id != last_replied_) throw std::runtime_error("reply " + std::to_string(id) + " is out of order");
      return message;
    }
  }

  json ask(std::string_view sql) {
    send(sql);
    json whole = reply();
    while (whole.contains("data") && whole["torow"] != whole["rows"]) {
      json batch = reply();
      for (const json& row : batch["data"]) whole["data"].push_back(row);
      whole["torow"] = batch["torow"];
    }
    return whole;
  }

  [[nodiscard]] bool has_input() const { return socket_.available() > 0; }

  /// Goes without a word.
  void reset() {
    socket_.set_option(tcp::socket::linger(true, 0));
    socket_.close();
  }

  std::vector<json> events;

 private:
  std::pair<std::uint32_t, json> read() {
    std::array<char, parser::frame_header_bytes> header{};
    boost::asio::read(socket_, boost::asio::buffer(header));
    const auto number = [&header](std::size_t at) {
      std::uint32_t n = 0;
      for (std::size_t i = 0; i < 4; ++i) n = (n << 8U) | static_cast<unsigned char>(header[at + i]);
      return n;
    };
    std::string payload(number(0), '\0');
    boost::asio::read(socket_, boost::asio::buffer(payload));
    return {number(4), json::parse(payload)};
  }

  boost::asio::io_context context_;
  tcp::socket socket_;
  std::uint32_t last_sent_ = 0;
  std::uint32_t last_replied_ = 0;
  bool more_follows_ = false;  // the reply comes in several batches
};

/// A reply in short: "ok 1", "err no", "ok [[0,a]]".
std::string brief(const json& reply) {
  std::string out = reply["status"];
  if (out == "err") return out + " " + std::string(reply["msg"]);
  if (reply.contains("data")) return out + " " + reply["data"].dump();
  return reply.contains("rows") ? out + " " + reply["rows"].dump() : out;
}

/// What is stored and what is selected, in the same words.
std::string rows_of(const json& reply) {
  std::string out;
  for (const json& row : reply["data"]) {
    std::size_t end = row.size();
    while (end > 1 && row[end - 1].is_null()) --end;
    out += std::string(row[0]) + ":";
    for (std::size_t i = 1; i < end; ++i) out += (row[i].is_null() ? "null" : std::string(row[i])) + ",";
    out += ";";
  }
  return out;
}

/// Rows by id as a subscriber has them, column by column.
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
constexpr unsigned thread_counts[] = {1, 4};

}  // namespace

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
