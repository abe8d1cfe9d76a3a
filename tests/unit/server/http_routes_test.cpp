#include <string_view>

#include <doctest/doctest.h>

#include "server/http/message.hpp"
#include "server/http/routes.hpp"

using namespace pubsubsql::server::http;

TEST_CASE("routes: by path and method") {
  struct sample {
    std::string_view name;
    verb method;
    std::string_view path;
    bool found;
    bool path_is_known;
  };
  constexpr sample samples[] = {
      {"a path", verb::get, "/ws", true, true},
      {"HEAD is GET", verb::head, "/", true, true},
      {"another method", verb::delete_, "/", false, true},
      {"a method that nobody knows", verb::unknown, "/ws", false, true},
      {"another path", verb::get, "/nothing", false, false},
      {"more than the path", verb::get, "/ws/", false, false},
      {"less than a path", verb::get, "", false, false},
  };
  for (const sample& s : samples) {
    CAPTURE(s.name);
    const found_route got = find_route(s.method, s.path);
    CHECK((got.found != nullptr) == s.found);
    CHECK(got.path_is_known == s.path_is_known);
  }
  CHECK(methods_of("/ws") == "GET, HEAD");
  CHECK(methods_of("/nothing").empty());
}

TEST_CASE("messages: the parts of a target") {
  request r;
  r.target("/tables/t?where=a%20%3D%201&limit=3");
  CHECK(path_of(r) == "/tables/t");
  CHECK(query_of(r) == "where=a%20%3D%201&limit=3");
  r.target("/");
  CHECK(path_of(r) == "/");
  CHECK(query_of(r).empty());
}

TEST_CASE("messages: an error is the object that every protocol gives") {
  const response r = make_error(status::not_found, R"(no "x")");
  CHECK(r.result() == status::not_found);
  CHECK(r.body() == "{\"status\":\"err\",\"msg\":\"no \\\"x\\\"\"}\n");
  CHECK(field_of(request(), field::host).empty());
}
