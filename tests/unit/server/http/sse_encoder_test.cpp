#include "server/http/sse_encoder.hpp"

#include <string>

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
