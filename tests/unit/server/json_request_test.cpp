#include "server/json_request.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::server;

namespace {

/// What a request is understood as, or what is wrong with it.
std::string read_back(std::string_view text) {
  const auto got = read_json_request(text);
  if (!got) return "[" + std::to_string(got.error().id) + "] " + got.error().message;
  return std::to_string(got->id) + " " + got->text;
}

struct example {
  std::string_view json;
  std::string_view expected;
};

}  // namespace

TEST_CASE("json requests: the statement with its values") {
  const std::vector<example> examples = {
      {R"({"sql":"status"})", "0 status"},
      {R"( { "id" : 7 , "sql" : "status" } )", "7 status"},
      {R"({"values":["x"],"id":4294967295,"sql":"select ?"})", "4294967295 execute immediate 'select ?' using 'x'"},
      {R"({"sql":"select ?","values":[]})", "0 select ?"},
      {R"({"sql":"a 'b' ?","values":["it's", "\"\u00e4\n"]})",
       "0 execute immediate 'a ''b'' ?' using 'it''s', '\"\xc3\xa4\n'"},
      {R"({"sql":"?","values":[1,-2,1.10,-0.5e-3,1E5,18446744073709551615,123456789012345678901234567890]})",
       "0 execute immediate '?' using 1, -2, 1.10, -0.5e-3, 1E5, 18446744073709551615, "
       "123456789012345678901234567890"},
      {R"({"sql":"?","values":[true,false,null]})", "0 execute immediate '?' using 1, 0, null"},
      {R"({"sql":"?","values":["null"]})", "0 execute immediate '?' using 'null'"},
  };
  for (const example& e : examples) CHECK(read_back(e.json) == e.expected);
}

TEST_CASE("json requests: what is wrong is said, with the number where it is known") {
  const std::string_view forms = R"(the request is to be an object such as {"sql": "STATEMENT", "values": []})";
  const std::vector<example> examples = {
      {R"({})", R"([0] the request has no "sql"; send {"sql": "STATEMENT"})"},
      {R"({"id":3})", R"([3] the request has no "sql"; send {"sql": "STATEMENT"})"},
      {R"({"id":3,"sql":5})", R"([3] the "sql" is to be a text)"},
      {R"({"id":0,"sql":"x"})", R"([0] the "id" is to be a number from 1 to 4294967295)"},
      {R"({"id":-1,"sql":"x"})", R"([0] the "id" is to be a number from 1 to 4294967295)"},
      {R"({"id":4294967296,"sql":"x"})", R"([0] the "id" is to be a number from 1 to 4294967295)"},
      {R"({"id":1.5,"sql":"x"})", R"([0] the "id" is to be a number from 1 to 4294967295)"},
      {R"({"id":"7","sql":"x"})", R"([0] the "id" is to be a number from 1 to 4294967295)"},
      {R"({"sql":"x","sql":"y"})", R"([0] the request has "sql" twice)"},
      {R"({"sql":"x","query":"y"})",
       R"([0] the request has an unknown member "query"; there are "id", "sql" and "values")"},
      {R"({"sql":"x","values":null})", R"([0] the "values" are to be a list such as ["text", 5, null])"},
      {R"({"sql":"x","values":{"a":1}})", R"([0] the "values" are to be a list such as ["text", 5, null])"},
      {R"({"sql":"x","values":[{}]})",
       "[0] a value is to be a text, a number, true, false or null; an object or a list can be sent as text"},
      {R"({"sql":"x","values":[[1]]})",
       "[0] a value is to be a text, a number, true, false or null; an object or a list can be sent as text"},
      {R"({"sql":"x","values":[1e999]})", "[0] a number is too large; send it as text"},
      {R"({"sql":"x"} {"sql":"y"})",
       "[0] the request is no valid JSON at byte 13; it is to be in UTF-8, with white space, quotes and commas as RFC "
       "8259 has them"},
      {"{\"sql\":\"\xff\"}",
       "[0] the request is no valid JSON at byte 9; it is to be in UTF-8, with white space, quotes and commas as RFC "
       "8259 has them"},
      {R"({"sql":"\ud800"})",
       "[0] the request is no valid JSON at byte 15; it is to be in UTF-8, with white space, quotes and commas as RFC "
       "8259 has them"},
      {R"([{"sql":"x"}])", forms},
      {"5", forms},
  };
  for (const example& e : examples) {
    const std::string got = read_back(e.json);
    CHECK(got.ends_with(e.expected));
  }
}

TEST_CASE("json requests: depth costs nothing") {
  const std::string deep(1'000'000, '[');
  CHECK(read_back(R"({"sql":)" + deep) == R"([0] the "sql" is to be a text)");
  CHECK(read_back(R"({"sql":"x","values":)" + deep).ends_with("can be sent as text"));
}

TEST_CASE("json requests: a list of them") {
  const auto two = read_json_requests(R"([{"id":1,"sql":"a","values":[5]},{"sql":"b"}])", 2);
  REQUIRE(two.has_value());
  REQUIRE(two->size() == 2);
  CHECK((*two)[0].id == 1);
  CHECK((*two)[0].text == "execute immediate 'a' using 5");
  CHECK((*two)[1].id == 0);
  CHECK((*two)[1].text == "b");
  CHECK(read_json_requests(R"({"sql":"b"})", 2)->size() == 1);
  CHECK(read_json_requests("[]", 2)->empty());
  CHECK(read_json_requests(R"([{"sql":"a"},{"sql":"b"},{"sql":"c"}])", 2).error().message ==
        "the list has more than 2 requests; send fewer at a time");
  CHECK_FALSE(read_json_requests(R"([5])", 2).has_value());
  CHECK_FALSE(read_json_requests(R"([[{"sql":"a"}]])", 2).has_value());
}

TEST_CASE("json requests: told by their first byte") {
  for (const char* text : {"{", " {\"sql\":1}", "\t\n{"}) CHECK(is_json_request(text));
  for (const char* text : {"", " ", "select {", "'{", "-- {\n{"}) CHECK_FALSE(is_json_request(text));
}
