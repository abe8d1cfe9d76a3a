#include "server/http/csv_reply.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace pubsubsql::server::http;

namespace {

std::string csv_of(std::string_view reply) {
  std::string out;
  REQUIRE(append_csv(out, reply, 1'000) == csv_outcome::done);
  return out;
}

}  // namespace

TEST_CASE("csv: rows, with what has to be quoted") {
  CHECK(csv_of(R"({"status":"ok","action":"select","columns":["id","a,b"],"rows":3,"fromrow":1,"torow":3,)"
               R"("data":[["0",null],["1",""],["2","say \"x\"\r\n, please"]]})") ==
        "id,\"a,b\"\r\n0,\r\n1,\"\"\r\n2,\"say \"\"x\"\"\r\n, please\"\r\n");
  CHECK(csv_of(R"({"status":"ok","columns":["id"],"rows":0,"data":[]})") == "id\r\n");
  CHECK(csv_of(R"({"columns":["é"],"data":[["\u00e9"]],"more":["x",["y"]]})") == "é\r\né\r\n");
}

TEST_CASE("csv: what has no rows") {
  std::string out = "before";
  CHECK(append_csv(out, R"({"status":"ok","action":"insert","rows":1})", 1'000) == csv_outcome::no_rows);
  CHECK(append_csv(out, R"({"status":"ok","action":"mysqlTables","tables":["a","b"]})", 1'000) == csv_outcome::no_rows);
  CHECK(out == "before");
}

TEST_CASE("csv: it is bounded") {
  std::string reply = R"({"columns":["a"],"data":[)";
  for (int i = 0; i < 1'000; ++i) reply += R"(["0123456789"],)";
  reply.back() = ']';
  std::string out;
  CHECK(append_csv(out, reply + "}", 500) == csv_outcome::too_large);
  CHECK(out.size() < 600);
}
