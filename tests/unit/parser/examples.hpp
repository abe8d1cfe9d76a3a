#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "parser/parser.hpp"
#include "parser/print.hpp"

namespace pubsubsql::parser {

/// A statement, and what it is understood as.
struct example {
  std::string_view sql;
  std::string_view expected;  // printed, or the error; empty: printed as it is written
};

/// Parses each, compares what is printed, and reads that again.
inline void check(const std::vector<example>& examples) {
  for (const example& e : examples) {
    INFO(e.sql);
    statement_arena arena;
    const auto parsed = parse(e.sql, arena);
    const std::string got = parsed ? print(*parsed) : message(parsed.error());
    CHECK(got == (e.expected.empty() ? e.sql : e.expected));
    if (!parsed) continue;
    statement_arena again;
    const auto reread = parse(got, again);
    REQUIRE(reread.has_value());
    CHECK(*reread == *parsed);
  }
}

}  // namespace pubsubsql::parser
