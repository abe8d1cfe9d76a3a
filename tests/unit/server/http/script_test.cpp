#include "server/http/script.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace pubsubsql::server::http;

namespace {

std::string all(script s) {
  std::string out = s.is_list() ? "list:" : "";
  while (const auto statement = s.next()) out += "[" + std::string(*statement) + "]";
  return out;
}

std::string all_of_json(std::string_view text) {
  auto read = script::of_json(text);
  return read ? all(*read) : "wrong";
}

}  // namespace

TEST_CASE("script: statements are separated by semicolons") {
  CHECK(all(script("select 1")) == "[select 1]");
  CHECK(all(script("select 1;")) == "[select 1;]");
  CHECK(all(script(" ; select 1 ;; -- the end")) == "[ select 1 ;]");
  CHECK(all(script("select 1; select ';' ;\n")) == "list:[select 1;][ select ';' ;]");
  CHECK(script(" ;; -- nothing\n/* at all */").is_empty());
  CHECK(script("").is_empty());
}

TEST_CASE("script: requests in JSON") {
  CHECK(all_of_json(R"({"sql":"select 1"})").find("select 1") != std::string::npos);
  CHECK(all_of_json(R"( [{"sql":"select 1"}])").starts_with("list:["));
  CHECK(script::of_json("[]")->is_empty());
  CHECK(all_of_json("") == "wrong");
  CHECK(all_of_json("[") == "wrong");
  CHECK(all_of_json("7") == "wrong");
  CHECK(all_of_json(R"([{"sql":"select 1"},7])") == "wrong");
  CHECK(all_of_json(std::string(1'000'000, '[')) == "wrong");
  CHECK(all_of_json(R"({"sql":"select ?","values":)" + std::string(1'000'000, '[') + "}") == "wrong");
}
