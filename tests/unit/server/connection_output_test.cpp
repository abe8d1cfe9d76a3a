#include "server/connection_output.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "parser/frame.hpp"

using namespace pubsubsql::server;
using pubsubsql::parser::wire_mode;

namespace {

encoded_event event(std::string_view action, std::string_view row, std::string_view columns = R"(["id"])") {
  return {.head = R"({"status":"ok","action":")" + std::string(action) + R"(","pubsubid":")",
          .columns = R"(","columns":)" + std::string(columns),
          .rows = std::string(row)};
}

std::string message(std::string_view action, int pubsubid, const std::vector<std::string>& rows,
                    std::string_view columns = R"(["id"])") {
  const std::string count = std::to_string(rows.size());
  std::string out = R"({"status":"ok","action":")" + std::string(action) + R"(","pubsubid":")" +
                    std::to_string(pubsubid) + R"(","columns":)" + std::string(columns) + ",\"rows\":" + count +
                    ",\"fromrow\":1,\"torow\":" + count + ",\"data\":[";
  for (std::size_t i = 0; i < rows.size(); ++i) out += (i > 0 ? "," : "") + rows[i];
  return out + "]}";
}

std::string frame(const std::string& payload) {
  const auto header =
      pubsubsql::parser::encode({.payload_bytes = static_cast<std::uint32_t>(payload.size()), .request_id = 0});
  return std::string(header.begin(), header.end()) + payload;
}

std::string to_write(connection_output& out) {
  std::array<std::string_view, 8> pieces;
  const std::size_t count = out.to_write(pieces);
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += pieces[i];
  return bytes;
}

/// With a socket that takes so many bytes at a time.
std::string take_all(connection_output& out, std::size_t at_a_time = SIZE_MAX) {
  std::string bytes;
  while (!out.empty()) {
    const std::string next = to_write(out).substr(0, at_a_time);
    bytes += next;
    out.sent(next.size());
  }
  return bytes;
}

encoded_event shared_event(std::size_t rows) {
  encoded_event e = event("insert", "[1]");
  for (e.count = 1; e.count < rows; ++e.count) e.rows += ",[1]";
  e.shared = std::make_shared<const std::string>(e.rows);
  return e;
}

}  // namespace

TEST_CASE("output: events of one kind that wait together merge, up to a hundred rows") {
  for (const std::size_t count : {1U, 2U, 9U, 10U, 11U, 99U, 100U}) {
    buffer_pool pool;
    connection_output text(pool);
    connection_output framed(pool);
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < count; ++i) {
      rows.push_back("[\"" + std::to_string(i) + "\"]");
      text.append_event(wire_mode::text, event("insert", rows.back()), 1);
      framed.append_event(wire_mode::framed, event("insert", rows.back()), 1);
    }
    CHECK(take_all(text) == message("insert", 1, rows) + "\n");
    CHECK(take_all(framed) == frame(message("insert", 1, rows)));
  }
}

TEST_CASE("output: the hundred-and-first row begins a new message") {
  buffer_pool pool;
  connection_output out(pool);
  for (int i = 0; i < 101; ++i) out.append_event(wire_mode::text, event("insert", "[1]"), 1);
  const std::string bytes = take_all(out);
  CHECK(bytes ==
        message("insert", 1, std::vector<std::string>(100, "[1]")) + "\n" + message("insert", 1, {"[1]"}) + "\n");
}

TEST_CASE("output: what differs, or has something between, does not merge") {
  buffer_pool pool;
  connection_output out(pool);
  out.append_event(wire_mode::text, event("insert", "[1]"), 1);
  out.append_event(wire_mode::text, event("insert", "[2]"), 11);
  out.append_event(wire_mode::text, event("insert", "[3]"), 1);
  out.append_event(wire_mode::text, event("update", "[4]"), 1);
  out.append_event(wire_mode::text, event("update", "[5]", R"(["id","a"])"), 1);
  out.replies() += "reply\n";
  out.append_event(wire_mode::text, event("update", "[6]", R"(["id","a"])"), 1);
  CHECK(take_all(out) == message("insert", 1, {"[1]"}) + "\n" + message("insert", 11, {"[2]"}) + "\n" +
                             message("insert", 1, {"[3]"}) + "\n" + message("update", 1, {"[4]"}) + "\n" +
                             message("update", 1, {"[5]"}, R"(["id","a"])") + "\nreply\n" +
                             message("update", 1, {"[6]"}, R"(["id","a"])") + "\n");
}

TEST_CASE("output: what is being written no longer grows") {
  buffer_pool pool;
  connection_output out(pool);
  out.append_event(wire_mode::text, event("insert", "[1]"), 1);
  const std::string first = message("insert", 1, {"[1]"}) + "\n";
  CHECK(to_write(out) == first);
  out.sent(5);
  out.append_event(wire_mode::text, event("insert", "[2]"), 1);
  CHECK(to_write(out) == first.substr(5));
  CHECK(out.unsent_bytes() == first.size() - 5 + first.size());
  CHECK(out.unsent_event_bytes() == out.unsent_bytes());
  out.sent(first.size() - 5);
  CHECK(to_write(out) == message("insert", 1, {"[2]"}) + "\n");
  out.sent(to_write(out).size());
  CHECK(out.empty());
  CHECK(out.unsent_event_bytes() == 0);
}

TEST_CASE("output: replies are no event backlog") {
  buffer_pool pool;
  connection_output out(pool);
  out.replies() += std::string(1000, 'x');
  CHECK(out.unsent_bytes() == 1000);
  CHECK(out.unsent_event_bytes() == 0);
  out.append_event(wire_mode::text, event("insert", "[1]"), 1);
  CHECK(out.unsent_event_bytes() == out.unsent_bytes() - 1000);
  out.release();
  CHECK(out.empty());
  CHECK(out.unsent_event_bytes() == 0);
}

TEST_CASE("output: several rows come and join as one event") {
  buffer_pool pool;
  connection_output out(pool);
  encoded_event several = event("insert", "[1],[2],[3]");
  several.count = 3;
  out.append_event(wire_mode::framed, several, 1);
  out.append_event(wire_mode::framed, several, 1);
  CHECK(take_all(out) == frame(message("insert", 1, {"[1]", "[2]", "[3]", "[1]", "[2]", "[3]"})));
  for (int i = 0; i < 34; ++i) out.append_event(wire_mode::text, several, 1);
  const std::string bytes = take_all(out);
  CHECK(bytes.find(R"("rows":99,)") != std::string::npos);
  CHECK(bytes.ends_with(message("insert", 1, {"[1]", "[2]", "[3]"}) + "\n"));
}

TEST_CASE("output: shared rows are written in their places, however little the socket takes") {
  for (const std::size_t at_a_time : {std::size_t{1}, std::size_t{7}, std::size_t{100}, SIZE_MAX}) {
    buffer_pool pool;
    connection_output out(pool);
    const encoded_event many = shared_event(100);
    const std::vector<std::string> rows(100, "[1]");
    out.append_event(wire_mode::framed, event("insert", "[1]"), 1);
    out.append_event(wire_mode::framed, many, 1);
    out.append_event(wire_mode::framed, many, 2);
    out.append_event(wire_mode::framed, event("insert", "[1]"), 2);
    out.replies() += "reply";
    for (int i = 0; i < 8; ++i) out.append_event(wire_mode::text, many, 3);
    std::string expected = frame(message("insert", 1, {"[1]"})) + frame(message("insert", 1, rows)) +
                           frame(message("insert", 2, rows)) + frame(message("insert", 2, {"[1]"})) + "reply";
    for (int i = 0; i < 8; ++i) expected += message("insert", 3, rows) + "\n";
    CHECK(out.unsent_bytes() == expected.size());
    CHECK(out.unsent_event_bytes() == expected.size() - 5);
    CHECK(take_all(out, at_a_time) == expected);
    CHECK(out.unsent_event_bytes() == 0);
    CHECK(many.shared.use_count() == 1);
  }
}

TEST_CASE("output: messages say the position of their last row") {
  buffer_pool pool;
  for (const wire_mode mode : {wire_mode::text, wire_mode::framed}) {
    connection_output out(pool);
    const auto expect = [&](std::string text, std::string_view position) {
      text.pop_back();
      text += ",\"seq\":" + std::string(position) + "}";
      return mode == wire_mode::framed ? frame(text) : text + "\n";
    };
    out.append_event(mode, event("insert", "[1]"), 1, 9);
    out.append_event(mode, event("insert", "[2]"), 1, 10);
    out.append_event(mode, event("insert", "[3]"), 1, 1'000);
    CHECK(out.unsent_event_bytes() == out.unsent_bytes());
    out.append_event(mode, event("insert", "[4]"), 2, 1'000);
    encoded_event shared = shared_event(3);
    out.append_event(mode, shared, 1, 1'001);
    const std::string bytes = take_all(out, 5);
    const std::string first = expect(message("insert", 1, {"[1]", "[2]", "[3]"}), "1000");
    const std::string second = expect(message("insert", 2, {"[4]"}), "1000");
    CHECK(bytes.starts_with(first + second));
    CHECK(bytes.ends_with(mode == wire_mode::framed ? ",\"seq\":1001}" : ",\"seq\":1001}\n"));
  }
}
