// Subscriptions that go on where they were, by the protocol alone.

#include <doctest/doctest.h>

#include "client/protocol.hpp"
#include "tests/unit/client/frames.hpp"

using namespace pubsubsql;
using namespace pubsubsql::test;

namespace {

/// The answer to a subscription with positions.
std::string agreed(int pubsubid, int seq, bool resync = false) {
  return R"({"status":"ok","action":"subscribe","pubsubid":")" + std::to_string(pubsubid) + R"(","seq":)" +
         std::to_string(seq) + (resync ? R"(,"resync":true})" : "}");
}

std::string told(std::string_view action, int seq, std::string_view rest) {
  return frame(0, R"({"status":"ok","action":")" + std::string(action) + R"(","pubsubid":"5","seq":)" +
                      std::to_string(seq) + R"(,"columns":["id"],)" + std::string(rest) + "}");
}

std::string row_told(std::string_view action, int seq) {
  return told(action, seq, R"("rows":1,"fromrow":1,"torow":1,"data":[["0"]])");
}

std::string end_told(int seq) {
  return told("add", seq, R"("rows":0,"fromrow":0,"torow":0,"data":[],"snapshot":"end")");
}

constexpr std::string_view unknown_clause = R"({"status":"err","msg":"expected end of statement","offset":18})";

/// A client that has one subscription, of which the statements and the events are looked at.
struct subscriber {
  explicit subscriber(std::string_view sql, const subscribe_options& how = {}) {
    p.connected();
    asked = *p.request(sql, false, how);
  }

  std::vector<protocol::incoming> hear(const std::string& bytes) { return feed(p, bytes); }

  /// Hears one event.
  event one(const std::string& bytes) {
    auto got = hear(bytes);
    REQUIRE(got.size() == 1);
    REQUIRE(std::holds_alternative<protocol::arrived>(got[0]));
    return std::get<protocol::arrived>(got[0]).what;
  }

  /// What is asked for after a reconnect; its request is number `id`.
  std::string reconnect() {
    (void)p.disconnected(error(errc::connection_lost, "gone"));
    p.connected();
    p.restore();
    auto statements = sent(p);
    REQUIRE(statements.size() == 1);
    return statements[0];
  }

  protocol p{client_options{}};
  std::uint32_t asked = 0;
};

}  // namespace

TEST_CASE("a subscription goes on behind the last event") {
  subscriber s("subscribe * from t where a = 'x';");
  CHECK(sent(s.p) == std::vector<std::string>{"subscribe * from t where a = x with seq"});
  const auto got = s.hear(frame(1, agreed(5, 7)));
  REQUIRE(got.size() == 1);
  CHECK(std::get<protocol::finished>(got[0]).answer->seq() == 7);
  CHECK_FALSE(s.one(row_told("add", 7)).seq);
  const event end = s.one(end_told(7));
  CHECK(end.snapshot_end);
  CHECK(end.seq == 7);
  CHECK(s.one(row_told("insert", 9)).seq == 9);
  CHECK(s.reconnect() == "subscribe * from t where a = x since 9");
  const event resumed = s.one(frame(2, agreed(5, 9)));
  CHECK(resumed.action == event_action::resumed);
  CHECK(resumed.subscription == s.p.book().handles()[0]);
  CHECK(s.one(row_told("delete", 10)).seq == 10);
  CHECK(s.reconnect() == "subscribe * from t where a = x since 10");
}

TEST_CASE("bound values stay with a subscription that goes on") {
  subscriber s("execute immediate 'subscribe * from t where a = ? -- it''s' using 'it''s since 3'");
  CHECK(sent(s.p) == std::vector<std::string>{"subscribe * from t where a = 'it''s since 3' with seq"});
  (void)s.hear(frame(1, agreed(5, 7)) + end_told(7));
  CHECK(s.reconnect() == "subscribe * from t where a = 'it''s since 3' since 7");
}

TEST_CASE("what the server has no longer is told") {
  subscriber s("subscribe * from t");
  (void)s.hear(frame(1, agreed(5, 7)) + end_told(7));
  (void)sent(s.p);
  CHECK(s.reconnect() == "subscribe * from t since 7");
  CHECK(s.one(frame(2, agreed(5, 900, true))).action == event_action::resync);
  CHECK_FALSE(s.one(row_told("add", 900)).seq);
  // In the middle of the rows there is nothing to go on from.
  CHECK(s.reconnect() == "subscribe * from t with seq");
  CHECK(s.one(frame(3, agreed(5, 901))).action == event_action::resync);
}

TEST_CASE("beginning behind a position") {
  subscriber s("subscribe * from t", {.since = 41});
  CHECK(sent(s.p) == std::vector<std::string>{"subscribe * from t since 41"});
  SUBCASE("that is there") {
    CHECK(s.hear(frame(1, agreed(5, 41))).size() == 1);
    CHECK(s.one(row_told("insert", 42)).seq == 42);
    CHECK(s.reconnect() == "subscribe * from t since 42");
  }
  SUBCASE("that is gone") {
    const auto got = s.hear(frame(1, agreed(5, 50, true)) + end_told(50));
    REQUIRE(got.size() == 3);
    CHECK(std::get<protocol::finished>(got[0]).answer->resync());
    CHECK(std::get<protocol::arrived>(got[1]).what.action == event_action::resync);
    CHECK(std::get<protocol::arrived>(got[2]).what.seq == 50);
    CHECK(s.reconnect() == "subscribe * from t since 50");
  }
}

TEST_CASE("positions that the statement itself asks for") {
  subscriber s("subscribe * from t since 5 on slow drop");
  CHECK(sent(s.p) == std::vector<std::string>{"subscribe * from t since 5 on slow drop"});
  (void)s.hear(frame(1, agreed(5, 5)) + row_told("insert", 6));
  CHECK(s.reconnect() == "subscribe * from t on slow drop since 6");
}

TEST_CASE("gaps") {
  const std::string gap = told("gap", 9, R"("rows":0,"fromrow":0,"torow":0,"data":[],"lost":2)");
  SUBCASE("that rows follow") {
    subscriber s("subscribe * from t on slow drop");
    (void)s.hear(frame(1, agreed(5, 7)) + end_told(7));
    (void)sent(s.p);
    CHECK_FALSE(s.one(gap).seq);
    SUBCASE("in whole") {
      CHECK(s.one(end_told(9)).seq == 9);
      CHECK(s.reconnect() == "subscribe * from t on slow drop since 9");
    }
    SUBCASE("in part") {
      CHECK(s.reconnect() == "subscribe * from t on slow drop with seq");
    }
  }
  SUBCASE("that none follow") {
    subscriber s("subscribe skip * from t on slow drop");
    (void)s.hear(frame(1, agreed(5, 7)));
    (void)sent(s.p);
    CHECK(s.one(gap).seq == 9);
    CHECK(s.reconnect() == "subscribe skip * from t on slow drop since 9");
  }
}

TEST_CASE("a server that knows no positions is asked as before") {
  subscriber s("subscribe * from t");
  (void)s.p.request("status");
  (void)sent(s.p);
  CHECK(s.hear(frame(1, unknown_clause)).empty());
  CHECK(sent(s.p) == std::vector<std::string>{"subscribe * from t"});
  CHECK(s.hear(frame(2, R"({"status":"ok","action":"status"})")).size() == 1);
  const auto got = s.hear(frame(3, subscribed(5)));
  REQUIRE(got.size() == 1);
  CHECK(std::get<protocol::finished>(got[0]).id == s.asked);
  CHECK_FALSE(s.one(frame(0, pushed("add", 5, "IBM"))).seq);
  CHECK(s.reconnect() == "subscribe * from t with seq");  // it may have been updated
  CHECK(s.hear(frame(4, R"({"status":"err","msg":"of PubSubSQL 1, without an offset"})")).empty());
  CHECK(sent(s.p) == std::vector<std::string>{"subscribe * from t"});
  CHECK(s.one(frame(5, subscribed(6))).action == event_action::resync);
}

TEST_CASE("refusals of a subscription with positions") {
  subscriber s("subscribe nothing from t");
  (void)sent(s.p);
  SUBCASE("about its text are told of the text as it was given") {
    CHECK(s.hear(frame(1, R"({"status":"err","msg":"no","offset":30,"code":1054})")).empty());
    const auto got = s.hear(frame(2, R"({"status":"err","msg":"no such column","offset":10,"code":1054})"));
    REQUIRE(got.size() == 1);
    CHECK(std::get<protocol::finished>(got[0]).answer.error().offset() == 10);
  }
  SUBCASE("for other reasons are told at once") {
    const auto got = s.hear(frame(1, R"({"status":"err","msg":"denied","code":1142})"));
    REQUIRE(got.size() == 1);
    CHECK(std::string(std::get<protocol::finished>(got[0]).answer.error().what()) == "denied");
  }
  SUBCASE("are told to nobody when it was given up") {
    s.p.abandon(s.asked);
    CHECK(s.hear(frame(1, unknown_clause)).empty());
    CHECK(s.hear(frame(2, subscribed(5))).empty());
    CHECK(sent(s.p).back() == "unsubscribe from t where pubsubid = 5");
  }
  CHECK((s.p.book().handles().empty()));
}

TEST_CASE("published rows are events") {
  subscriber s("subscribe * from t");
  (void)s.hear(frame(1, agreed(5, 7)) + end_told(7));
  const event e = s.one(told("publish", 7, R"("rows":1,"fromrow":1,"torow":1,"data":[[null]])"));
  CHECK(e.action == event_action::publish);
  CHECK(name_of(e.action) == "publish");
  CHECK(e.rows[0][0].is_null());
}

TEST_CASE("a subscription with a name is left alone, and goes on where the server says") {
  subscriber s("subscribe * from t as s", {.resume = true});
  CHECK(sent(s.p) == std::vector<std::string>{"subscribe * from t as s"});
  (void)s.hear(frame(1, R"({"status":"ok","action":"subscribe","pubsubid":"5","seq":7,"name":"s"})"));
  CHECK(s.one(row_told("insert", 8)).seq == 8);
  CHECK(s.reconnect() == "subscribe * from t as s");
  CHECK(s.one(frame(2, R"({"status":"ok","action":"subscribe","pubsubid":"5","seq":7,"name":"s","resumed":true})"))
            .action == event_action::resumed);
  CHECK(s.reconnect() == "subscribe * from t as s");
  CHECK(s.one(frame(3, R"({"status":"ok","action":"subscribe","pubsubid":"5","seq":9,"name":"s"})")).action ==
        event_action::resync);
}

TEST_CASE("a subscription that the server has ended is not asked for again") {
  subscriber s("subscribe * from t as s");
  (void)sent(s.p);
  (void)s.hear(frame(1, R"({"status":"ok","action":"subscribe","pubsubid":"5","seq":7,"name":"s"})"));
  const event e =
      s.one(frame(0, R"({"status":"ok","action":"ended","pubsubid":"5","msg":"another has it","columns":[],)"
                     R"("rows":0,"fromrow":0,"torow":0,"data":[]})"));
  CHECK(e.action == event_action::ended);
  CHECK(e.message == "another has it");
  (void)s.p.disconnected(error(errc::connection_lost, "gone"));
  s.p.connected();
  s.p.restore();
  CHECK(sent(s.p).empty());
}
