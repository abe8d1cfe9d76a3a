#include "server/http/origin_rules.hpp"

#include <doctest/doctest.h>

using namespace pubsubsql::server::http;

TEST_CASE("origin: the server's own") {
  CHECK(is_own_origin("http://localhost:7778", "localhost:7778"));
  CHECK(is_own_origin("http://LocalHost:7778", "localhost:7778"));
  CHECK(is_own_origin("https://db.example", "db.example"));
  CHECK(is_own_origin("https://db.example", "db.example:443"));
  CHECK(is_own_origin("http://db.example", "db.example:80"));
  CHECK(is_own_origin("http://[::1]:7778", "[::1]:7778"));

  CHECK_FALSE(is_own_origin("http://localhost:3000", "localhost:7778"));
  CHECK_FALSE(is_own_origin("http://localhost:7778.evil.example", "localhost:7778"));
  CHECK_FALSE(is_own_origin("http://evil.example", "localhost:7778"));
  CHECK_FALSE(is_own_origin("null", "localhost:7778"));
  CHECK_FALSE(is_own_origin("null", "null"));
  CHECK_FALSE(is_own_origin("file://localhost:7778", "localhost:7778"));
  CHECK_FALSE(is_own_origin("http://", ""));
  CHECK_FALSE(is_own_origin("", "localhost:7778"));
}

TEST_CASE("origin: lists") {
  CHECK(is_listed("https://a.example, https://b.example", "https://B.example"));
  CHECK(is_listed("*", "null"));
  CHECK_FALSE(is_listed("", "null"));
  CHECK_FALSE(is_listed("https://a.example,,", ""));
  CHECK_FALSE(is_listed("https://a.example", "https://a.example.evil.example"));
  CHECK_FALSE(is_listed("https://a.example", "http://a.example"));
}

TEST_CASE("origin: hosts that mean what they say") {
  for (const char* fixed : {"localhost", "LOCALHOST:7778", "127.0.0.1", "127.0.0.1:7778", "[::1]:7778", "[::1]"}) {
    CHECK_MESSAGE(is_fixed_host(fixed), fixed);
  }
  for (const char* other : {"evil.example", "evil.example:7778", "localhost.evil.example", "127.0.0.1.evil.example", "",
                            ":7778", "[", "[evil]", "2130706433"}) {
    CHECK_FALSE_MESSAGE(is_fixed_host(other), other);
  }
  CHECK(host_name("db.example:7778") == "db.example");
  CHECK(host_name("[::1]:7778") == "::1");
}
