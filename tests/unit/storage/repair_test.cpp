#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/durable/table_comparison.hpp"
#include "storage/table.hpp"
#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;

namespace {

table_differences::outside_row row_outside(std::uint64_t id, row_number here,
                                           const std::vector<std::optional<std::string>>& values) {
  table_differences::outside_row row{.position = back_position(id), .here = here, .values = {std::nullopt}};
  row.values.insert(row.values.end(), values.begin(), values.end());
  return row;
}

}  // namespace

TEST_CASE("rows that cannot be taken over leave all as it was, ids included") {
  engine_driver e;
  CHECK(e.run("key t k") == "key");
  e.run("insert into t (k) values (a), (b), (c)");
  e.run("delete from t where k = b");
  const std::string before = dump(*e.engine().find("t"));
  table_differences d{.only_here = {}, .only_outside = {}, .different = {}, .ids_are_outside = true};
  d.only_outside.push_back(row_outside(1, no_row, {"new"}));
  d.only_outside.push_back(row_outside(9, no_row, {"a"}));
  CHECK(e.engine().check_repair("t", d).has_value());
  CHECK(dump(*e.engine().find("t")) == before);
  CHECK(e.engine().repair("t", d).failure.has_value());
  CHECK(dump(*e.engine().find("t")) == before);
  CHECK(e.run("insert into t (k) values (d) returning id") == "insert id: 3");
}

TEST_CASE("columns of outside come with their values and indexes, and subscribers see them") {
  engine_driver e;
  e.run("insert into t (k) values (a), (b)");
  e.run("subscribe skip * from t where g = 7", 5);
  table_description outside{.name = "t",
                            .columns = {{.name = "k", .index = index_kind::key},
                                        {.name = "g",
                                         .index = index_kind::tag,
                                         .facts = column_facts{.type = "int", .default_text = {}, .extra = {}}}}};
  const table& t = *e.engine().find("t");
  table_differences d{.only_here = {}, .only_outside = {}, .different = {}, .ids_are_outside = true};
  d.different.push_back(row_outside(0, *t.find_id(0), {"a", "7"}));
  const std::string before = dump(t);
  CHECK_FALSE(e.engine().check_repair("t", d, &outside).has_value());
  CHECK(dump(t) == before);
  const outcome& o = e.engine().repair("t", d, &outside);
  REQUIRE_FALSE(o.failure.has_value());
  REQUIRE(o.events.size() == 1);
  CHECK(o.events.front().action == event_action::add);
  CHECK(o.changes.size() == 4);
  CHECK(t.index_of(1) == index_kind::key);
  CHECK(t.index_of(2) == index_kind::tag);
  CHECK(t.facts_of(2)->type == "int");
  CHECK(e.run("select k from t where g = 7") == "select k: a");
}

TEST_CASE("of a statement's rows only those are repaired that were stored otherwise and have not changed since") {
  engine_driver e;
  e.run("insert into t (k, n) values (a, 1), (b, 1), (c, 1)");
  e.run("update t set n = 2");
  const auto written = e.kept();
  e.run("update t set n = 3 where k = b");
  const table& t = *e.engine().find("t");
  CHECK(durable::still_as_written(t, *written, {{"a", "2"}, {"b", "3"}, {"c", "2"}}).size() == 0);
  const table_differences d = durable::still_as_written(t, *written, {{"a", "2"}, {"b", "9"}, {"c", "9"}});
  REQUIRE(d.size() == 1);
  CHECK(d.different.front().here == *t.find_id(2));
}
