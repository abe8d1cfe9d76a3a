#include "server/prepared_statements.hpp"

#include <string>

#include <doctest/doctest.h>

using pubsubsql::server::prepared_statements;
using enum prepared_statements::outcome;

namespace {

std::string text_of(const prepared_statements& p, std::string_view name, std::string_view values) {
  std::string out;
  return p.append_bound(out, name, values) ? out : "none";
}

}  // namespace

TEST_CASE("prepared statements: kept by name, as the statement with values") {
  prepared_statements p;
  CHECK(p.put("a", "select 'x', ?", {10, 1'000}) == done);
  CHECK(text_of(p, "a", "5, null") == "execute immediate 'select ''x'', ?' using 5, null");
  CHECK(text_of(p, "a", "") == "execute immediate 'select ''x'', ?'");
  CHECK(text_of(p, "A", "") == "none");
  CHECK(p.put("a", "begin", {10, 1'000}) == done);
  CHECK(text_of(p, "a", "") == "execute immediate 'begin'");
  CHECK(p.erase("a"));
  CHECK_FALSE(p.erase("a"));
  CHECK(text_of(p, "a", "") == "none");
}

TEST_CASE("prepared statements: no more than there may be, and what is refused changes nothing") {
  prepared_statements p;
  const prepared_statements::bounds allowed{.count_max = 2, .bytes_max = 100};
  CHECK(p.put("a", std::string(30, 'x'), allowed) == done);
  CHECK(p.put("a", std::string(90, 'y'), allowed) == too_large);
  CHECK(text_of(p, "a", "") == "execute immediate '" + std::string(30, 'x') + "'");
  CHECK(p.put("b", std::string(30, 'x'), allowed) == too_large);
  CHECK(p.put("b", "begin", allowed) == done);
  CHECK(p.put("c", "begin", allowed) == too_many);
  CHECK(p.put("b", "commit", allowed) == done);
  CHECK(p.erase("a"));
  CHECK(p.put("c", std::string(30, 'x'), allowed) == done);
}
