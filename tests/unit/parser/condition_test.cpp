#include "parser/condition.hpp"

#include <string>

#include <doctest/doctest.h>

#include "parser/print.hpp"

using namespace pubsubsql::parser;

namespace {

/// As it is printed behind `where`; of what is none, where that is told.
std::string read(std::string_view text) {
  statement_arena arena;
  const auto parsed = parse_condition(text, arena);
  if (!parsed) return "offset " + std::to_string(parsed.error().offset);
  statement s;
  s.body =
      select_statement{.columns = {.all = true, .names = name_list(arena.resource())}, .table = "t", .where = *parsed};
  const std::string printed = print(s);
  return printed.substr(std::string("select * from t where ").size());
}

}  // namespace

TEST_CASE("condition: alone") {
  CHECK(read("a = 1") == "a = 1");
  CHECK(read("  a = 'x y' ") == "a = 'x y'");
  CHECK(read("price * 2 > 5 and (b is null or c in (x, y))") == "price * 2 > 5 and (b is null or c in (x, y))");
  CHECK(read("a = 1 -- and no more") == "a = 1");
}

TEST_CASE("condition: nothing besides") {
  CHECK(read("") == "offset 0");
  CHECK(read("a = 1 limit 1") == "offset 6");
  CHECK(read("a = 1; delete from t") == "offset 7");
  CHECK(read("a = 1 order by a") == "offset 6");
  CHECK(read("a = 1) or (1 = 1") == "offset 5");
  CHECK(read("a > 1 returning *") == "offset 6");
  CHECK(read("a = \xff") == "offset 4");
  CHECK(read("a") == "offset 1");
}
