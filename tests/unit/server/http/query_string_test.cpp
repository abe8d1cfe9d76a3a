#include "server/http/query_string.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace pubsubsql;
using namespace pubsubsql::server::http;

namespace {

/// As "a=1|b=2", or what is wrong.
std::string read(std::string_view query) {
  const auto parsed = parse_query(query, {"a", "b"});
  if (!parsed) return parsed.error();
  std::string out;
  for (const auto& [name, value] : *parsed) out += (out.empty() ? "" : "|") + name + "=" + value;
  return out;
}

}  // namespace

TEST_CASE("query string: what is there") {
  CHECK(read("").empty());
  CHECK(read("&&").empty());
  CHECK(read("a=1&b=2") == "a=1|b=2");
  CHECK(read("a") == "a=");
  CHECK(read("a=b=c") == "a=b=c");
  CHECK(read("a=x+y%2Bz%26%3d") == "a=x y+z&=");
  CHECK(read("%61=%C3%A9%00") == std::string("a=\xc3\xa9\0", 5));
}

TEST_CASE("query string: what is wrong") {
  CHECK(read("c=1") == "there is no parameter 'c' here; there are a, b");
  CHECK(read("%ff=1") == "the name of a parameter is not UTF-8; there are a, b");
  const std::string x(63, 'x');
  CHECK(read(x + "%C3%A9=1") == "there is no parameter '" + x + "' here; there are a, b");
  CHECK(read("a=1&a=2") == "the parameter 'a' is there twice; give it once");
  for (const char* bad : {"a=%", "a=%1", "a=%zz", "a=%+1", "%=1"}) {
    CHECK_MESSAGE(read(bad).starts_with("a % behind the ?"), bad);
  }
}

TEST_CASE("query string: finding") {
  const parameters p{{"a", "1"}};
  CHECK(*find(p, "a") == "1");
  CHECK(find(p, "b") == nullptr);
}
