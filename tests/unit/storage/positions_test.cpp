#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/statement_cache.hpp"
#include "storage/change_history.hpp"
#include "storage/database.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/table.hpp"

// Positions against a witness: who comes back at a position has to be told the very events that one who never left was
// told behind it.

using namespace pubsubsql;
using namespace pubsubsql::storage;

namespace {

constexpr subscriber_id somebody{1};
constexpr std::int64_t start_us = 1'000'000;
constexpr std::int64_t second_us = 1'000'000;

struct told {
  std::uint64_t sequence = 0;
  std::string text;
  bool operator==(const told&) const = default;
};

std::string text_of(const table& t, const event& e) {
  std::string text = std::to_string(static_cast<int>(e.action));
  for (const column_index column : e.columns) {
    text += ' ' + std::string(t.column_name(column)) + '=';
    text += column == id_column ? std::to_string(e.row.id()) : std::string(e.row.at(column).value_or("null"));
  }
  return text;
}

/// A database, and what each subscription of it was told.
class engine {
 public:
  explicit engine(const limits& l = {}) : tables(l) {}

  const outcome& run(const std::string& sql, std::uint64_t pubsubid = 0) {
    const parser::statement* const s = statements_.parse(sql);
    REQUIRE_MESSAGE(s != nullptr, sql);
    const outcome& o =
        tables.execute(*s, {.subscriber = somebody, .pubsubid = pubsubid, .now_us = ++now_us, .user = user.get()});
    changes = nullptr;
    if (o.failure) return o;
    for (const event& e : o.events) {
      for (const event_target& to : e.targets) heard[to.pubsubid].push_back({e.sequence, text_of(*o.about, e)});
    }
    for (const event& e : o.replayed) heard[pubsubid].push_back({e.sequence, text_of(*o.about, e)});
    if (!o.changes.empty()) changes = std::make_shared<const durable::statement_changes>(*o.about, o.changes);
    return o;
  }

  /// Takes the last statement back, of whose events nobody has been told then.
  void undo() {
    if (changes == nullptr) return;
    const std::uint64_t first = changes->changes().front().sequence;
    tables.undo(changes->table_name(), changes->changes());
    for (auto& [pubsubid, events] : heard) {
      std::erase_if(events, [&](const told& e) { return e.sequence >= first; });
    }
    changes = nullptr;
  }

  [[nodiscard]] const table& t() const { return *tables.find("t"); }

  database tables;
  std::map<std::uint64_t, std::vector<told>> heard;  // by pubsubid
  std::shared_ptr<const durable::statement_changes> changes;
  std::int64_t now_us = start_us;
  access::shared_rights user;  // who runs statements

 private:
  parser::statement_cache statements_;
};

const std::vector<std::string> subscribed = {"* from t",
                                             "* from t where g = 'a'",
                                             "* from t where id = 3",
                                             "* from t where late = 'b'",
                                             "* from t where p > 3",
                                             "* from t where p > 3 and g <> 'b' or k is null",
                                             "g, p from t",
                                             "p from t where g like 'a%'",
                                             "id from t where p between 2 and 6"};

class random_positions {
 public:
  random_positions(unsigned seed, const limits& l) : random_(seed), engine_(l) {
    engine_.run("insert into t (g, p, k) values ('a', 1, 'x'), ('b', 5, 'y'), ('a', 7, 'z'), (null, 2, null)");
    for (std::size_t i = 0; i < subscribed.size(); ++i) {
      REQUIRE_FALSE(engine_.run("subscribe skip " + subscribed[i] + " with seq", i + 1).failure);
    }
    positions_.push_back(engine_.t().sequence());
  }

  void step() {
    engine_.run(statement());
    if (pick(5) == 0) engine_.undo();
    if (pick(3) == 0) return;
    come_back();
  }

  std::size_t resumed = 0;
  std::size_t resynced = 0;

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::string value() { return std::vector<std::string>{"'a'", "'b'", "'ab'", "null"}[pick(4)]; }
  std::string number() { return std::to_string(pick(9)); }
  std::string where() {
    return std::vector<std::string>{" where g = " + value(), " where id = " + number(), " where p > " + number(),
                                    ""}[pick(4)];
  }

  std::string statement() {
    switch (pick(6)) {
      case 0:
        return "insert into t (g, p) values (" + value() + ", " + number() + "), (" + value() + ", " + number() + ")";
      case 1:
        return "insert into t (late, g) values (" + value() + ", " + value() + ")";
      case 2:
        return "update t set g = " + value() + where();
      case 3:
        return "update t set p = p + 1, k = " + value() + where();
      case 4:
        return "push front into t (k, p) values (" + value() + ", " + number() + ")";
      default:
        return "delete from t" + (pick(8) == 0 ? where() : " where id = " + std::to_string(pick(60)));
    }
  }

  /// Somebody who has been told everything up to some position, and nothing since.
  void come_back() {
    const std::size_t which = pick(subscribed.size());
    const std::vector<told>& witness = engine_.heard[which + 1];
    std::uint64_t since = positions_[pick(positions_.size())];
    if (!witness.empty() && pick(2) == 0) since = witness[pick(witness.size())].sequence;
    const std::uint64_t here = engine_.t().sequence();
    if (since > here) return;  // of a statement that was taken back
    positions_.push_back(here);
    const std::uint64_t mine = ++pubsubid_;
    const auto shared = engine_.t().history()->begins_after();
    const outcome& o = engine_.run("subscribe " + subscribed[which] + " since " + std::to_string(since), mine);
    INFO(subscribed[which] << " since " << since << ", kept from " << shared << " to " << here);
    REQUIRE_FALSE(o.failure);
    REQUIRE(o.tells_positions);
    REQUIRE(o.resyncs == (since < engine_.t().history()->begins_after()));
    if (o.resyncs) {
      ++resynced;
      REQUIRE(o.position == here);
      REQUIRE(o.snapshot);
    } else {
      ++resumed;
      REQUIRE(o.position == since);
      std::vector<told> expected;
      std::ranges::copy_if(witness, std::back_inserter(expected), [&](const told& e) { return e.sequence > since; });
      REQUIRE((engine_.heard[mine] == expected));
    }
    engine_.tables.drop_subscription(somebody, mine);
    engine_.heard.erase(mine);
    engine_.changes = nullptr;
  }

  std::mt19937 random_;
  engine engine_;
  std::vector<std::uint64_t> positions_;  // that the table has had
  std::uint64_t pubsubid_ = 1000;
};

}  // namespace

TEST_CASE("positions: who comes back is told what a witness was told") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    INFO("seed " << seed);
    limits l;
    const bool is_short = seed % 2 == 0;
    if (is_short) l.history_bytes_max = 2'000;
    random_positions run(seed, l);
    for (int i = 0; i < 400; ++i) run.step();
    CHECK(run.resumed > (is_short ? 10 : 50));
    CHECK((run.resynced > 0) == is_short);
  }
}

TEST_CASE("positions: numbers begin with the time, and are not used again") {
  engine e;
  e.now_us = 5'000;
  e.run("insert into t (a) values (1)");
  CHECK(e.t().sequence() == 5'001 + 3);
  for (int i = 0; i < 10'000; ++i) e.run("update t set a = " + std::to_string(i));
  const std::uint64_t last = e.t().sequence();
  CHECK(last > static_cast<std::uint64_t>(e.now_us));
  e.run("drop table t");
  e.run("create table t (a int)");
  CHECK(e.t().sequence() > last);
}

TEST_CASE("positions: nothing is kept before somebody asks, or when told not to") {
  engine e;
  e.run("insert into t (a) values (1)");
  e.run("subscribe * from t", 1);
  CHECK(e.t().history() == nullptr);
  const std::uint64_t before = e.t().sequence();
  CHECK_FALSE(e.run("subscribe skip * from t since " + std::to_string(before), 2).resyncs);
  REQUIRE(e.t().history() != nullptr);
  CHECK(e.run("subscribe skip * from t since " + std::to_string(before - 1), 3).resyncs);
  e.undo();
  e.run("alter table t set history = off");
  CHECK(e.t().history() == nullptr);
  e.run("subscribe skip * from t with seq", 4);
  CHECK(e.t().history() == nullptr);
  e.run("alter table t set history = default");
  e.undo();
  CHECK(e.t().history_setting() == parser::history_setting{.on = false});
}

TEST_CASE("positions: a table that has gone takes its past along, and the next one keeps its own") {
  engine e;
  e.run("insert into t (a) values (1)");
  e.run("subscribe * from t with seq", 1);
  const std::uint64_t before = e.t().sequence();
  e.run("drop table t");
  REQUIRE(e.t().history() != nullptr);
  CHECK(e.t().history()->begins_after() == e.t().sequence());
  e.undo();
  CHECK(e.t().row_count() == 1);
  CHECK(e.t().sequence() == before);
  REQUIRE(e.t().history() != nullptr);
  CHECK(e.t().history()->begins_after() == before);
}

namespace {

access::shared_rights granted(std::string_view where) {
  return std::make_shared<const access::user_rights>("web",
                                                     std::vector{"grant subscribe on t to 'web'" + std::string(where)});
}

/// What comes of the subscription of a user who has been told everything up to a position.
struct user_engine : engine {
  /// Whether it goes on; `position` is what it is told.
  bool goes_on(const access::shared_rights& as, std::uint64_t since, std::uint64_t pubsubid) {
    return subscribe(as, " since " + std::to_string(since), pubsubid);
  }
  bool subscribe(const access::shared_rights& as, const std::string& how, std::uint64_t pubsubid) {
    user = as;
    const outcome& o = run("subscribe * from t" + how, pubsubid);
    user = nullptr;
    REQUIRE_FALSE(o.failure);
    position = o.position;
    return !o.resyncs;
  }
  void leave(std::uint64_t pubsubid) { tables.drop_subscription(somebody, pubsubid); }

  std::uint64_t position = 0;
};

}  // namespace

TEST_CASE("positions: a user goes on with the rows that he may see") {
  user_engine e;
  const auto rights = granted(" where g = 'a'");
  e.run("insert into t (g, v) values ('a', 1), ('b', 2)");
  e.subscribe(rights, " with seq", 1);
  const std::uint64_t first = e.position;
  e.run("update t set g = 'a' where v = 2");
  e.run("update t set g = 'b', v = 5 where v = 1");
  e.run("update t set v = 6 where v = 5");
  e.run("insert into t (g, v) values ('b', 3), ('a', 4)");
  e.run("update t set v = 7 where g = 'a'");
  e.run("delete from t");
  CHECK(e.goes_on(rights, first, 2));
  CHECK(e.position == first);
  CHECK(e.heard[1].size() == 7);
  CHECK((e.heard[2] == e.heard[1]));
}

TEST_CASE("positions: what a user was told by other rights is told anew") {
  user_engine e;
  const auto a = granted(" where g = 'a'");
  const auto b = granted(" where g = 'b'");
  e.run("insert into t (g, v) values ('a', 1), ('b', 2)");
  e.subscribe(a, " with seq", 1);
  const std::uint64_t first = e.position;
  CHECK(e.goes_on(a, first, 2));
  // The old subscriptions are still told something, so nobody knows what the user has been told of.
  CHECK_FALSE(e.goes_on(b, first, 3));
  e.run("update t set v = 3");
  CHECK_FALSE(e.goes_on(b, e.t().sequence(), 4));
  e.leave(1);
  e.leave(2);
  CHECK_FALSE(e.goes_on(b, e.t().sequence(), 5));
  const std::uint64_t anew = e.position;
  CHECK(anew > first);
  CHECK(e.goes_on(b, anew, 6));
  CHECK_FALSE(e.goes_on(b, anew - 1, 7));
  // Rights that were taken away between leave a gap in what may be told, even if they are as before.
  CHECK_FALSE(e.goes_on(granted(" where g = 'b'"), anew, 8));
  CHECK(e.subscribe(granted(""), " with seq", 9));
  CHECK_FALSE(e.goes_on(granted(""), e.position, 10));
}

TEST_CASE("positions: a server that starts does not know what its users were told") {
  table_description d;
  d.name = "t";
  d.columns.push_back({.name = "g"});
  d.sequence = 500;
  d.history = parser::history_setting();
  user_engine e;
  e.tables.restore(d);
  const auto rights = granted("");
  CHECK(e.goes_on(nullptr, 500, 1));
  CHECK_FALSE(e.goes_on(rights, 500, 2));
  const std::uint64_t first = e.position;
  CHECK(first == 501);
  CHECK(e.goes_on(rights, first, 3));
  CHECK(e.goes_on(nullptr, 500, 4));
  // Whoever is seen later finds positions that only this server has told.
  const auto other =
      std::make_shared<const access::user_rights>("db", std::vector<std::string>{"grant subscribe on t to 'db'"});
  CHECK(e.subscribe(other, " with seq", 5));
  CHECK(e.position == first);
  CHECK(e.goes_on(other, first, 6));
}

TEST_CASE("positions: all histories together") {
  limits l;
  l.history_total_bytes_max = 20'000;
  engine e(l);
  for (int i = 0; i < 100; ++i) {
    for (const std::string t : {"t", "u", "v"}) {
      if (i == 0) e.run("subscribe * from " + t + " with seq", static_cast<std::uint64_t>(t.front()));
      if (i < 20 || t != "v") e.run("insert into " + t + " (a) values ('" + std::string(50, 'x') + "')");
    }
  }
  CHECK(e.tables.history_bytes() <= l.history_total_bytes_max);
  CHECK(e.tables.history_bytes() > l.history_total_bytes_max / 2);
  CHECK(e.tables.find("v")->history()->size() > 5);
  e.tables.forget_old_changes(e.now_us + 601 * second_us);
  CHECK(e.tables.history_bytes() == 0);
  e.run("drop table u");
}

TEST_CASE("history: where it reaches back to") {
  change_history h(10);
  CHECK(h.reaches_back_to(10, 10));
  CHECK_FALSE(h.reaches_back_to(9, 10));
  CHECK_FALSE(h.reaches_back_to(11, 10));
  for (const std::uint64_t sequence : {10U, 11U, 12U, 1001U, 1002U}) {
    h.append({.sequence = sequence, .time_us = static_cast<std::int64_t>(sequence), .kind = change_kind::set_ack});
  }
  CHECK(h.size() == 4);
  // The server was started behind 12 and went on behind 1000: nobody has had a number between, unless it was lost.
  for (const std::uint64_t position : {10U, 11U, 12U, 1000U, 1001U, 1002U}) CHECK(h.reaches_back_to(position, 1002));
  for (const std::uint64_t position : {9U, 13U, 999U, 1003U}) CHECK_FALSE(h.reaches_back_to(position, 1002));
  CHECK(h.reaches_back_to(2000, 2000));
  CHECK_FALSE(h.reaches_back_to(1999, 2000));
  auto changes = h.after(12);
  CHECK(changes.next()->sequence == 1001);
  CHECK(changes.next()->sequence == 1002);
  CHECK(changes.next() == nullptr);
  h.undo_to(1001);
  CHECK_FALSE(h.reaches_back_to(1002, 1001));
  h.trim(SIZE_MAX, 12);
  CHECK(h.begins_after() == 11);
  h.trim(0, 0);
  CHECK(h.begins_after() == 1001);
  CHECK(h.bytes() == 0);
  h.undo_to(5);
  CHECK(h.reaches_back_to(5, 5));
}
