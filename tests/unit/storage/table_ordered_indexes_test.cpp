#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/statement_log.hpp"
#include "storage/table.hpp"
#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;
namespace parser = pubsubsql::parser;

namespace {

table_description two_columns() {
  return {.name = "t",
          .columns = {{.name = "a"}, {.name = "b"}},
          .indexes = {{.name = "u", .columns = {1, 2}, .type = parser::index_type::unique}}};
}

}  // namespace

TEST_CASE("ordered indexes of a table: a unique one refuses what is there, before anything changes") {
  engine_driver e;
  e.engine().restore(two_columns());
  CHECK(e.run("insert into t (a, b) values (1, 2), (1, 3)") == "insert 2");
  const std::string refused = "error: duplicate value '1-2' for key u of table t; another row has it";
  CHECK(e.run("insert into t (a, b) values (7, 7), (1, 2)") == refused);
  CHECK(e.run("update t set b = 2 where b = 3") == refused);
  CHECK(e.run("update t set b = 2 where b = 2") == "update 1");
  CHECK(e.run("insert into t (a, b) values (1, 2.0), (1, null), (1, null)") == "insert 3");
  CHECK(e.run("select * from t where a = 7") == "select id,a,b:");
}

TEST_CASE("ordered indexes of a table: loaded rows are checked like any") {
  table t(two_columns());
  CHECK_FALSE(t.load(0, std::vector<value>{{}, "x", "y"}));
  CHECK_FALSE(t.load(1, std::vector<value>{{}, "x"}));
  CHECK_FALSE(t.load(2, std::vector<value>{{}, "x"}));
  CHECK(t.load(3, std::vector<value>{{}, "x", "y"}) == "two rows have the values 'x-y' in the key u");
}

TEST_CASE("ordered indexes of a table: made, dropped and taken back") {
  table t(two_columns());
  static_cast<void>(t.insert(parser::queue_end::back, std::vector<value>{{}, "x", "1"}));
  static_cast<void>(t.insert(parser::queue_end::back, std::vector<value>{{}, "x", "2"}));
  const std::string before = dump(t);
  statement_log log;
  log.begin();
  CHECK(log.add_ordered_index(t, {.name = "w", .columns = {1}, .type = parser::index_type::unique}) == "x");
  CHECK(log.changes().empty());
  CHECK_FALSE(log.add_ordered_index(t, {.name = "i", .columns = {2, 1}}));
  log.drop_ordered_index(t, *t.find_ordered_index("u"));
  REQUIRE(log.changes().size() == 2);
  CHECK(log.changes()[0].kind == change_kind::add_index);
  CHECK(log.changes()[0].name == "i");
  CHECK(log.changes()[1].kind == change_kind::drop_index);
  CHECK(log.changes()[1].index == parser::index_type::unique);
  CHECK(log.changes()[1].assigned.size() == 2);
  CHECK(t.find_ordered_index("u") == nullptr);
  CHECK(t.find_ordered_index("i")->size() == 2);

  const durable::statement_changes kept(t, log.changes());
  std::string bytes;
  kept.encode(bytes);
  const auto read = durable::statement_changes::decode(bytes);
  REQUIRE(read != nullptr);
  CHECK(read->changes_schema());
  statement_log::undo(t, read->changes());
  CHECK(dump(t) == before);
}

TEST_CASE("ordered indexes of a table: the primary key") {
  CHECK(std::ranges::equal(table("t").primary_key(), std::vector{id_column}));
  table t({.name = "t", .columns = {{.name = "a", .index = index_kind::key}, {.name = "b"}}, .primary_column = 1});
  const auto is = [&](std::vector<column_index> columns) { return std::ranges::equal(t.primary_key(), columns); };
  CHECK(is({1}));
  statement_log log;
  log.begin();
  static_cast<void>(
      log.add_ordered_index(t, {.name = "PRIMARY", .columns = {2, 1}, .type = parser::index_type::primary}));
  CHECK(is({2, 1}));
  log.undo();
  CHECK(is({1}));
}

TEST_CASE("ordered indexes of a table: typed columns have the order of their types") {
  table_description d = {.name = "t", .columns = {{.name = "a"}}, .indexes = {{.name = "i", .columns = {1}}}};
  table t(d);
  for (const char* text : {"b", "10", "9", "a"}) {
    static_cast<void>(t.insert(parser::queue_end::back, std::vector<value>{{}, text}));
  }
  const auto order = [&] {
    std::string out;
    t.find_ordered_index("i")->visit({}, [&](row_number row) {
      out.append(*t.get(row).at(1)).append(" ");
      return true;
    });
    return out;
  };
  CHECK(order() == "9 10 a b ");
  const auto becomes = [&](const char* type) {
    d.columns.front().facts = column_facts{.type = type, .nullable = true, .default_text = {}, .extra = {}};
    t.learn(d);
    return order();
  };
  CHECK(becomes("varchar(10)") == "10 9 a b ");
  CHECK(becomes("enum('b','a','10','9')") == "b a 10 9 ");
}
