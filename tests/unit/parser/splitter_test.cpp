#include "parser/splitter.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using pubsubsql::parser::statement_end;

TEST_CASE("splitter: a script falls apart at its semicolons") {
  struct example {
    std::string script;
    std::vector<std::string> statements;  // the last is what no `;` ends
  };
  const std::vector<example> examples = {
      {"", {""}},
      {"status", {"status"}},
      {"status;", {"status;", ""}},
      {"a; b;c", {"a;", " b;", "c"}},
      {"insert into t (a) values ('x;y');z", {"insert into t (a) values ('x;y');", "z"}},
      {"set a = 'it''s;';z", {"set a = 'it''s;';", "z"}},
      {"values (it's);z", {"values (it's);", "z"}},
      {"select `a;b`;z", {"select `a;b`;", "z"}},
      {"where a<'x;y' and b>='x;y';z", {"where a<'x;y' and b>='x;y';", "z"}},
      {"select a||'x;y';z", {"select a||'x;y';", "z"}},
      {"begin; update t set a = a + 1; commit", {"begin;", " update t set a = a + 1;", " commit"}},
      {"a -- no; end\n;z", {"a -- no; end\n;", "z"}},
      {"a /* no; end */;z", {"a /* no; end */;", "z"}},
      {"a /* open; ", {"a /* open; "}},
      {"values ('open; ", {"values ('open; "}},
      {"values (1--2);z", {"values (1--2);", "z"}},
      {"-- it's\na;z", {"-- it's\na;", "z"}},
  };
  for (const example& e : examples) {
    INFO(e.script);
    std::vector<std::string> found;
    std::string_view rest = e.script;
    for (std::size_t end = statement_end(rest); end != std::string_view::npos; end = statement_end(rest)) {
      found.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end);
    }
    found.emplace_back(rest);
    CHECK(found == e.statements);
  }
}
