#include "server/reply_encoder.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "parser/parser.hpp"
#include "server/json.hpp"
#include "storage/database.hpp"
#include "storage/shown_bytes.hpp"

using namespace pubsubsql;
using namespace pubsubsql::server;
using parser::wire_mode;

namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// Runs statements and returns the last one's reply in text mode.
std::string reply(const std::vector<std::string>& statements, wire_mode mode = wire_mode::text,
                  std::uint32_t request_id = 0) {
  storage::database database;
  parser::statement_arena arena;
  column_lists lists;
  std::string out;
  for (const std::string& sql : statements) {
    arena.reset();
    const auto parsed = parser::parse(sql, arena);
    REQUIRE(parsed.has_value());
    out.clear();
    encode_reply(out, {.mode = mode, .request_id = request_id},
                 database.execute(*parsed, {.subscriber = storage::subscriber_id{1}, .pubsubid = 5}), lists);
  }
  return out;
}

std::string insert_rows(int rows) {
  std::string sql = "insert into t (a) values (0)";
  for (int i = 1; i < rows; ++i) sql += ", (" + std::to_string(i) + ")";
  return sql;
}

std::string row(int i) {
  return "[\"" + std::to_string(i) + "\",\"" + std::to_string(i) + "\"]";
}

std::string batch(const std::string& head, int rows, int first, int last) {
  std::string out = head + ",\"columns\":[\"id\",\"a\"],\"rows\":" + std::to_string(rows) +
                    ",\"fromrow\":" + std::to_string(first) + ",\"torow\":" + std::to_string(last) + ",\"data\":[";
  return out;
}

}  // namespace

TEST_CASE("json: strings are escaped as RFC 8259 says") {
  CHECK(json("") == R"("")");
  CHECK(json("plain größe 日本") == "\"plain größe 日本\"");
  CHECK(json("a\"b\\c/d") == R"("a\"b\\c/d")");
  CHECK(json("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  CHECK(json(std::string("\0\x1f\x7f", 3)) == "\"\\u0000\\u001f\x7f\"");
}

TEST_CASE("json: every byte at every place of a word") {
  for (std::size_t size = 0; size <= 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 0x80; ++byte) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        std::string written(json_string_room(size), '\0');
        written.resize(static_cast<std::size_t>(write_json_string(written.data(), text) - written.data()));
        CHECK(written == json(text));
        CHECK(storage::shown_bytes(std::string_view(text)) == written.size());
      }
    }
  }
}

TEST_CASE("replies: the shapes of the protocol, byte for byte") {
  struct example {
    std::vector<std::string> statements;
    std::string expected;
  };
  const std::vector<example> examples = {
      {{"key t k"}, R"({"status":"ok","action":"key"})"},
      {{"tag t k"}, R"({"status":"ok","action":"tag"})"},
      {{"insert into t (a) values (1), (2)"}, R"({"status":"ok","action":"insert","rows":2})"},
      {{"push into t (a) values (1)"}, R"({"status":"ok","action":"push","rows":1})"},
      {{"push into t (a) values (1)", "pop from t"}, R"({"status":"ok","action":"pop","rows":1})"},
      {{"insert into t (a, b) values ('x\"', null) returning b, id, a, id"},
       R"({"status":"ok","action":"insert","columns":["b","id","a","id"],"rows":1,"fromrow":1,"torow":1,)"
       R"("data":[[null,"0","x\"","0"]]})"},
      {{"key t a", "select * from t"},
       R"({"status":"ok","action":"select","columns":["id","a"],"rows":0,"fromrow":0,"torow":0,"data":[]})"},
      {{"insert into t (a) values (1)", "peek a from t"},
       R"({"status":"ok","action":"select","columns":["a"],"rows":1,"fromrow":1,"torow":1,"data":[["1"]]})"},
      {{"subscribe * from t"}, R"({"status":"ok","action":"subscribe","pubsubid":"5"})"},
      {{"subscribe * from t", "unsubscribe from t"}, R"({"status":"ok","action":"unsubscribe","subscriptions":1})"},
      {{"select * from t"},
       R"({"status":"err","msg":"table t does not exist; insert, push, key, tag or subscribe creates it"})"},
  };
  for (const example& e : examples) {
    INFO(e.statements.back());
    CHECK(reply(e.statements) == e.expected + "\n");
  }
}

TEST_CASE("replies: a frame has its header, a line its newline") {
  CHECK(reply({"key t k"}, wire_mode::framed, 7) ==
        std::string("\0\0\0\x1e\0\0\0\x07", 8) + R"({"status":"ok","action":"key"})");
  CHECK(reply({"key t k"}, wire_mode::text, 7) == "{\"requestid\":7,\"status\":\"ok\",\"action\":\"key\"}\n");
}

TEST_CASE("replies: many rows come in batches of a hundred") {
  std::string expected;
  const std::string head = R"({"status":"ok","action":"select")";
  for (int first = 0; first < 250; first += 100) {
    const int last = std::min(first + 100, 250);
    expected += batch(head, 250, first + 1, last);
    for (int i = first; i < last; ++i) expected += (i > first ? "," : "") + row(i);
    expected += "]}\n";
  }
  CHECK(reply({insert_rows(250), "select * from t"}) == expected);
}

TEST_CASE("replies: a subscription starts with its rows as add events, in batches") {
  std::string expected = "{\"status\":\"ok\",\"action\":\"subscribe\",\"pubsubid\":\"5\"}\n";
  const std::string head = R"({"status":"ok","action":"add","pubsubid":"5")";
  expected += batch(head, 100, 1, 100);
  for (int i = 0; i < 100; ++i) expected += (i > 0 ? "," : "") + row(i);
  expected += "]}\n" + batch(head, 1, 1, 1) + row(100) + "]}\n";
  CHECK(reply({insert_rows(101), "subscribe * from t"}) == expected);
  CHECK(reply({insert_rows(101), "subscribe skip * from t"}) ==
        "{\"status\":\"ok\",\"action\":\"subscribe\",\"pubsubid\":\"5\"}\n");
}

TEST_CASE("replies: errors") {
  std::string out;
  encode_error(out, {}, "a \"quoted\" word");
  encode_error(out, {}, parser::syntax_error{.expected = "`from`", .found = "`fro`", .offset = 9});
  CHECK(out ==
        "{\"status\":\"err\",\"msg\":\"a \\\"quoted\\\" word\"}\n"
        "{\"status\":\"err\",\"msg\":\"expected `from`, found `fro` at offset 9\",\"offset\":9}\n");
}

TEST_CASE("replies: listings") {
  const std::string_view columns[] = {"A", "B"};
  const std::vector<storage::value> rows = {"1", std::nullopt, "2", ""};
  std::string out;
  encode_listing(out, {}, "show", columns, rows);
  encode_listing(out, {}, "show", columns, {});
  CHECK(
      out ==
      R"({"status":"ok","action":"show","columns":["A","B"],"rows":2,"fromrow":1,"torow":2,"data":[["1",null],["2",""]]})"
      "\n"
      R"({"status":"ok","action":"show","columns":["A","B"],"rows":0,"fromrow":0,"torow":0,"data":[]})"
      "\n");
}

TEST_CASE("replies: a column may be asked for many times, whatever is in it") {
  for (const std::size_t bytes : {0U, 1U, 60U, 100U, 900U, 5'000U}) {
    for (const std::string& text : {std::string(bytes, 'x'), std::string(bytes, '\x01')}) {
      for (const int times : {1, 2, 60, 64, 65, 300}) {
        CAPTURE(bytes);
        CAPTURE(times);
        std::string columns = "a";
        std::string values = json(text);
        for (int i = 1; i < times; ++i) {
          columns += ", a";
          values += "," + json(text);
        }
        const std::string got = reply({"insert into t (a) values ('" + text + "')", "select " + columns + " from t"});
        CHECK(got.ends_with("\"data\":[[" + values + "]]}\n"));
      }
    }
  }
}

TEST_CASE("replies: rows take what is counted for them, or a little less") {
  const std::pair<std::string, std::string> rows[] = {
      {"a, b, c", "null, null, null"},
      {"a, b, c", "'', 'x', null"},
      {"a, b, c", "'\"quoted\"', '\\', '\n\t'"},
      {"a", "'" + std::string(200, '\x1f') + "'"},
      {"a", "'" + std::string(3'000, '\n') + "'"},
  };
  for (const auto& [names, values] : rows) {
    storage::database database;
    parser::statement_arena arena;
    column_lists lists;
    const auto run = [&](const std::string& sql) -> const storage::outcome& {
      arena.reset();
      const auto parsed = parser::parse(sql, arena);
      REQUIRE(parsed.has_value());
      return database.execute(*parsed, {.subscriber = storage::subscriber_id{1}, .pubsubid = 5});
    };
    REQUIRE_FALSE(run("insert into t (" + names + ") values (" + values + ")").failure);
    for (const std::string& columns : {std::string("*"), std::string("a, a, id, id"), std::string("id, a, id")}) {
      const storage::outcome& o = run("select " + columns + " from t");
      REQUIRE_FALSE(o.failure);
      std::string out;
      encode_reply(out, {.mode = wire_mode::text, .request_id = 0}, o, lists);
      const std::size_t written = out.size() - out.find("[[") - 3;  // without the brackets and braces around the rows
      const std::size_t counted = storage::shown_bytes(o.data.front(), o.columns);
      CHECK(written <= counted);
      CHECK(counted - written < 64);
      CHECK(counted <= storage::shown_rows_bytes_max(1, o.data.front().size(), o.columns.size(), 2));
    }
  }
}
