#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "parser/frame.hpp"
#include "parser/parser.hpp"
#include "server/reply_encoder.hpp"
#include "storage/database.hpp"

using namespace pubsubsql;
using namespace pubsubsql::server;

namespace {

constexpr reply_address to{.mode = parser::wire_mode::framed, .request_id = 7, .is_whole = true};

/// The payload of the only message; a second one makes it fail.
std::string payload_of(std::string_view messages) {
  REQUIRE(messages.size() >= parser::frame_header_bytes);
  const parser::frame_header header = parser::decode_frame_header(messages);
  CHECK(header.request_id == 7);
  REQUIRE(messages.size() == parser::frame_header_bytes + header.payload_bytes);
  return std::string(messages.substr(parser::frame_header_bytes));
}

}  // namespace

TEST_CASE("whole replies: all rows in one message") {
  storage::database database;
  parser::statement_arena arena;
  column_lists lists;
  const auto run = [&](const std::string& sql) {
    const auto parsed = parser::parse(sql, arena);
    REQUIRE(parsed.has_value());
    std::string out;
    encode_reply(out, to, database.execute(*parsed, {.subscriber = storage::subscriber_id{1}}), lists);
    return nlohmann::json::parse(payload_of(out));
  };
  std::string sql = "insert into t (a) values (0)";
  for (int i = 1; i < 250; ++i) sql += ", (" + std::to_string(i) + ")";
  CHECK(run(sql)["rows"] == 250);
  const auto rows = run("select * from t");
  CHECK(rows["data"].size() == 250);
  CHECK(rows["fromrow"] == 1);
  CHECK(rows["torow"] == 250);
  const auto none = run("select * from t where a = x");
  CHECK(none["data"].empty());
  CHECK(none["fromrow"] == 0);
}

TEST_CASE("whole replies: listings, and nothing") {
  constexpr std::string_view columns[] = {"A"};
  std::string out;
  encode_listing(out, to, "show", columns, std::vector<storage::value>(250, storage::value("x")));
  CHECK(nlohmann::json::parse(payload_of(out))["data"].size() == 250);
  out.clear();
  encode_nothing(out, to);
  CHECK(payload_of(out).empty());
}
