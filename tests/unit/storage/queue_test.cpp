// Queues, checked against a naive model: random statements, times and ends of connections.

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/parser.hpp"
#include "storage/database.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

namespace {

constexpr std::int64_t second = 1'000'000;

/// A database with a clock of its own.
class timed_engine {
 public:
  std::int64_t now_us = 1'800'000'000 * second;

  const outcome& run(const std::string& sql, std::uint64_t who = 1, std::uint64_t looked_until = 0) {
    arena_.reset();
    const auto parsed = parser::parse(sql, arena_);
    REQUIRE_MESSAGE(parsed.has_value(), sql);
    statement_ = *parsed;
    return engine.execute(statement_,
                          {.subscriber = subscriber_id{who}, .now_us = now_us, .looked_until = looked_until});
  }
  const outcome& end(lease_end why, std::uint64_t who = 0) {
    return engine.end_leases("q", why, subscriber_id{who}, now_us);
  }
  const table& queue() { return *engine.find("q"); }

  database engine;

 private:
  parser::statement_arena arena_;
  parser::statement statement_{.body = parser::status_statement{}};
};

std::vector<std::uint64_t> ids_of(const outcome& o) {
  std::vector<std::uint64_t> ids;
  for (const row_view row : o.data) ids.push_back(row.id());
  return ids;
}

struct model_row {
  int priority = 0;
  std::uint64_t attempts = 0;
  std::int64_t available_us = 0;
  std::optional<std::int64_t> until = {};
  std::uint64_t owner = 0;
};

struct model {
  std::uint64_t attempts_max = 0;
  bool keeps_dead = false;
  std::map<std::uint64_t, model_row> rows = {};
  std::uint64_t next_id = 0;

  [[nodiscard]] bool is_dead(const model_row& r) const { return attempts_max > 0 && r.attempts >= attempts_max; }
  [[nodiscard]] std::vector<std::uint64_t> ready(std::int64_t now_us) const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, r] : rows) {
      if (!r.until && r.available_us <= now_us && !is_dead(r)) ids.push_back(id);
    }
    std::ranges::stable_sort(ids, [&](auto a, auto b) { return rows.at(a).priority > rows.at(b).priority; });
    return ids;
  }
  void give_back(std::uint64_t id) {
    model_row& r = rows.at(id);
    r.until.reset();
    r.owner = 0;
    if (is_dead(r) && !keeps_dead) rows.erase(id);
  }
  template <typename Ends>
  void end_leases(Ends&& ends) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, r] : rows) {
      if (r.until && ends(r)) ids.push_back(id);
    }
    for (const std::uint64_t id : ids) give_back(id);
  }
};

void check_counts(timed_engine& e, const model& m) {
  e.run("pop 0 from q");  // tells the time
  const queue_index& q = *e.queue().queue();
  std::size_t leased = 0;
  std::size_t dead = 0;
  std::size_t delayed = 0;
  for (const auto& [id, r] : m.rows) {
    leased += r.until ? 1U : 0U;
    dead += !r.until && m.is_dead(r) ? 1U : 0U;
    delayed += !r.until && !m.is_dead(r) && r.available_us > e.now_us ? 1U : 0U;
  }
  REQUIRE(q.leased().size() == leased);
  REQUIRE(q.dead().size() == dead);
  REQUIRE(q.delayed_count() == delayed);
  REQUIRE(q.ready().size() == m.ready(e.now_us).size());
  REQUIRE(e.queue().row_count() == m.rows.size());
}

/// Copies of what a statement changed, and takes it back.
void undo(timed_engine& e, const outcome& o) {
  if (o.changes.empty()) return;
  const durable::statement_changes kept(*o.about, o.changes);
  e.engine.undo("q", kept.changes());
}

/// A pop that waits for rows of some priority, run again and again.
struct waiting_pop {
  int priority = 0;
  std::uint64_t looked_until = 0;
};

void serve(timed_engine& e, model& m, waiting_pop& pop) {
  constexpr std::uint64_t who = 9;
  std::vector<std::uint64_t> expected;
  for (const std::uint64_t id : m.ready(e.now_us)) {
    if (m.rows.at(id).priority == pop.priority && expected.size() < 2) expected.push_back(id);
  }
  const outcome& o =
      e.run("pop 2 * from q where p = " + std::to_string(pop.priority) + " wait 1 hour", who, pop.looked_until);
  REQUIRE(ids_of(o) == expected);
  REQUIRE((o.looked_until > 0) == expected.empty());
  pop.looked_until = o.looked_until;
  for (const std::uint64_t id : expected) {
    model_row& r = m.rows.at(id);
    ++r.attempts;
    r.until = e.now_us + 5 * second;
    r.owner = who;
  }
}

void play(unsigned seed, std::uint64_t attempts_max, bool keeps_dead) {
  timed_engine e;
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  model m{.attempts_max = attempts_max, .keeps_dead = keeps_dead};
  REQUIRE(!e.run("create queue q (p int, job text) priority p lease 5 seconds max attempts " +
                 std::to_string(attempts_max) + (keeps_dead ? " dead letter d" : ""))
               .failure);
  waiting_pop waiting[] = {{.priority = 0}, {.priority = 2}};
  for (int step = 0; step < 600; ++step) {
    const std::uint64_t who = 1 + below(4);
    if (below(3) == 0) e.now_us += below(4) * second / 2;
    const std::vector<std::uint64_t> ready = m.ready(e.now_us);
    std::vector<std::uint64_t> mine;
    for (const auto& [id, r] : m.rows) {
      if (r.until && r.owner == who) mine.push_back(id);
    }
    switch (below(8)) {
      case 0:
      case 1: {
        const int p = static_cast<int>(below(3));
        const unsigned delay = below(4);
        e.run("push into q (p, job) values (" + std::to_string(p) + ", x)" +
              (delay > 0 ? " delay " + std::to_string(delay) + " seconds" : ""));
        m.rows[m.next_id++] = {.priority = p, .available_us = e.now_us + delay * second};
        break;
      }
      case 2:
      case 3: {
        const unsigned count = 1 + below(4);
        const auto got = ids_of(e.run("pop " + std::to_string(count) + " * from q", who));
        const std::vector<std::uint64_t> expected(
            ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(count, ready.size())));
        REQUIRE(got == expected);
        for (const std::uint64_t id : got) {
          model_row& r = m.rows.at(id);
          ++r.attempts;
          r.until = e.now_us + 5 * second;
          r.owner = who;
        }
        break;
      }
      case 4:
      case 5: {
        if (mine.empty()) break;
        const std::uint64_t id = mine[below(static_cast<unsigned>(mine.size()))];
        const std::string row = " q " + std::to_string(id);
        REQUIRE(e.run("ack" + row, who + 1).failure.has_value());
        const unsigned what = below(3);
        if (what == 0) {
          REQUIRE(!e.run("ack" + row, who).failure);
          m.rows.erase(id);
        } else if (what == 1) {
          REQUIRE(!e.run("nack" + row + " delay 1 second", who).failure);
          m.rows.at(id).available_us = e.now_us + second;
          m.give_back(id);
        } else {
          REQUIRE(!e.run("renew" + row + " lease 9 seconds", who).failure);
          m.rows.at(id).until = e.now_us + 9 * second;
        }
        break;
      }
      case 6:
        if (below(2) == 0) {
          e.end(lease_end::time);
          m.end_leases([&](const model_row& r) { return *r.until <= e.now_us; });
        } else {
          e.end(lease_end::connection, who);
          m.end_leases([&](const model_row& r) { return r.owner == who; });
        }
        break;
      default: {
        // What is taken back leaves everything as it was.
        static const std::vector<std::string> taken_back = {"pop 3 from q", "push into q (p) values (1)",
                                                            "update q set p = 2", "delete from q"};
        undo(e, e.run(taken_back[below(4)], who));
        break;
      }
    }
    check_counts(e, m);
    if (below(6) == 0) serve(e, m, waiting[below(2)]);
  }
}

}  // namespace

TEST_CASE("queue: as a naive model has it") {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    play(seed, 0, false);
    play(seed, 3, false);
    play(seed, 3, true);
  }
}

TEST_CASE("queue: rows that are loaded are leased until all leases end") {
  timed_engine e;
  e.run("create queue q (job text) durable max attempts 2");
  e.run("push into q (job) values (a), (b), (c)");
  e.run("pop 2 from q");
  table_description d = e.queue().description();
  timed_engine later;
  table& t = later.engine.restore(d);
  std::vector<value> values;
  std::vector<row_number> rows;
  e.queue().find_all(rows);
  for (const row_number row : rows) {
    const row_view r = e.queue().get(row);
    values.assign(e.queue().column_count(), std::nullopt);
    for (column_index c = 1; c < e.queue().column_count(); ++c) values[c] = r.at(c);
    REQUIRE(!t.load(r.position(), values));
  }
  CHECK(ids_of(later.run("pop 5 from q")) == std::vector<std::uint64_t>{2});
  CHECK(later.end(lease_end::restart).rows == 3);
  CHECK(ids_of(later.run("pop 5 from q")) == std::vector<std::uint64_t>{0, 1, 2});
}

TEST_CASE("queue: a pop that wants to wait says so") {
  timed_engine e;
  e.run("create queue q (job text)");
  CHECK(e.run("pop 1 from q wait 3 seconds").wait_us == 3 * second);
  CHECK(e.run("pop 1 from q").wait_us == 0);
  e.run("push into q (job) values (a)");
  CHECK(e.run("pop 1 from q where job = b wait 3 seconds").wait_us == 3 * second);
  CHECK(e.run("pop 1 from q wait 3 seconds").wait_us == 0);
}

TEST_CASE("queue: what has become ready while somebody waits") {
  timed_engine e;
  e.run("create queue q (p int)");
  for (int i = 0; i < 100; ++i) e.run("push into q (p) values (1)");
  const queue_index& q = *e.queue().queue();
  const auto known = [&](std::uint64_t since) {
    const auto rows = q.became_ready(since);
    return rows ? static_cast<int>(rows->size()) : -1;
  };
  const auto wait = [&](const std::string& where, std::uint64_t since = 0) {
    return e.run("pop 1 from q where " + where + " wait 1 hour", 1, since).looked_until;
  };
  CHECK(e.run("pop 1 from q where p = 2").looked_until == 0);
  CHECK(wait("p = 2 and now() > '2000-01-01'") == 0);
  CHECK(wait("p = (select max(p) + 1 from q)") == 0);
  CHECK(known(1) == -1);
  const std::uint64_t first = wait("p = 2");
  CHECK(known(first) == 0);
  e.run("push into q (p) values (1), (3)");
  CHECK(known(first) == 2);
  const std::uint64_t second_time = wait("p = 2", first);
  CHECK(second_time == first + 2);
  CHECK(known(second_time) == 0);
  e.run("update q set p = 1 where p = 3");
  CHECK(known(second_time) == 1);
  e.run("update q set p = 3 where id = 101");
  CHECK(known(second_time) == 1);
  CHECK(known(first) == 2);
  e.run("delete from q where id = 101");
  CHECK(known(second_time) == 0);
  // When that comes to more than the queue has, it is forgotten.
  for (int i = 0; i < 2'000; ++i) e.run("update q set p = 1 where id = 0");
  CHECK(known(first) == -1);
  const std::uint64_t anew = wait("p = 2", first);
  CHECK(anew > first);
  CHECK(known(second_time) == -1);
  CHECK(known(anew) == 0);
}

TEST_CASE("queue: a clock that is set back") {
  timed_engine e;
  e.run("create queue q (n int) lease 10 seconds");
  e.run("push into q (n) values (1)");
  e.run("push into q (n) values (2) delay 5 seconds");
  CHECK(e.run("pop 9 from q").data.size() == 1);
  e.run("nack q 0");
  e.now_us -= 7'200 * second;
  e.run("push into q (n) values (3) delay 5 seconds");
  CHECK(ids_of(e.run("pop 9 from q")) == std::vector<std::uint64_t>{0});  // what was ready is ready
  e.now_us += 6 * second;
  CHECK(ids_of(e.run("pop 9 from q")) == std::vector<std::uint64_t>{2});  // by the clock as it is now
  e.run("delete from q");
  CHECK(e.queue().row_count() == 0);
}

TEST_CASE("queue: what stores need of it") {
  timed_engine e;
  CHECK(!e.run("create queue q (job text)").about->is_stored());
  e.run("drop queue q");
  CHECK(e.run("create queue q (job text) durable").about->is_stored());
}

}  // namespace pubsubsql::storage
