#include "storage/durable/sqlite_files.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "storage/table.hpp"
#include "tests/unit/scratch_directory.hpp"
#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;
using namespace pubsubsql::storage::durable;

namespace {

/// A data directory.
class data_directory : public pubsubsql::test::scratch_directory {
 public:
  [[nodiscard]] std::string file() const { return path() + "/pubsubsql.db"; }

  /// Runs SQL on the file behind the server's back.
  void tamper(const std::string& sql) const { sqlite_database(file()).run(sql); }
};

/// Loads into an engine, as the server does.
class engine_loader : public table_loader {
 public:
  explicit engine_loader(database& to) : to_(to) {}
  std::optional<std::string> on_table(const table_description& d) override {
    table_ = &to_.restore(d);
    return std::nullopt;
  }
  std::optional<std::string> on_row(row_position position, std::span<const value> values) override {
    return table_->load(position, values);
  }

 private:
  database& to_;
  table* table_ = nullptr;
};

std::string state(const database& d) {
  std::map<std::string_view, std::string> by_name;
  for (const table_summary& t : d.tables()) by_name[t.name] = dump(*d.find(t.name));
  std::string out;
  for (const auto& [name, text] : by_name) out += text + "\n";
  return out;
}

std::string loaded_state(sqlite_files& files) {
  database d;
  engine_loader loader(d);
  files.load(loader);
  return state(d);
}

std::string loaded_state(const data_directory& at) {
  sqlite_files files(at.path());
  return loaded_state(files);
}

/// What is said when it cannot be opened and loaded; empty: it can.
std::string refusal(const data_directory& at) {
  try {
    static_cast<void>(loaded_state(at));
    return {};
  } catch (const sqlite_error& e) {
    return e.what();
  }
}

/// Runs a statement and stores what it did, in a transaction.
void run(engine_driver& e, sqlite_files& files, const std::string& sql) {
  INFO(sql);
  REQUIRE_FALSE(e.run(sql).starts_with("error"));
  if (e.kept() == nullptr) return;
  files.begin();
  files.apply(*e.kept());
  files.commit();
}

const char* const every_kind[] = {
    "insert into t (a, b) values (1, ''), (2, null), (null, null)",
    "push front into t (a, c) values (3, late)",
    "key t a",
    "tag t b",
    "tag t new",
    "update t set b = x, d = y where a = 1",
    "update t set b = null where a = 2",
    "insert into u (a) values (1)",
    "alter table t set ack = memory",
    "alter table u set ack = committed",
    "pop front from t",
    "insert into t (a) values ('it''s \xc3\xbc')",
    "delete from u",
    "subscribe * from empty",
    "insert into `strange \"name'; drop table tables; --` (`a \"b'`, `C`) values (1, 2)",
    "key v k",
};

}  // namespace

TEST_CASE("sqlite files: every kind of change comes back") {
  const data_directory at;
  engine_driver e;
  {
    sqlite_files files(at.path());
    for (const char* sql : every_kind) {
      run(e, files, sql);
      CHECK(loaded_state(files) == state(e.engine()));
    }
  }
  CHECK(loaded_state(at) == state(e.engine()));
  // And goes on from there.
  engine_driver again;
  {
    sqlite_files files(at.path());
    engine_loader loader(again.engine());
    files.load(loader);
    for (const char* sql :
         {"insert into t (a) values (7)", "insert into u (z) values (1)", "delete from t where a = 7"}) {
      static_cast<void>(e.run(sql));
      run(again, files, sql);
    }
  }
  CHECK(state(again.engine()) == state(e.engine()));
  CHECK(loaded_state(at) == state(e.engine()));
}

TEST_CASE("sqlite files: many statements in one transaction, and none of them after a roll-back") {
  const data_directory at;
  sqlite_files files(at.path());
  engine_driver e;
  run(e, files, "insert into t (a) values (1)");
  const std::string before = state(e.engine());
  std::vector<std::shared_ptr<const statement_changes>> all;
  for (const char* sql : {"insert into t (a, b) values (2, x)", "insert into u (a) values (1)", "update u set a = 3",
                          "key t a", "alter table t set ack = memory"}) {
    REQUIRE_FALSE(e.run(sql).starts_with("error"));
    all.push_back(e.kept());
  }
  for (const bool last : {false, true}) {
    files.begin();
    for (const auto& s : all) {
      files.apply(*s);
      files.append_to_journal({s});
    }
    if (last) {
      files.commit();
    } else {
      files.roll_back();
      CHECK(loaded_state(files) == before);
      CHECK(files.journal_size() == 0);
    }
  }
  CHECK(loaded_state(files) == state(e.engine()));
  CHECK(files.journal_size() == all.size());
  files.roll_back();  // nothing to roll back is no error
}

TEST_CASE("sqlite files: a transaction that fails can be rolled back") {
  const data_directory at;
  sqlite_files files(at.path());
  engine_driver e;
  run(e, files, "insert into t (a) values (1)");
  engine_driver stranger;
  static_cast<void>(stranger.run("insert into t (a) values (1)"));
  files.begin();
  CHECK_THROWS_AS(files.apply(*stranger.kept()), sqlite_error);  // there is such a table
  files.roll_back();
  static_cast<void>(stranger.run("insert into t (a) values (1)"));
  const auto orphan = stranger.kept();
  run(e, files, "insert into t (a) values (2)");
  CHECK(loaded_state(files) == state(e.engine()));
  files.begin();
  CHECK_THROWS_AS(files.begin(), sqlite_error);
  files.roll_back();
}

TEST_CASE("sqlite files: a table replaced is exactly as described") {
  const data_directory at;
  sqlite_files files(at.path());
  engine_driver e;
  run(e, files, "insert into t (a, b) values (1, x)");
  const table_description d{
      .name = "t",
      .columns = {{.name = "n",
                   .index = index_kind::key,
                   .facts =
                       column_facts{
                           .type = "int(11)", .nullable = false, .default_text = "0", .extra = "auto_increment"}},
                  {.name = "g",
                   .index = index_kind::tag,
                   .facts = column_facts{.type = "text", .default_text = {}, .extra = {}}},
                  {.name = "plain"}},
      .next_id = 10,
      .sequence = 20,
      .ack = pubsubsql::parser::ack_mode::memory,
      .hides_id = true,
      .read_only_reason = "no key"};
  for (const char* name : {"t", "fresh"}) {
    table_description wanted = d;
    wanted.name = name;
    files.begin();
    files.replace_table(wanted);
    files.commit();
  }
  database back;
  engine_loader loader(back);
  files.load(loader);
  REQUIRE(back.tables().size() == 2);
  for (const char* name : {"t", "fresh"}) {
    const table& t = *back.find(name);
    CHECK(dump(t) == std::string(name) + " *key n*key g*tag plain next 10 sequence 20 ack " +
                         std::to_string(static_cast<int>(pubsubsql::parser::ack_mode::memory)));
    CHECK_FALSE(t.shows_id());
    CHECK(t.read_only_reason() == "no key");
    REQUIRE(t.facts_of(1) != nullptr);
    CHECK(t.facts_of(1)->type == "int(11)");
    CHECK_FALSE(t.facts_of(1)->nullable);
    CHECK(t.facts_of(1)->default_text == "0");
    CHECK(t.facts_of(1)->extra == "auto_increment");
    CHECK_FALSE(t.facts_of(2)->default_text.has_value());
    CHECK(t.facts_of(3) == nullptr);
  }
}

TEST_CASE("sqlite files: the journal gives back what was put in, in order, until erased") {
  const data_directory at;
  engine_driver e;
  std::vector<std::string> encoded;
  std::string id;
  {
    sqlite_files files(at.path());
    id = files.journal_id();
    files.begin();
    for (int i = 0; i < 5; ++i) {
      static_cast<void>(e.run("insert into t (a) values (" + std::to_string(i) + ")"));
      files.append_to_journal({e.kept()});
      e.kept()->encode(encoded.emplace_back());
    }
    files.commit();
  }
  sqlite_files files(at.path());
  CHECK(files.journal_id() == id);
  CHECK(id.size() == 32);
  CHECK(files.journal_size() == 5);
  const auto any = [](std::string_view) { return true; };
  CHECK(files.read_journal(any, 2, SIZE_MAX).size() == 2);
  CHECK(files.read_journal(any, SIZE_MAX, 1).size() == 1);
  CHECK(files.read_journal([](std::string_view table) { return table == "other"; }, SIZE_MAX, SIZE_MAX).empty());
  CHECK(files.journalled_schema_changes(any).size() == 1);  // the first made the table
  CHECK(files.journalled_schema_changes([](std::string_view table) { return table == "other"; }).empty());
  const auto all = files.read_journal(any, SIZE_MAX, SIZE_MAX);
  REQUIRE(all.size() == 5);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string bytes;
    encode(*all[i].changes, bytes);
    CHECK(bytes == encoded[i]);
    CHECK(all[i].at_ms > 1'600'000'000'000);
  }
  files.begin();
  files.set_aside(all[0], {.code = 1062, .sqlstate = "23000", .message = "duplicate"});
  files.set_aside(all[0], {.code = 1062, .sqlstate = "23000", .message = "duplicate"});
  files.erase_journal(std::span(all).first(2));
  files.commit();
  CHECK(files.refused_size() == 1);
  CHECK(files.journal_size() == 3);
  CHECK(files.read_journal(any, SIZE_MAX, SIZE_MAX).front().number == all[2].number);
  // Numbers are never given twice, or what MySQL remembers of them would be wrong.
  files.begin();
  files.erase_journal(all);
  files.append_to_journal({e.kept()});
  files.commit();
  CHECK(files.read_journal(any, 1, SIZE_MAX).front().number > all[4].number);
}

TEST_CASE("sqlite files: a damaged journal is refused") {
  const data_directory at;
  engine_driver e;
  static_cast<void>(e.run("insert into t (a) values (1)"));
  sqlite_files files(at.path());
  files.begin();
  files.append_to_journal({e.kept()});
  files.commit();
  at.tamper("update journal set changes = substr(changes, 1, length(changes) - 1)");
  CHECK_THROWS_WITH_AS(static_cast<void>(files.read_journal([](std::string_view) { return true; }, 10, SIZE_MAX)),
                       "entry 1 of the journal is damaged", sqlite_error);
}

TEST_CASE("sqlite files: one at a time has the directory") {
  const data_directory at;
  {
    const sqlite_files first(at.path());
    CHECK(refusal(at) == "another server uses " + at.path() + "; stop it, or give this one its own --data");
  }
  CHECK(refusal(at).empty());
}

TEST_CASE("sqlite files: directories that cannot be") {
  const data_directory at;
  std::ofstream(at.path() + "/file") << "x";
  CHECK_THROWS_AS(sqlite_files(at.path() + "/file"), sqlite_error);
  CHECK_THROWS_AS(sqlite_files(at.path() + "/file/below"), sqlite_error);
  CHECK_THROWS_AS(sqlite_files("/proc/nowhere/at/all"), sqlite_error);
  const sqlite_files deep(at.path() + "/made/on/the/way");
}

TEST_CASE("sqlite files: what is not ours is left alone and refused with the reason") {
  struct row {
    const char* name;
    std::string tampering;
    std::string reason;
  };
  // The table has number 1 and two rows: one of columns a, b, c and one of a alone.
  const row rows[] = {
      {"newer", "pragma user_version = 9", "pubsubsql.db was written by a newer version of this server"},
      {"foreign", "pragma application_id = 7", "pubsubsql.db is not a file of this server"},
      {"no identity", "delete from identity", "pubsubsql.db has lost its identity"},
      {"no rows table", "drop table rows_1", "no such table: rows_1"},
      {"no catalog", "drop table columns", "no such table: columns"},
      {"an empty row", "update rows_1 set row = x'' where position = 0", "the row with id 0 of table t is damaged"},
      {"lengths cut off", "update rows_1 set row = x'0300' where position = 0",
       "the row with id 0 of table t is damaged"},
      {"text cut off", "update rows_1 set row = substr(row, 1, length(row) - 1) where position = 0",
       "the row with id 0 of table t is damaged"},
      {"endless length", "update rows_1 set row = x'010080808080808080808080808001' where position = 0",
       "the row with id 0 of table t is damaged"},
      {"more columns than the table", "delete from columns where ordinal = 3",
       "table t: the row with id 0 has more columns than the table"},
      {"a key twice", "insert into rows_1 select 77, row, null from rows_1 where position = 0",
       "table t: two rows have the value '1' in the key a"},
  };
  for (const row& r : rows) {
    INFO(std::string(r.name));
    const data_directory at;
    {
      sqlite_files files(at.path());
      engine_driver e;
      run(e, files, "insert into t (a, b, c) values (1, x, yy)");
      run(e, files, "insert into t (a) values (2)");
      run(e, files, "key t a");
    }
    at.tamper(r.tampering);
    CHECK(refusal(at) == r.reason);
    CHECK(refusal(at) == r.reason);  // the first one has let go of the directory
  }
}

TEST_CASE("sqlite files: another program's database is not touched") {
  const data_directory at;
  std::filesystem::create_directories(at.path());
  at.tamper("create table theirs (a)");
  CHECK(refusal(at) == "pubsubsql.db is not a file of this server");
  const sqlite_database theirs(at.file());
  CHECK(theirs.number("select count(*) from sqlite_master") == 1);
  CHECK(theirs.number("pragma application_id") == 0);
}

TEST_CASE("sqlite files: a file that is damaged is refused, never half loaded") {
  const data_directory whole;
  engine_driver e;
  {
    sqlite_files files(whole.path());
    for (int i = 0; i < 50; ++i) {
      run(e, files, "insert into t (a, b) values (" + std::to_string(i) + ", '" + std::string(300, 'x') + "')");
    }
    files.begin();
    files.commit();
  }
  whole.tamper("pragma wal_checkpoint(truncate)");
  std::ifstream in(whole.file(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  REQUIRE(bytes.size() > 20'000);
  std::size_t refused = 0;
  const auto try_with = [&](const std::string& damaged) {
    const data_directory at;
    std::ofstream(at.file(), std::ios::binary) << damaged;
    const std::string why = refusal(at);
    if (!why.empty()) ++refused;
    return why;
  };
  CHECK(try_with(bytes).empty());
  CHECK(try_with("this is a text file, and no database at all" + std::string(5'000, '.')) == "file is not a database");
  for (std::size_t size = 4096; size < bytes.size(); size += 4096) {
    INFO("cut to " << size);
    CHECK_FALSE(try_with(bytes.substr(0, size)).empty());
  }
  for (std::size_t at = 3; at < bytes.size(); at += 501) {
    std::string damaged = bytes;
    damaged.replace(at, 8, "\xff\x00\xff\xff\x80\x80\x80\x80", 8);
    static_cast<void>(try_with(damaged));  // must not crash; SQLite cannot see what is wrong in a text
  }
  CHECK(refused > 10);
}

TEST_CASE("sqlite files: a file that was there and is empty is refused") {
  const data_directory at;
  {
    sqlite_files files(at.path());
    engine_driver e;
    run(e, files, "insert into t (a) values (1)");
  }
  std::filesystem::resize_file(at.file(), 0);
  std::filesystem::remove(at.file() + "-wal");
  CHECK(refusal(at).find("pubsubsql.db is empty, but it was not") != std::string::npos);
}

TEST_CASE("sqlite files: rows written before there were checksums are read, and get them when they change") {
  const data_directory at;
  engine_driver e;
  {
    sqlite_files files(at.path());
    run(e, files, "insert into t (a) values (1), (2)");
  }
  for (const char* sql :
       {"alter table rows_1 drop column sum", "alter table journal drop column sum", "drop table history",
        "drop table bindings", "drop table subscriptions", "alter table tables drop column history",
        "alter table tables drop column history_bytes", "alter table tables drop column history_seconds",
        "alter table tables drop column queue", "alter table tables drop column made_at",
        "alter table identity drop column numbers_used", "pragma user_version = 2"}) {
    at.tamper(sql);
  }
  {
    sqlite_files files(at.path());
    CHECK(loaded_state(files) == state(e.engine()));
    run(e, files, "update t set a = 3 where a = 2");
  }
  at.tamper("update rows_1 set row = x'01000239' where position = 0");
  CHECK(refusal(at).empty());
  at.tamper("update rows_1 set row = x'01000239' where position = 1");
  CHECK(refusal(at) == "the row with id 1 of table t is damaged");
}

TEST_CASE("sqlite files: named subscriptions, and what another store does not know of them") {
  const data_directory at;
  engine_driver e;
  sqlite_files files(at.path());
  const auto named = [&] { return files.descriptions().front().subscriptions; };
  for (const char* sql : {"insert into t (a) values (1)", "subscribe * from t as s", "subscribe skip a from t as r",
                          "ack s on t 3", "subscribe * from t as gone", "drop subscription gone on t"}) {
    run(e, files, sql);
  }
  CHECK(named() == e.engine().find("t")->description().subscriptions);
  REQUIRE(named().size() == 2);
  CHECK(named()[1].position == 3);
  CHECK(loaded_state(files) == state(e.engine()));

  table_description outside = e.engine().find("t")->description();
  outside.subscriptions = {{.name = "new", .owner = "", .statement = "subscribe * from t"}, named()[1]};
  outside.subscriptions[1].position = 2;
  files.begin();
  const table_description now = files.replace_table(outside);
  files.commit();
  REQUIRE(now.subscriptions.size() == 3);
  CHECK(now.subscriptions[0].name == "new");
  CHECK(now.subscriptions[1].position == 3);
  CHECK(now.subscriptions[2].name == "r");
  CHECK(named().size() == 3);
  run(e, files, "drop table t");
  CHECK(files.descriptions().size() == 1);  // it has subscribers, who stay with the name
  CHECK(named().empty());
}
