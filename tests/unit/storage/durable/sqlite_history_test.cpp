// What a data directory keeps of the latest changes of its tables.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/durable/sqlite_files.hpp"
#include "storage/table.hpp"
#include "tests/unit/scratch_directory.hpp"
#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;
using namespace pubsubsql::storage::durable;

namespace {

/// As the server does.
class history_loader : public table_loader {
 public:
  explicit history_loader(database& to) : to_(to) {}
  std::optional<std::string> on_table(const table_description& d) override {
    table_ = &to_.restore(d);
    return std::nullopt;
  }
  std::optional<std::string> on_row(row_position position, std::span<const value> values) override {
    return table_->load(position, values);
  }
  void on_change(const past_change& c) override { table_->load_change(c); }
  void on_lost_change(std::uint64_t sequence) override { table_->lose_change(sequence); }

 private:
  database& to_;
  table* table_ = nullptr;
};

std::string text_of(row_view row) {
  return row.data() == nullptr ? "-"
                               : std::string(row.data() + 8, row.size() - 8);  // the number in the heap is left out
}

/// Everything that a table has kept.
std::string history_of(const table& t) {
  if (t.history() == nullptr) return "nothing";
  std::string out = "after " + std::to_string(t.history()->begins_after()) + ":";
  auto changes = t.history()->after(0);
  while (const past_change* const c = changes.next()) {
    out += " " + std::to_string(c->sequence) + "/" + std::to_string(static_cast<int>(c->kind)) + "/" +
           std::to_string(c->columns) + "/" + text_of(c->before) + "/" + text_of(c->after);
    for (const column_index column : c->assigned) out += "," + std::to_string(column);
  }
  return out;
}

struct fixture {
  fixture() : files(std::make_unique<sqlite_files>(at.path())) {}

  void run(const std::string& sql) {
    INFO(sql);
    REQUIRE_FALSE(e.run(sql).starts_with("error"));
    if (e.kept() == nullptr) return;
    files->begin();
    files->apply(*e.kept());
    files->commit();
  }

  /// What is kept after a start.
  std::string reopened(const std::string& table = "t") {
    files.reset();
    files = std::make_unique<sqlite_files>(at.path());
    database d;
    history_loader loader(d);
    files->load(loader);
    return history_of(*d.find(table));
  }

  [[nodiscard]] std::string here(const std::string& table = "t") { return history_of(*e.engine().find(table)); }

  pubsubsql::test::scratch_directory at;
  engine_driver e;
  std::unique_ptr<sqlite_files> files;
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "sqlite files: the latest changes of a table come back") {
  run("insert into t (a, b) values (1, x)");
  CHECK(reopened() == "nothing");
  run("alter table t set history = on");
  CHECK(reopened() == here());
  for (const char* sql : {"insert into t (a, b) values (2, y), (3, null)", "update t set b = z, a = 7 where a = 2",
                          "insert into t (c) values (late)", "delete from t where a = 1", "key t a",
                          "push front into t (a) values (9)"}) {
    run(sql);
    CHECK(reopened() == here());
  }
  run("alter table t set history = 300 bytes");
  run("insert into t (a, b) values (10, x), (11, x), (12, x)");
  CHECK(here().find("after 0") == std::string::npos);
  CHECK(reopened() == here());
  run("alter table t drop column c");
  CHECK(reopened() == here());
  run("alter table t set history = off");
  CHECK(reopened() == "nothing");
  run("alter table t set history = 7 seconds 9 bytes");
  CHECK(files->descriptions().front().history == pubsubsql::parser::history_setting{.bytes = 9, .seconds = 7});
  run("alter table t set history = default");
  CHECK_FALSE(files->descriptions().front().history.has_value());
}

TEST_CASE_FIXTURE(fixture, "sqlite files: a table that goes takes what it has kept along") {
  run("create table t (a int)");
  run("alter table t set history = on");
  run("insert into t values (1)");
  run("drop table t");
  run("insert into t (b) values (1)");
  CHECK(reopened() == "nothing");
  run("insert into u (a) values (1)");
  run("alter table u set history = on");
  run("insert into u (a) values (2)");
  CHECK(reopened("u") == here("u"));
}

TEST_CASE_FIXTURE(fixture, "sqlite files: a table whose rows come from elsewhere keeps what leads to the same") {
  run("insert into t (a) values (1)");
  run("alter table t set history = on");
  run("insert into t (a) values (2)");
  table_description d = files->descriptions().front();
  d.history.reset();
  const auto replace = [&] {
    files->begin();
    const auto kept_as = files->replace_table(d).history;
    files->commit();
    return kept_as;
  };
  CHECK(replace() == pubsubsql::parser::history_setting{});
  CHECK(reopened() == here());
  ++d.sequence;
  CHECK(replace() == pubsubsql::parser::history_setting{});
  CHECK(reopened() == "after " + std::to_string(d.sequence) + ":");
}

TEST_CASE_FIXTURE(fixture, "sqlite files: a change that is damaged costs those before it") {
  run("insert into t (a) values (1)");
  run("alter table t set history = on");
  for (const char* a : {"2", "3", "4"}) run("insert into t (a) values (" + std::string(a) + ")");
  const std::uint64_t last = e.engine().find("t")->sequence();
  files.reset();
  sqlite_database(at.path() + "/pubsubsql.db")
      .run("update history set after = x'00' where sequence = " + std::to_string(last - 1));
  CHECK(reopened().starts_with("after " + std::to_string(last - 1) + ": " + std::to_string(last) + "/"));
}
