#include <clocale>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "client/cli/csv.hpp"
#include "client/cli/format.hpp"
#include "client/cli/progress.hpp"
#include "client/cli/table_format.hpp"
#include "client/cli/text.hpp"

using namespace pubsubsql;
using namespace pubsubsql::cli;

namespace {

/// Character widths need an UTF-8 locale; the tests run with whatever the environment has.
struct utf8_locale {
  utf8_locale() { std::setlocale(LC_CTYPE, "C.UTF-8"); }
};

rows make_rows(const std::vector<std::string>& columns, const std::vector<const char*>& cells) {
  rows r;
  for (const auto& c : columns) r.add_column(c);
  for (const char* c : cells) r.add_cell(c == nullptr ? std::nullopt : std::optional<std::string_view>(c));
  return r;
}

std::string table(const rows& r, std::size_t width = 0) {
  std::ostringstream out;
  write_table(out, r, width);
  return out.str();
}

std::string shown(const event& e, output_format format, bool positions = false) {
  std::ostringstream out;
  write_event(out, e, {.format = format, .width = 0, .positions = positions});
  return out.str();
}

}  // namespace

TEST_CASE("data cannot take over the terminal") {
  struct example {
    const char* name;
    std::string text;
    std::string expected;
  };
  const std::vector<example> examples{
      {"plain", "IBM", "IBM"},
      {"unicode", "žluť 日本", "žluť 日本"},
      {"escape sequence", "\x1b[2J", "\\x1b[2J"},
      {"line feed and tab", "a\nb\tc\r", "a\\nb\\tc\\r"},
      {"zero and DEL", std::string("\0\x7f", 2), "\\x00\\x7f"},
      {"C1 control",
       "\xc2\x9b"
       "31m",
       "\\u{009b}31m"},
      {"right to left override", "\xe2\x80\xae", "\\u{202e}"},
      {"not UTF-8", "\xff\xc3", "\\xff\\xc3"},
      {"overlong", "\xc0\x80", "\\xc0\\x80"},
      {"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
  };
  for (const auto& e : examples) {
    CAPTURE(e.name);
    CHECK(escaped(e.text) == e.expected);
  }
  CHECK(escaped_lines("a\nb\x1b") == "a\nb\\x1b");
}

TEST_CASE("width counts columns of the terminal") {
  const utf8_locale locale;
  CHECK(display_width("abc") == 3);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("e\xcc\x81") == 1);
  CHECK(clipped("abcdef", 6) == "abcdef");
  CHECK(clipped("abcdefg", 6) == "abc...");
  CHECK(clipped("日本語日本語", 8) == "日本...");
}

TEST_CASE("tables are aligned") {
  const utf8_locale locale;
  CHECK(table(make_rows({"id", "name"}, {"0", "日本", "10", nullptr})) ==
        "+----+------+\n"
        "| id | name |\n"
        "+----+------+\n"
        "|  0 | 日本 |\n"
        "| 10 | NULL |\n"
        "+----+------+\n");
  CHECK(table(make_rows({"a"}, {})) == "+---+\n| a |\n+---+\n");
  const std::string cut = table(make_rows({"id", "text"}, {"1", "a long text that goes on and on"}), 30);
  CHECK(cut.find("a long text that g...") != std::string::npos);
  CHECK(cut.find("(cut to fit") != std::string::npos);
}

TEST_CASE("events are shown in every format") {
  event e;
  e.action = event_action::insert;
  e.pubsubid = 3;
  e.rows = make_rows({"id", "name", "note"}, {"7", "two words", nullptr});
  CHECK(shown(e, output_format::table) == "[insert #3] id=7, name='two words', note=NULL\n");
  CHECK(shown(e, output_format::csv) == "insert,3,7,two words,\n");
  CHECK(
      shown(e, output_format::json) ==
      R"({"status":"ok","action":"insert","pubsubid":"3","columns":["id","name","note"],"rows":1,"fromrow":1,"torow":1,"data":[["7","two words",null]]})"
      "\n");
  CHECK(shown(e, output_format::vertical) == "[insert #3]\n---- row 1 ----\n  id: 7\nname: two words\nnote: NULL\n");
  event gap;
  gap.action = event_action::gap;
  gap.pubsubid = 3;
  gap.lost = 512;
  CHECK(shown(gap, output_format::table) ==
        "[gap #3] 512 events were lost, for they were not read in time; the rows come again\n");
  event end;
  end.action = event_action::add;
  end.pubsubid = 3;
  end.seq = 17;
  end.snapshot_end = true;
  CHECK(shown(end, output_format::json).empty());
  CHECK(shown(end, output_format::json, true) ==
        R"({"status":"ok","action":"add","pubsubid":"3","seq":17,"snapshot":"end","columns":[],"rows":0,"fromrow":0,)"
        R"("torow":0,"data":[]})"
        "\n");
  CHECK(shown(end, output_format::table, true) == "[add #3 seq 17] that was the last of the initial rows\n");
  event resumed;
  resumed.action = event_action::resumed;
  resumed.pubsubid = 3;
  CHECK(shown(resumed, output_format::table) ==
        "[resumed #3] subscribed again after a reconnect; what was missed comes now\n");
  CHECK(shown(gap, output_format::json).starts_with(R"({"status":"ok","action":"gap","pubsubid":"3","lost":512)"));
}

TEST_CASE("json escapes what a terminal would obey") {
  event e;
  e.action = event_action::add;
  e.rows = make_rows({"a"}, {"\x1b\x7f\xc2\x9b\"\xff"});
  CHECK(shown(e, output_format::json).find("\"\\u001b\\u007f\\u009b\\\"\xef\xbf\xbd\"") != std::string::npos);
}

TEST_CASE("CSV is read as RFC 4180 has it") {
  using record = std::vector<std::optional<std::string>>;
  struct example {
    const char* name;
    std::string text;
    std::vector<record> expected;
    std::uint64_t error_line;  // 0: none
  };
  const std::vector<example> examples{
      {"plain", "a,b\n1,2\n", {{"a", "b"}, {"1", "2"}}, 0},
      {"no last line feed", "a,b", {{"a", "b"}}, 0},
      {"CR LF", "a\r\nb\r\n", {{"a"}, {"b"}}, 0},
      {"NULL and empty", ",\"\"\n", {{std::nullopt, ""}}, 0},
      {"quotes", "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\n", {{"a,b", "say \"hi\"", "two\nlines"}}, 0},
      {"comma at the end", "a,\n", {{"a", std::nullopt}}, 0},
      {"byte order mark and blank lines", "\xef\xbb\xbf\n\na\n\n", {{"a"}}, 0},
      {"empty file", "", {}, 0},
      {"open quote", "a\n\"b\nc", {{"a"}}, 2},
      {"text behind a quote", "\"a\"b\n", {}, 1},
      {"quote within", "a\nb\"c\n", {{"a"}}, 2},
  };
  for (const auto& e : examples) {
    CAPTURE(e.name);
    std::istringstream in(e.text);
    csv_reader reader(in);
    std::vector<record> got;
    csv_record r;
    auto outcome = reader.next(r);
    for (; outcome == csv_reader::outcome::record; outcome = reader.next(r)) got.push_back(r.fields);
    CHECK(got == e.expected);
    CHECK((outcome == csv_reader::outcome::error) == (e.error_line != 0));
    CHECK(reader.error_line() == e.error_line);
  }
}

TEST_CASE("CSV lines are numbered through quoted line feeds") {
  std::istringstream in("h\n\"a\nb\"\nlast\n");
  csv_reader reader(in);
  csv_record r;
  std::vector<std::uint64_t> lines;
  while (reader.next(r) == csv_reader::outcome::record) lines.push_back(r.line);
  CHECK(lines == std::vector<std::uint64_t>{1, 2, 4});
}

TEST_CASE("a CSV field reads back as it was") {
  for (const char* text : {"", "plain", "a,b", "say \"hi\"", "two\nlines", " spaces "}) {
    CAPTURE(text);
    std::istringstream in(csv_field(text) + ",x\n");
    csv_reader reader(in);
    csv_record r;
    REQUIRE(reader.next(r) == csv_reader::outcome::record);
    CHECK(r.fields.at(0) == text);
  }
  CHECK(csv_field(std::nullopt).empty());
}

TEST_CASE("progress is told in words and a bar") {
  CHECK(progress_text(5, 10, 100, "rows", 2.0) == "[###############...............]  50%  100 rows  50/s");
  CHECK(progress_text(1, 0, 3, "rows", 0) == "3 rows");
}
