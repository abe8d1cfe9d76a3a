#include "server/http/table_query.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace pubsubsql::server::http;

namespace {

std::string sql(const parameters& p, std::string_view table = "t") {
  const auto made = select_of(table, p);
  if (made) return *made;
  return "wrong" + (made.error().offset ? " at " + std::to_string(*made.error().offset) : std::string());
}

}  // namespace

TEST_CASE("table query: what it becomes") {
  CHECK(sql({}) == "select * from t");
  CHECK(sql({{"columns", "a, b"}}) == "select a, b from t");
  CHECK(sql({{"where", "a > 1 and b = 'x y'"}}) == "select * from t where a > 1 and b = 'x y'");
  CHECK(sql({{"order", "a desc,b asc, c"}}) == "select * from t order by a desc, b, c");
  CHECK(sql({{"limit", "10"}, {"offset", "5"}}) == "select * from t limit 10 offset 5");
  CHECK(sql({{"offset", "5"}}) == "select * from t limit 9223372036854775807 offset 5");
}

TEST_CASE("table query: names are names, whatever is in them") {
  CHECK(sql({}, "t where 1 = 1") == "select * from `t where 1 = 1`");
  CHECK(sql({}, "a`b") == "select * from `a``b`");
  CHECK(sql({{"columns", "count(*)"}}) == "select `count(*)` from t");
  CHECK(sql({{"columns", "a from u --"}}) == "select `a from u --` from t");
  CHECK(sql({{"order", "a; drop table t"}}) == "select * from t order by `a; drop table t`");
}

TEST_CASE("table query: nothing hides in what the parameters say") {
  CHECK(sql({{"where", "a = 1; delete from t"}}) == "wrong at 7");
  CHECK(sql({{"where", "a = 1 limit 1"}}) == "wrong at 6");
  CHECK(sql({{"where", "a = 1) or (1 = 1"}}) == "wrong at 5");
  CHECK(sql({{"where", ""}}) == "wrong at 0");
  CHECK(sql({{"where", "a = 1 -- "}}) == "select * from t where a = 1");
  CHECK(sql({{"limit", "1; delete from t"}}) == "wrong");
  CHECK(sql({{"limit", "-1"}}) == "wrong");
  CHECK(sql({{"limit", ""}}) == "wrong");
  CHECK(sql({{"limit", "99999999999999999999"}}) == "wrong");
  CHECK(sql({{"columns", "a,,b"}}) == "wrong");
  CHECK(sql({{"order", "a,,b"}}) == "wrong");
  CHECK(sql({{"columns", "\xff"}}) == "wrong");
  CHECK(sql({}, "\xff") == "wrong");
  CHECK(sql({}, "") == "wrong");
}
