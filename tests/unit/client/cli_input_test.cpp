#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "client/cli/accumulator.hpp"
#include "client/cli/command.hpp"
#include "client/cli/completion.hpp"
#include "client/cli/history.hpp"

using namespace pubsubsql;
using namespace pubsubsql::cli;

namespace {

std::vector<std::string> pieces_of(const std::vector<std::string>& lines) {
  statement_accumulator a;
  std::vector<std::string> out;
  const auto note = [&](const piece& p) {
    out.push_back((p.command ? "command " : "statement ") + std::to_string(p.line) + ": " + p.text);
  };
  for (const auto& line : lines) {
    a.add_line(line);
    while (auto p = a.next()) note(*p);
  }
  if (auto p = a.last()) note(*p);
  return out;
}

std::string error_of(std::string_view line) {
  const auto parsed = parse_command(line);
  return parsed ? "" : parsed.error();
}

template <typename T>
T read(std::string_view line) {
  const auto parsed = parse_command(line);
  REQUIRE(parsed.has_value());
  REQUIRE(std::holds_alternative<T>(*parsed));
  return std::get<T>(*parsed);
}

}  // namespace

TEST_CASE("lines become statements and commands") {
  struct example {
    const char* name;
    std::vector<std::string> lines;
    std::vector<std::string> expected;
  };
  const std::vector<example> examples{
      {"one line", {"status;"}, {"statement 1: status"}},
      {"two in a line", {"a; b;"}, {"statement 1: a", "statement 1: b"}},
      {"several lines", {"", "select *", "  from t;", "x"}, {"statement 2: select *\n  from t", "statement 4: x"}},
      {"quoted end", {"insert 'a;", "b';"}, {"statement 1: insert 'a;\nb'"}},
      {"command", {"  \\dt ;", "status"}, {"command 1: \\dt", "statement 2: status"}},
      {"command behind a statement", {"status; \\q"}, {"statement 1: status", "command 1: \\q"}},
      {"command behind comments", {"-- note", "/* more */", "\\q"}, {"command 3: \\q"}},
      {"comment that hides", {"/* a;", "\\q", "*/ status;"}, {"statement 1: /* a;\n\\q\n*/ status"}},
      {"backslash inside a statement", {"select", "\\q;"}, {"statement 1: select\n\\q"}},
      {"nothing", {"", ";;", "-- x"}, {}},
      {"pasted lines", {"a;\nb;\nc"}, {"statement 1: a", "statement 2: b", "statement 3: c"}},
      {"carriage returns", {"\\dt\r", "a;\r"}, {"command 1: \\dt", "statement 2: a"}},
  };
  for (const auto& e : examples) {
    CAPTURE(e.name);
    CHECK(pieces_of(e.lines) == e.expected);
  }
}

TEST_CASE("a statement is under way until its end") {
  statement_accumulator a;
  CHECK_FALSE(a.under_way());
  a.add_line("select *");
  CHECK_FALSE(a.next());
  CHECK(a.under_way());
  a.clear();
  CHECK_FALSE(a.under_way());
}

TEST_CASE("commands are read") {
  CHECK(read<connect_command>("\\c").host == std::nullopt);
  CHECK(read<connect_command>("\\c db1").host == "db1");
  CHECK(read<connect_command>("\\c db1:99").port == 99);
  CHECK(read<describe_command>("\\d `my table`").table == "my table");
  CHECK(read<format_command>("\\format JSON").format == output_format::json);
  CHECK(read<wait_command>("\\wait 3").events == 3);
  CHECK(read<wait_command>("\\wait 3 0.5").seconds == 0.5);
  (void)read<tables_command>("\\dt");
  (void)read<quit_command>("\\q");
  (void)read<help_command>("\\?");

  const auto import = read<import_command>("\\import 'my file.csv' into stocks on error continue");
  CHECK(import.file == "my file.csv");
  CHECK(import.table == "stocks");
  CHECK(import.go_on);
  CHECK_FALSE(read<import_command>("\\import a.csv INTO t").go_on);

  CHECK(read<export_command>("\\export stocks to a.csv").statement == "select * from stocks");
  CHECK(read<export_command>("\\export `my table` to a.csv").statement == "select * from `my table`");
  const auto query = read<export_command>("\\export select a from t where a = 'x to y' to 'b c.csv'");
  CHECK(query.statement == "select a from t where a = 'x to y'");
  CHECK(query.file == "b c.csv");
}

TEST_CASE("commands that make no sense say how they are written") {
  for (const char* line :
       {"\\c a:b", "\\c a b", "\\d a b", "\\format x", "\\import a.csv", "\\import a.csv into t now", "\\export t",
        "\\export to x", "\\wait", "\\wait x", "\\wait 1 -1", "\\q now", "\\nonsense", "\\"}) {
    CAPTURE(line);
    CHECK_FALSE(error_of(line).empty());
  }
}

TEST_CASE("addresses") {
  CHECK(parse_address("h")->host == "h");
  CHECK(parse_address("h:1")->port == 1);
  CHECK(parse_address("[::1]:7")->host == "::1");
  CHECK(parse_address("::1")->host == "::1");
  CHECK_FALSE(parse_address("h:"));
  CHECK_FALSE(parse_address("h:70000"));
  CHECK_FALSE(parse_address(":1"));
}

TEST_CASE("completion offers what can stand there") {
  catalog known;
  known.set_tables({"stocks", "orders"});
  known.set_columns("stocks", {"id", "ticker", "price"});
  const auto offered = [&](std::string_view before, std::string_view word, std::string_view wanted) {
    const auto found = candidates(known, before, word);
    return std::find(found.begin(), found.end(), wanted) != found.end();
  };
  CHECK(offered("", "sel", "select"));
  CHECK(offered("", "SEL", "SELECT"));
  CHECK(candidates(known, "select * from ", "") == std::vector<std::string>{"orders", "stocks"});
  CHECK(candidates(known, "select * from ", "st") == std::vector<std::string>{"stocks"});
  CHECK(candidates(known, "describe ", "o") == std::vector<std::string>{"orders"});
  CHECK(offered("select * from stocks where ", "ti", "ticker"));
  CHECK(offered("insert into stocks (", "pr", "price"));
  CHECK(offered("key stocks ", "ti", "ticker"));
  CHECK_FALSE(offered("select * from orders where ", "ti", "ticker"));
  CHECK(candidates(known, "", "\\im") == std::vector<std::string>{"\\import"});
  CHECK(candidates(known, "\\format ", "j") == std::vector<std::string>{"json"});
  CHECK(candidates(known, "\\d ", "s") == std::vector<std::string>{"stocks"});
  CHECK(candidates(known, "\\import a.csv into ", "o") == std::vector<std::string>{"orders"});
}

TEST_CASE("the catalog keeps columns of tables that stay") {
  catalog known;
  known.set_columns("a", {"x"});
  known.set_columns("b", {"y"});
  known.set_tables({"a", "c"});
  CHECK(known.tables().at("a") == std::vector<std::string>{"x"});
  CHECK(known.tables().at("c").empty());
  CHECK_FALSE(known.tables().contains("b"));
  CHECK(tables_named(known, "select * from a, `c`") == std::vector<std::string>{"a", "c"});
}

TEST_CASE("history keeps one line per statement and no passwords") {
  CHECK(history_entry("  status; ") == "status;");
  CHECK(history_entry("select *\n  from t;") == "select *   from t;");
  CHECK_FALSE(history_entry(" \n"));
  CHECK_FALSE(history_entry("mysql connect root:secret@tcp(h:3306)/db;"));
  CHECK_FALSE(history_entry("auth web secret;"));
  CHECK_FALSE(history_entry("create user web identified by mistake secret;"));
  CHECK_FALSE(history_entry("select * -- all\nfrom t;"));
}
