#include "server/http/sse_encoder.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/http/frame_feed.hpp"

using namespace pubsubsql;
using namespace pubsubsql::server::http;

namespace {

std::string frame(std::string_view payload) {
  const auto header = parser::encode({.payload_bytes = static_cast<std::uint32_t>(payload.size()), .request_id = 0});
  return std::string(header.data(), header.size()) + std::string(payload);
}

std::string insert(std::string_view data) {
  return R"({"status":"ok","action":"insert","pubsubid":"1","columns":["a"],"rows":1,"fromrow":1,"torow":1,"data":[[")" +
         std::string(data) + R"("]]})";
}

}  // namespace

TEST_CASE("server-sent events: however the frames are cut") {
  const std::string a = insert("x");
  const std::string b = insert(std::string(300, 'y'));
  const std::string bytes = frame(a) + frame(b) + frame(R"({"status":"ok"})") + frame("");
  const std::string expected = "event: insert\nid: s-1\ndata: " + a + "\n\nevent: insert\nid: s-2\ndata: " + b +
                               "\n\nevent: message\nid: s-3\ndata: {\"status\":\"ok\"}\n\n" +
                               "event: message\nid: s-4\ndata: \n\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    std::string out;
    sse_encoder encoder(out);
    encoder.name_stream("s");
    frame_feed feed;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      feed.feed(std::string_view(bytes).substr(at, piece), encoder);
    REQUIRE(out == expected);
    CHECK(encoder.is_between());
  }
}

TEST_CASE("server-sent events: a message under way") {
  std::string out;
  sse_encoder encoder(out);
  frame_feed feed;
  CHECK(encoder.is_between());
  feed.feed(std::string_view(frame(insert("x"))).substr(0, 50), encoder);
  CHECK_FALSE(encoder.is_between());
}

TEST_CASE("server-sent events: members of a message") {
  CHECK(text_member(R"({"status":"ok","action":"subscribe","pubsubid":"12"})", "pubsubid") == "12");
  CHECK(text_member(R"({"status":"ok"})", "action").empty());
}

namespace {

std::string encoded(const sse_encoder::positions& p, const std::vector<std::string>& messages, std::size_t piece) {
  std::string out;
  sse_encoder encoder(out);
  encoder.tell_positions(p);
  frame_feed feed;
  for (const std::string& message : messages) {
    const std::string bytes = frame(message);
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      feed.feed(std::string_view(bytes).substr(at, piece), encoder);
  }
  return out;
}

/// A message, with what it says of positions.
std::string positioned(std::string message, const std::string& members) {
  message.pop_back();
  return message + members + "}";
}

std::string shown(const std::string& action, const std::string& data, const std::string& id) {
  return "event: " + action + "\ndata: " + data + (id.empty() ? "" : "\nid: " + (id == "-" ? "" : id)) + "\n\n";
}

}  // namespace

TEST_CASE("server-sent events: positions are ids, once the first rows are complete") {
  const std::string reply = R"({"status":"ok","action":"subscribe","pubsubid":"1"})";
  const std::string add =
      R"({"status":"ok","action":"add","pubsubid":"1","columns":["a"],"rows":1,"fromrow":1,"torow":1,"data":[["x"]]})";
  const std::string none =
      R"({"status":"ok","action":"add","pubsubid":"1","columns":["a"],"rows":0,"fromrow":0,"torow":0,"data":[]})";
  const std::string gap =
      R"({"status":"ok","action":"gap","pubsubid":"1","lost":5,"columns":[],"rows":0,"fromrow":0,"torow":0,"data":[]})";
  const std::string large = insert(std::string(40'000, 'y'));
  const std::string end = R"(,"seq":7,"snapshot":"end")";
  for (const std::size_t piece : {1U, 7U, 100U, 5'000U, 100'000U}) {
    // Who has not asked is shown the messages as ever.
    CHECK(encoded({},
                  {positioned(reply, ",\"seq\":7"), positioned(add, ",\"seq\":7"), positioned(add, end),
                   positioned(large, ",\"seq\":8"), positioned(gap, ",\"seq\":9"), positioned(none, end)},
                  piece) == shown("subscribe", reply, "") + shown("add", add, "") + shown("add", add, "7") +
                                shown("insert", large, "8") + shown("gap", gap, "-") + "id: 7\n\n");
    // Who has sees all.
    const std::string reply7 = positioned(reply, ",\"seq\":7");
    CHECK(encoded({.has_asked = true}, {reply7, positioned(none, end)}, piece) ==
          shown("subscribe", reply7, "") + shown("add", positioned(none, end), "7"));
    CHECK(encoded({.begins_complete = true}, {reply7, positioned(large, ",\"seq\":8")}, piece) ==
          shown("subscribe", reply, "7") + shown("insert", large, "8"));
    const std::string again = positioned(reply, ",\"seq\":7,\"resync\":true");
    CHECK(encoded({.begins_complete = true}, {again}, piece) == shown("subscribe", reply, ""));
    CHECK(encoded({.begins_complete = true, .skips = true}, {again}, piece) == shown("subscribe", reply, "7"));
  }
}
