#include "server/connection_output.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/frame.hpp"

using namespace pubsubsql::server;
using pubsubsql::parser::wire_mode;

namespace {

encoded_event event(std::string_view action, std::string_view row, std::string_view columns = R"(["id"])") {
  return {.head = R"({"status":"ok","action":")" + std::string(action) + R"(","pubsubid":")",
          .columns = R"(","columns":)" + std::string(columns),
          .row = std::string(row)};
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

std::string take_all(connection_output& out) {
  std::string bytes;
  while (!out.empty()) {
    bytes += out.to_write();
    out.sent(out.to_write().size());
  }
  return bytes;
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
  CHECK(out.to_write() == first);
  out.sent(5);
  out.append_event(wire_mode::text, event("insert", "[2]"), 1);
  CHECK(out.to_write() == first.substr(5));
  CHECK(out.unsent_bytes() == first.size() - 5 + first.size());
  CHECK(out.unsent_event_bytes() == out.unsent_bytes());
  out.sent(first.size() - 5);
  CHECK(out.to_write() == message("insert", 1, {"[2]"}) + "\n");
  out.sent(out.to_write().size());
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
