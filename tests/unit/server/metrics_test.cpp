#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "server/metrics/duration_histogram.hpp"
#include "server/metrics/exposition.hpp"
#include "server/metrics/history.hpp"
#include "server/metrics/process_usage.hpp"
#include "server/metrics/slow_statement_log.hpp"
#include "server/metrics/statement_watch.hpp"
#include "server/reply_encoder.hpp"

using namespace pubsubsql;
using namespace pubsubsql::server;

namespace {

constexpr std::int64_t millisecond = 1'000'000;

std::uint64_t count_of(const duration_histogram& h) {
  std::uint64_t sum = 0;
  for (const std::uint64_t c : h.counts()) sum += c;
  return sum;
}

verb verb_named(std::string_view name) {
  verb v = 0;
  while (name_of_verb(v) != name) ++v;
  return v;
}

}  // namespace

TEST_CASE("metrics: durations are counted in the bucket whose bound they do not exceed") {
  struct example {
    std::int64_t duration_ns;
    std::size_t bucket;
  };
  const example examples[] = {{-5, 0},
                              {0, 0},
                              {1'000, 0},
                              {1'001, 1},
                              {2'500, 1},
                              {millisecond, 9},
                              {millisecond + 1, 10},
                              {10'000 * millisecond, 21},
                              {10'000 * millisecond + 1, 22}};
  for (const example& e : examples) {
    CAPTURE(e.duration_ns);
    duration_histogram h;
    h.add(e.duration_ns);
    for (std::size_t b = 0; b < h.counts().size(); ++b) CHECK(h.counts()[b] == (b == e.bucket ? 1 : 0));
  }
}

TEST_CASE("metrics: a weight counts as so many, and histograms add up") {
  duration_histogram a;
  a.add(2 * millisecond, 16);
  duration_histogram b;
  b.add(3'000 * millisecond);
  b += a;
  CHECK(count_of(b) == 17);
  CHECK(b.sum_seconds() == doctest::Approx(3.032));
}

TEST_CASE("metrics: the text format escapes what it must") {
  std::string out;
  exposition e(out);
  e.family("a_total", exposition::type::counter, "back\\slash, \"quotes\" and\nline");
  e.sample(std::uint64_t{7}, {"table", "a\"b\\c\nd"});
  e.gauge("b", "half", 0.5);
  CHECK(out ==
        "# HELP a_total back\\\\slash, \"quotes\" and\\nline\n"
        "# TYPE a_total counter\n"
        "a_total{table=\"a\\\"b\\\\c\\nd\"} 7\n"
        "# HELP b half\n"
        "# TYPE b gauge\n"
        "b 0.5\n");
}

TEST_CASE("metrics: the buckets of a histogram are summed up") {
  duration_histogram h;
  h.add(500);
  h.add(20'000 * millisecond, 2);
  std::string out;
  exposition e(out);
  e.family("d_seconds", exposition::type::histogram, "durations");
  e.samples(h);
  CHECK(out.find("d_seconds_bucket{le=\"1e-06\"} 1\n") != std::string::npos);
  CHECK(out.find("d_seconds_bucket{le=\"10\"} 1\n") != std::string::npos);
  CHECK(out.find("d_seconds_bucket{le=\"+Inf\"} 3\n") != std::string::npos);
  CHECK(out.find("d_seconds_sum 40.0000005\n") != std::string::npos);
  CHECK(out.ends_with("d_seconds_count 3\n"));
}

TEST_CASE("metrics: the history keeps an hour, the oldest first") {
  history h;
  CHECK(nlohmann::json::parse(h.to_json())["data"].empty());
  for (std::int64_t i = 0; i < 365; ++i) {
    h.add({.time = i * 10, .statements = 0.25 * static_cast<double>(i), .connections = 3});
  }
  const auto json = nlohmann::json::parse(h.to_json());
  CHECK(json["interval"] == 10);
  REQUIRE(json["data"].size() == 360);
  CHECK(json["data"][0][0] == 50);
  CHECK(json["data"][359][0] == 3640);
  CHECK(json["data"][359][1] == doctest::Approx(91.0));
  CHECK(json["data"][359][3] == 3);
  CHECK(json["columns"].size() == json["data"][0].size());
}

TEST_CASE("metrics: the first statement of a batch is timed, and of the others a sample that stands for all") {
  worker_counters counters;
  statement_watch watch(counters, 0);
  const auto run = [&](bool fails) {
    watch.taken();
    watch.recognised(verb_named("insert"), "insert into t (a) values (1)");
    watch.answered({.is_error = fails});
    CHECK_FALSE(watch.ended());
  };
  watch.begin_batch();
  run(false);
  CHECK(count_of(counters.statement_durations) == 1);
  for (int i = 0; i < 160; ++i) run(i == 7);
  CHECK(count_of(counters.statement_durations) == 161);
  CHECK(counters.statements[verb_named("insert")] == 161);
  CHECK(counters.errors[verb_named("insert")] == 1);
}

TEST_CASE("metrics: what is handed over is counted when it is answered") {
  worker_counters counters;
  statement_watch watch(counters, 0);
  watch.begin_batch();
  watch.taken();
  watch.recognised(verb_named("update"), "update t set a = 1");
  const statement_mark mark = watch.hand_over();
  CHECK_FALSE(watch.hand_over().is_statement);
  CHECK_FALSE(watch.ended());
  CHECK(count_of(counters.statement_durations) == 0);
  CHECK(mark.text == nullptr);
  CHECK_FALSE(watch.answered(mark, {.is_error = true}));
  CHECK(count_of(counters.statement_durations) == 1);
  CHECK(counters.errors[verb_named("update")] == 1);
  CHECK_FALSE(watch.answered({}, {.is_error = true}));
  CHECK(count_of(counters.statement_durations) == 1);
}

TEST_CASE("metrics: with a log of slow statements each one is timed") {
  worker_counters counters;
  statement_watch watch(counters, 1);
  watch.begin_batch();
  for (int i = 0; i < 3; ++i) {
    watch.taken();
    watch.recognised(verb_named("select"), "select * from t");
    watch.answered({.is_error = false, .rows = 4});
    REQUIRE(watch.ended());
    const statement_watch::slow_statement slow = watch.slow();
    CHECK(slow.duration_ns >= 1);
    CHECK(slow.text == "\"select * from t\"");
    CHECK(slow.answered.rows == 4);
  }
  CHECK(counters.slow_statements == 3);
  CHECK(count_of(counters.statement_durations) == 3);
}

TEST_CASE("metrics: statements are shown on one line, cut, and without passwords") {
  const verb select = verb_named("select");
  struct example {
    std::string sql;
    verb kind;
    std::string shown;
  };
  const example examples[] = {
      {"select 'a\"\n\t\x7f\\'", select, "\"select 'a\\\"\\n\\x09\\x7f\\\\'\""},
      {"auth me secret", verb_named("auth"), "(a statement with a password: auth)"},
      {"create user u identified by 'secret'", verb_named("create_user"), "(a statement with a password: create_user)"},
      {"mysql connect 'mysql://u:secret@h/d'", verb_named("mysql_connect"),
       "(a statement with a password: mysql_connect)"},
      {"execute p using 'me', 'secret'", verb_named("auth"), "(a statement with a password: auth)"},
      {"execute p using 'secret'", verb_named("execute"), "(a statement with a password: execute)"},
      {"execute p using 1", select, "\"execute p using 1\""},
      {"auht me secret", unreadable_verb, "(a statement that cannot be read)"},
      {std::string(1'023, 'x') + "\xC3\xA4" + "y", select, "\"" + std::string(1'023, 'x') + "\" and 3 more bytes"},
      {std::string(1'024, 'x'), select, "\"" + std::string(1'024, 'x') + "\""},
  };
  for (const example& e : examples) CHECK(shown_statement(e.sql, e.kind) == e.shown);
}

TEST_CASE("metrics: lines come as they may, and then one in each interval") {
  using namespace std::chrono_literals;
  line_limiter limiter(3, 1s);
  const line_limiter::clock::time_point start{100s};
  for (int i = 0; i < 3; ++i) CHECK(limiter.admit(start) == 0);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(limiter.admit(start + 999ms));
  CHECK(limiter.admit(start + 1s) == 5);
  CHECK_FALSE(limiter.admit(start + 1'999ms));
  CHECK(limiter.admit(start + 60s) == 1);
  CHECK(limiter.admit(start + 60s) == 0);
  CHECK(limiter.admit(start + 60s) == 0);
  CHECK_FALSE(limiter.admit(start + 60s));
}

TEST_CASE("metrics: replies tell whether they are errors, and of how many rows") {
  struct example {
    std::string reply;
    bool error;
    std::uint64_t rows;
  };
  const example examples[] = {
      {"", false, 0},
      {"{", false, 0},
      {R"({"status":"ok","action":"insert","rows":12})", false, 12},
      {R"({"status":"ok","action":"select","columns":["rows",",\"rows\":9"],"rows":2,"fromrow":1)", false, 2},
      {R"({"status":"ok","action":"key"})", false, 0},
      {R"({"status":"err","msg":"no"})", true, 0},
      {R"({"requestid":7,"status":"err","msg":"no"})", true, 0},
      {R"({"requestid":7,"status":"ok","action":"insert","rows":1})", false, 1},
      {R"({"requestid":7)", false, 0},
  };
  for (const example& e : examples) {
    CAPTURE(e.reply);
    CHECK(is_error(e.reply, parser::wire_mode::text) == e.error);
    CHECK(is_error(std::string(8, '\0') + e.reply, parser::wire_mode::framed) == e.error);
    CHECK(rows_of(e.reply) == e.rows);
  }
}

TEST_CASE("metrics: the system knows the process") {
  const process_usage p = read_process_usage();
  CHECK(p.resident_bytes > 0);
  CHECK(p.virtual_bytes >= p.resident_bytes);
  CHECK(p.open_files >= 3);
  CHECK(p.open_files_max >= p.open_files);
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(p.started_at_seconds > now - 86'400);
  CHECK(p.started_at_seconds <= now + 1);
}
