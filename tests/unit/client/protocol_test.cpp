#include "client/protocol.hpp"

#include <doctest/doctest.h>

#include "tests/unit/client/frames.hpp"

using namespace pubsubsql;
using namespace pubsubsql::test;

namespace {

protocol connected_protocol(const client_options& options = {}) {
  protocol p(options);
  p.connected();
  return p;
}

const reply& reply_of(const protocol::incoming& got) {
  return *std::get<protocol::finished>(got).answer;
}

const error& error_of(const protocol::incoming& got) {
  return std::get<protocol::finished>(got).answer.error();
}

}  // namespace

TEST_CASE("a request is framed with rising ids") {
  protocol p = connected_protocol();
  CHECK(*p.request("status") == 1);
  CHECK(*p.request("select * from t") == 2);
  CHECK(p.output() == frame(1, "status") + frame(2, "select * from t"));
}

TEST_CASE("replies and events come out whatever pieces the bytes come in") {
  const std::string bytes =
      frame(1, "\n" + std::string(one_row)) + frame(0, pushed("insert", 7, "MSFT")) + frame(2, inserted);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{8}, std::size_t{100}, bytes.size()}) {
    CAPTURE(piece);
    protocol p = connected_protocol();
    (void)p.request("select * from t");
    (void)p.request("insert into t (ticker) values (IBM)");
    const auto got = feed(p, bytes, piece);
    REQUIRE(got.size() == 3);
    CHECK(reply_of(got[0])[0]["ticker"] == "IBM");
    CHECK(std::get<protocol::arrived>(got[1]).what.action == event_action::insert);
    CHECK(std::get<protocol::arrived>(got[1]).what.pubsubid == 7);
    CHECK(reply_of(got[2]).affected() == 1);
    CHECK(p.pending() == 0);
  }
}

TEST_CASE("batches with the same id become one reply") {
  protocol p = connected_protocol();
  (void)p.request("select * from t");
  const auto batch = [](int from, int to, std::string_view row) {
    return frame(1, R"({"status":"ok","action":"select","columns":["a"],"rows":3,"fromrow":)" + std::to_string(from) +
                        R"(,"torow":)" + std::to_string(to) + R"(,"data":)" + std::string(row) + "}");
  };
  CHECK(feed(p, batch(1, 2, R"([["x"],[null]])")).empty());
  const auto got = feed(p, batch(3, 3, R"([[""]])"));
  REQUIRE(got.size() == 1);
  const reply& r = reply_of(got[0]);
  REQUIRE(r.size() == 3);
  CHECK(r.affected() == 3);
  CHECK(r[0][0] == "x");
  CHECK(r[1][0].is_null());
  CHECK_FALSE(r[2][0].is_null());
  CHECK(r[2][0].text().empty());
}

TEST_CASE("a refusal carries the message and the offset") {
  protocol p = connected_protocol();
  (void)p.request("selec");
  const auto got = feed(p, frame(1, R"({"status":"err","msg":"expected a statement","offset":0})"));
  REQUIRE(got.size() == 1);
  CHECK(error_of(got[0]).code() == errc::refused);
  CHECK(std::string(error_of(got[0]).what()) == "expected a statement");
  CHECK(error_of(got[0]).offset() == 0);
}

TEST_CASE("an abandoned request is skipped") {
  protocol p = connected_protocol();
  (void)p.request("select * from t");
  (void)p.request("insert into t (a) values (b)");
  p.abandon(1);
  const auto got = feed(p, frame(1, one_row) + frame(2, inserted));
  REQUIRE(got.size() == 1);
  CHECK(std::get<protocol::finished>(got[0]).id == 2);
}

TEST_CASE("an abandoned subscription is ended when its reply comes") {
  protocol p = connected_protocol();
  (void)p.request("subscribe * from t");
  (void)sent(p);
  p.abandon(1);
  CHECK(feed(p, frame(1, subscribed(5))).empty());
  CHECK(sent(p) == std::vector<std::string>{"unsubscribe from t where pubsubid = 5"});
  CHECK(p.book().handles().empty());
  CHECK(feed(p, frame(2, R"({"status":"ok","action":"unsubscribe","subscriptions":1})")).empty());
}

TEST_CASE("stream statements are silent unless they fail") {
  protocol p = connected_protocol();
  CHECK(*p.stream("insert into t (a) values (b)") == 1);
  CHECK(*p.stream("STREAM insert into t (a) values (b)") == 2);
  (void)p.request("status");
  CHECK(sent(p) == std::vector<std::string>{"stream insert into t (a) values (b)",
                                            "STREAM insert into t (a) values (b)", "status"});
  const auto got = feed(
      p, frame(2, R"({"status":"err","msg":"no"})") + frame(3, R"({"status":"ok","action":"status","connections":4})"));
  REQUIRE(got.size() == 2);
  CHECK(std::get<stream_error>(got[0]).id == 2);
  CHECK(std::string(std::get<stream_error>(got[0]).why.what()) == "no");
  REQUIRE(reply_of(got[1]).facts().size() == 1);
  CHECK(reply_of(got[1]).facts()[0] == reply::fact{"connections", "4"});
}

TEST_CASE("a stream statement that is waited for is answered once it has been executed") {
  struct example {
    const char* name;
    std::string bytes;
    bool succeeds;
  };
  const std::string fence = frame(2, R"({"status":"ok","action":"status","connections":1})");
  for (const auto& e : {example{"success", fence, true},
                        example{"failure", frame(1, R"({"status":"err","msg":"no"})") + fence, false}}) {
    CAPTURE(e.name);
    protocol p = connected_protocol();
    CHECK(*p.request("stream insert into t (a) values (b)") == 2);
    const auto got = feed(p, e.bytes);
    REQUIRE(got.size() == 1);
    CHECK(std::get<protocol::finished>(got[0]).answer.has_value() == e.succeeds);
  }
}

TEST_CASE("a peer that does not speak the protocol is found out") {
  struct example {
    const char* name;
    std::string bytes;
  };
  const std::vector<example> examples{
      {"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"},
      {"not JSON", frame(1, "hello")},
      {"not an object", frame(1, "[1]")},
      {"a row too short",
       frame(1, R"({"status":"ok","action":"select","columns":["a","b"],"rows":1,"torow":1,"data":[["x"]]})")},
      {"out of order", frame(2, inserted)},
      {"unknown event", frame(0, R"({"status":"ok","action":"explode","pubsubid":"1"})")},
      {"the server complains", frame(0, R"({"status":"err","msg":"too many connections"})")},
  };
  for (const auto& e : examples) {
    CAPTURE(e.name);
    protocol p = connected_protocol();
    (void)p.request("a");
    (void)p.request("b");
    const auto got = feed(p, e.bytes);
    REQUIRE(got.size() == 1);
    CHECK(std::holds_alternative<protocol::broken>(got[0]));
    CHECK_FALSE(p.next());
  }
}

TEST_CASE("unknown members and replies to nothing asked are ignored") {
  protocol p = connected_protocol();
  CHECK(feed(p, frame(99, inserted)).empty());
  (void)p.request("insert");
  const auto got =
      feed(p, frame(1, R"({"status":"ok","new":{"data":[["x"]],"rows":9},"action":"insert","rows":1,"list":[1,[2]]})"));
  REQUIRE(got.size() == 1);
  CHECK(reply_of(got[0]).affected() == 1);
}

TEST_CASE("limits are kept") {
  SUBCASE("a reply") {
    client_options options;
    options.reply_bytes_max = 8;
    protocol p = connected_protocol(options);
    (void)p.request("select * from t");
    const auto got = feed(p, frame(1, one_row));
    REQUIRE(got.size() == 1);
    CHECK(error_of(got[0]).code() == errc::limit);
  }
  SUBCASE("a frame") {
    client_options options;
    options.frame_bytes_max = 10;
    protocol p = connected_protocol(options);
    CHECK(std::holds_alternative<protocol::broken>(feed(p, frame(0, pushed("insert", 1, "a"))).at(0)));
  }
  SUBCASE("pending requests") {
    client_options options;
    options.pending_max = 1;
    protocol p = connected_protocol(options);
    CHECK(p.request("status").has_value());
    CHECK(p.request("status").error().code() == errc::limit);
  }
  SUBCASE("the output") {
    client_options options;
    options.output_bytes_max = 10;
    protocol p = connected_protocol(options);
    CHECK(p.stream("insert into t").error().code() == errc::limit);
  }
}

TEST_CASE("events carry the handle of their subscription") {
  protocol p = connected_protocol();
  (void)p.request("subscribe * from t", true);
  const auto got =
      feed(p, frame(1, subscribed(3)) + frame(0, pushed("add", 3, "IBM")) + frame(0, pushed("add", 4, "IBM")));
  REQUIRE(got.size() == 3);
  const auto handle = reply_of(got[0]).subscription();
  CHECK(handle != subscription::none);
  CHECK(reply_of(got[0]).pubsubid() == 3);
  CHECK(std::get<protocol::arrived>(got[1]).what.subscription == handle);
  CHECK(std::get<protocol::arrived>(got[1]).dispatched);
  CHECK(std::get<protocol::arrived>(got[2]).what.subscription == subscription::none);
}

TEST_CASE("subscriptions are asked for again on a new connection") {
  client_options options;
  options.resume = false;
  protocol p = connected_protocol(options);
  (void)p.request("subscribe * from t");
  (void)p.request("subscribe * from u");
  (void)p.request("subscribe * from v");
  (void)feed(p, frame(1, subscribed(1)) + frame(2, subscribed(2)) + frame(3, subscribed(3)));
  const auto handles = p.book().handles();
  (void)p.request("unsubscribe from u");
  (void)feed(p, frame(4, R"({"status":"ok","action":"unsubscribe","subscriptions":1})"));
  (void)p.request("select * from t");
  (void)sent(p);

  const auto ended = p.disconnected(error(errc::connection_lost, "gone"));
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].answer.error().code() == errc::connection_lost);

  p.connected();
  p.restore();
  CHECK(sent(p) == std::vector<std::string>{"subscribe * from t", "subscribe * from v"});
  const auto got = feed(p, frame(6, subscribed(8)) + frame(0, pushed("add", 8, "IBM")) +
                               frame(7, R"({"status":"err","msg":"no such row"})"));
  REQUIRE(got.size() == 3);
  const auto& resync = std::get<protocol::arrived>(got[0]).what;
  CHECK(resync.action == event_action::resync);
  CHECK(resync.subscription == handles[0]);
  CHECK(std::get<protocol::arrived>(got[1]).what.subscription == handles[0]);
  const auto& ended_one = std::get<protocol::arrived>(got[2]).what;
  CHECK(ended_one.action == event_action::ended);
  CHECK(ended_one.subscription == handles[2]);
  CHECK(ended_one.message == "no such row");
  CHECK(p.book().handles() == std::vector{handles[0]});
}

TEST_CASE("a gap tells how many events were lost") {
  protocol p = connected_protocol();
  (void)p.request("subscribe * from t on slow drop");
  const auto got = feed(
      p, frame(1, subscribed(8)) +
             frame(0, R"({"status":"ok","action":"gap","pubsubid":"8","lost":512,"columns":[],"rows":0,"fromrow":0,)"
                      R"("torow":0,"data":[]})"));
  REQUIRE(got.size() == 2);
  const auto& gap = std::get<protocol::arrived>(got[1]).what;
  CHECK(gap.action == event_action::gap);
  CHECK(gap.subscription == p.book().handles()[0]);
  CHECK(gap.lost == 512);
  CHECK(gap.rows.size() == 0);
}

TEST_CASE("close and stop succeed when the server hangs up") {
  protocol p = connected_protocol();
  (void)p.request("Close");
  const auto ended = p.disconnected(error(errc::connection_lost, "gone"));
  REQUIRE(ended.size() == 1);
  REQUIRE(ended[0].answer.has_value());
  CHECK(ended[0].answer->action() == "close");
}

TEST_CASE("a long statement is refused before it is sent") {
  protocol p = connected_protocol();
  CHECK(p.request(std::string(0x09000000, 'x')).error().code() == errc::usage);
  CHECK(p.output().empty());
}
