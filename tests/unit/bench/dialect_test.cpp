#include "tools/bench/dialect.hpp"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/frame.hpp"
#include "tools/bench/stock_rows.hpp"

using namespace bench;
using namespace std::string_literals;

namespace {

std::string frame(const std::string& payload, std::uint32_t id = 1) {
  const auto header =
      pubsubsql::parser::encode({.payload_bytes = static_cast<std::uint32_t>(payload.size()), .request_id = id});
  return std::string(header.data(), header.size()) + payload;
}

/// A message of PostgreSQL with a body of less than 250 bytes.
std::string message(char type, const std::string& body) {
  return std::string{type, '\0', '\0', '\0', static_cast<char>(body.size() + 4)} + body;
}

std::string written(const request_template& t, std::uint64_t row, std::uint32_t id) {
  std::string out(t.size(), ' ');
  t.write(out.data(), row, id);
  return out;
}

struct conversation {
  std::string name;
  std::unique_ptr<dialect> speech;
  std::vector<std::string> replies;
};

std::vector<conversation> conversations() {
  std::vector<conversation> all;
  all.push_back(
      {"framed",
       make_framed_dialect(),
       {frame(R"({"status":"ok","action":"update","rows":1})"), frame(select_reply(make_stock(7)), 2), frame("")}});
  all.push_back({"redis",
                 make_redis_dialect(),
                 {"+OK\r\n", ":3\r\n", "$-1\r\n", "*0\r\n", "*-1\r\n", "$4\r\na\r\nb\r\n",
                  "*4\r\n$3\r\nbid\r\n$6\r\n123.45\r\n$3\r\nask\r\n$0\r\n\r\n", "*2\r\n*1\r\n:1\r\n$1\r\nx\r\n"}});
  all.push_back(
      {"postgresql",
       make_postgresql_dialect("d", "u"),
       {message('R', "\0\0\0\0"s) + message('S', "TimeZone\0UTC\0"s) + message('Z', "I"),
        message('2', "") + message('C', "UPDATE 1\0"s) + message('Z', "I"),
        message('2', "") + message('D', "\0\1\0\0\0\3Z\0\0"s) + message('C', "SELECT 1\0"s) + message('Z', "I")}});
  return all;
}

}  // namespace

TEST_CASE("dialects: replies are counted when they are whole, however the bytes arrive") {
  for (const conversation& c : conversations()) {
    CAPTURE(c.name);
    std::string all;
    for (const std::string& r : c.replies) all += r;
    const taken_replies at_once = c.speech->take_replies(all);
    CHECK(at_once.replies == c.replies.size());
    CHECK(at_once.bytes == all.size());

    std::string held;
    std::size_t replies = 0;
    std::size_t arrived = 0;
    std::size_t ends = 0;
    for (const std::string& r : c.replies) {
      ends += r.size();
      for (; arrived < ends; ++arrived) {
        const std::size_t before = replies;
        held += all[arrived];
        const taken_replies taken = c.speech->take_replies(held);
        held.erase(0, taken.bytes);
        replies += taken.replies;
        if (arrived + 1 < ends) CHECK(replies == before);
      }
      CHECK(held.empty());
    }
    CHECK(replies == c.replies.size());
  }
}

TEST_CASE("dialects: an error is thrown in the server's words") {
  CHECK_THROWS_WITH_AS(static_cast<void>(make_framed_dialect()->take_replies(frame(R"({"status":"err","msg":"no"})"))),
                       R"(PubSubSQL says: {"status":"err","msg":"no"})", std::runtime_error);
  CHECK_THROWS_WITH_AS(static_cast<void>(make_redis_dialect()->take_replies(":1\r\n-ERR no\r\n")), "Redis says: ERR no",
                       std::runtime_error);
  const auto postgresql = make_postgresql_dialect("d", "u");
  CHECK_THROWS_WITH_AS(static_cast<void>(postgresql->take_replies(message('E', "SERROR\0Mno\0\0"s))),
                       "PostgreSQL says: no", std::runtime_error);
  CHECK_THROWS_WITH_AS(static_cast<void>(postgresql->take_replies(message('R', "\0\0\0\5salt"s))),
                       "PostgreSQL asks u for a password; let that user in without one", std::runtime_error);
}

TEST_CASE("dialects: requests are about the row they are made for") {
  const auto framed = make_framed_dialect();
  CHECK(written(framed->request(operation::select), 12'345, 77) ==
        frame("select * from stocks where ticker = T00012345", 77));
  const std::string insert = written(framed->request(operation::insert), 12'345'678, 5);
  CHECK(insert.find("(T12345678, tech-78, ") != std::string::npos);
  CHECK(insert.ends_with("00000005)"));

  const auto redis = make_redis_dialect();
  CHECK(written(redis->request(operation::select), 7, 1) == "*2\r\n$7\r\nHGETALL\r\n$9\r\nT00000007\r\n");
  CHECK(redis->replies_to(operation::insert) == 2);
  CHECK(written(redis->request(operation::insert), 107, 1)
            .ends_with("*3\r\n$4\r\nSADD\r\n$7\r\ntech-07\r\n$9\r\nT00000107\r\n"));

  const std::string select = written(make_postgresql_dialect("d", "u")->request(operation::select), 7, 1);
  CHECK(select ==
        message('B', "\0select\0\0\0\0\1\0\0\0\tT00000007\0\0"s) + message('E', "\0\0\0\0\0"s) + message('S', ""));
}

TEST_CASE("stock rows: an update is an event of 171 bytes, whatever the row's number") {
  for (const std::uint64_t number : {0ULL, 7ULL, 99'999ULL, 1'234'567ULL}) {
    for (const unsigned version : {0U, 1U, 99'999U}) {
      const std::string event = update_event(make_stock(number, version));
      CHECK(event.size() == stock_event_bytes);
    }
  }
}
