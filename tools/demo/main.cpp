// Replays stock prices as a live feed while subscribers with filters watch. See README.md beside this file.

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <pubsubsql/client.hpp>

#include "tools/demo/prices.hpp"

namespace {

using demo::tick;

constexpr std::chrono::seconds patience{10};

/// One row of an event, as text: what is printed, and compared.
std::string line_of(std::string_view action, const std::string& symbol, const std::string& date,
                    const std::string& price, const std::string& trend) {
  std::string out(action);
  for (const std::string& cell : {symbol, date, price, trend}) out += ' ' + cell;
  return out;
}

/// A subscriber with a connection of its own, and what the data says it has to see.
class watcher {
 public:
  /// `expected` tells the action for a tick, or nothing if the subscription does not concern it.
  using expectation = std::function<std::string(const tick&)>;

  watcher(std::string name, const std::string& host, std::uint16_t port, const std::string& where, expectation expected)
      : name_(std::move(name)), expected_(std::move(expected)) {
    db_.connect(host, port);
    db_.subscribe("subscribe * from stocks" + where, [this](const pubsubsql::event& e) { on_event(e); });
  }

  void expect(const tick& t) {
    const std::string action = expected_(t);
    if (!action.empty()) due_.push_back(line_of(action, t.symbol, t.date, t.price, t.trend));
  }

  /// Shows what comes in that time.
  void watch(std::chrono::microseconds time) { db_.run(std::chrono::ceil<std::chrono::milliseconds>(time)); }

  /// Waits for what is still due, and tells whether everything came as it had to, and nothing else.
  bool check() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (seen_.size() < due_.size() && std::chrono::steady_clock::now() < deadline) {
      db_.run(std::chrono::milliseconds(50));
    }
    // The reply comes behind every event that was sent before it.
    db_.execute("describe stocks");
    db_.poll();
    std::size_t same = 0;
    while (same < seen_.size() && same < due_.size() && seen_[same] == due_[same]) ++same;
    const bool right = same == due_.size() && same == seen_.size();
    std::cout << name_ << ": " << seen_.size() << " events, " << (right ? "each as it had to be" : "WRONG") << '\n';
    if (!right) {
      std::cout << "  event " << same + 1 << " had to be: " << (same < due_.size() ? due_[same] : "none") << '\n'
                << "  and was: " << (same < seen_.size() ? seen_[same] : "none") << '\n';
    }
    return right;
  }

  bool quiet = false;

 private:
  void on_event(const pubsubsql::event& e) {
    for (const auto row : e.rows) {
      const std::string symbol(symbol_of(e, row));
      seen_.push_back(line_of(name_of(e.action), symbol, text(row["date"]), text(row["price"]), text(row["trend"])));
      if (!quiet) std::cout << name_ << ": " << seen_.back() << std::endl;
    }
  }

  /// An update shows the id and what was set, not the symbol: whole rows tell which id is which.
  std::string symbol_of(const pubsubsql::event& e, const pubsubsql::row& row) {
    const std::string id = text(row["id"]);
    if (e.rows.column("symbol")) symbols_[id] = text(row["symbol"]);
    return symbols_[id];
  }

  static std::string text(const pubsubsql::value& v) { return std::string(v.text()); }

  std::string name_;
  expectation expected_;
  pubsubsql::client db_;
  std::map<std::string, std::string> symbols_;
  std::vector<std::string> seen_;
  std::vector<std::string> due_;
};

std::string expect_all(const tick& t) {
  return t.before.empty() ? "insert" : "update";
}

std::string expect_one(const tick& t) {
  return t.symbol == "MSFT" ? expect_all(t) : "";
}

std::string expect_rising(const tick& t) {
  const bool was = t.before == "up";
  const bool is = t.trend == "up";
  if (was && is) return "update";
  return is ? "add" : was ? "remove" : "";
}

/// An empty table with its key and tag, whatever was there before.
void prepare(pubsubsql::client& db) {
  for (const char* sql : {"key stocks symbol", "tag stocks trend"}) {
    try {
      db.execute(sql);
    } catch (const pubsubsql::error& e) {
      if (e.code() != pubsubsql::errc::refused) throw;  // it has it already
    }
  }
  db.execute("delete from stocks");
}

std::string statement_for(const tick& t) {
  if (t.before.empty()) {
    return "insert into stocks (symbol, date, price, trend) values (" + t.symbol + ", " + t.date + ", " + t.price +
           ", " + t.trend + ")";
  }
  return "update stocks set date = " + t.date + ", price = " + t.price + ", trend = " + t.trend +
         " where symbol = " + t.symbol;
}

struct settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = pubsubsql::default_port;
  std::string file = "tools/demo/data/stocks.csv";
  double rate = 10;
  bool check = false;
};

int replay(const settings& s) {
  const std::vector<tick> ticks = demo::read_prices(s.file);
  pubsubsql::client feed;
  feed.connect(s.host, s.port);
  prepare(feed);
  std::vector<std::unique_ptr<watcher>> watchers;
  watchers.push_back(std::make_unique<watcher>("all", s.host, s.port, "", expect_all));
  watchers.push_back(std::make_unique<watcher>("msft", s.host, s.port, " where symbol = MSFT", expect_one));
  watchers.push_back(std::make_unique<watcher>("rising", s.host, s.port, " where trend = up", expect_rising));
  for (const auto& w : watchers) w->quiet = s.check;

  const std::chrono::microseconds pause(s.rate > 0 ? static_cast<std::int64_t>(1e6 / s.rate) : 0);
  for (const tick& t : ticks) {
    feed.execute(statement_for(t));
    for (const auto& w : watchers) w->expect(t);
    for (const auto& w : watchers) w->watch(pause / 3);
  }
  bool right = true;
  for (const auto& w : watchers) right = w->check() && right;
  return right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app("Replays stock prices as a live feed while subscribers watch", "pubsubsql-demo");
  app.add_option("--host", s.host, "Where the server is")->capture_default_str();
  app.add_option("--port", s.port, "The server's port")->capture_default_str();
  app.add_option("--file", s.file, "Prices: symbol,date,price")->capture_default_str();
  app.add_option("--rate", s.rate, "Changes per second; 0: as fast as they go")->capture_default_str();
  app.add_flag("--check", s.check, "Print only whether each subscriber saw what it had to see");
  CLI11_PARSE(app, argc, argv);
  try {
    return replay(s);
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
