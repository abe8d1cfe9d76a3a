// Changes of tables, columns and indexes, and transactions: as bytes, and in the data directory.

#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/durable/change_group.hpp"
#include "storage/durable/sqlite_files.hpp"
#include "storage/durable/sqlite_store.hpp"
#include "storage/statement_log.hpp"
#include "tests/unit/scratch_directory.hpp"

using namespace pubsubsql;
using namespace pubsubsql::storage;
using namespace pubsubsql::storage::durable;

namespace {

using test::scratch_directory;
using kept = std::shared_ptr<const statement_changes>;

/// A table, and what statements did to it.
class driver {
 public:
  explicit driver(const table_description& d) : declared_(d), table_(d) {}

  kept create() {
    log_.begin();
    log_.created(table_, &declared_);
    return keep();
  }
  kept insert(const std::vector<value>& values) {
    log_.begin();
    assigned_.clear();
    for (column_index c = 1; c < values.size(); ++c) assigned_.push_back(c);
    log_.insert(table_, parser::queue_end::back, values, assigned_);
    return keep();
  }
  kept add_column(std::string_view name, const column_facts* facts) {
    log_.begin();
    static_cast<void>(log_.add_column(table_, name, facts));
    return keep();
  }
  kept drop_column(column_index column) {
    log_.begin();
    log_.drop_column(table_, column);
    return keep();
  }
  kept add_index(index_description index) {
    log_.begin();
    REQUIRE_FALSE(log_.add_ordered_index(table_, std::move(index)));
    return keep();
  }
  kept drop_index(std::string_view name) {
    log_.begin();
    log_.drop_ordered_index(table_, *table_.find_ordered_index(name));
    return keep();
  }
  kept drop() {
    log_.begin();
    std::vector<row_number> rows;
    table_.find_all(rows);
    for (const row_number row : rows) log_.erase(table_, row);
    log_.dropped(table_);
    return keep();
  }
  [[nodiscard]] const table& state() const { return table_; }

 private:
  kept keep() { return std::make_shared<const statement_changes>(table_, log_.changes()); }

  table_description declared_;
  table table_;
  statement_log log_;
  std::vector<column_index> assigned_;
};

table_description orders(std::string name = "orders") {
  return {
      .name = std::move(name),
      .columns = {{.name = "ticker",
                   .index = index_kind::key,
                   .facts = column_facts{.type = "varchar(8)", .nullable = false, .default_text = {}, .extra = {}}},
                  {.name = "price",
                   .facts = column_facts{.type = "decimal(10,2)", .default_text = "1.50", .extra = {}}},
                  {.name = "day", .facts = column_facts{.type = "date", .default_text = {}, .extra = {}}},
                  {.name = "note"}},
      .indexes = {{.name = "by_day", .columns = {3, 2}},
                  {.name = "once", .columns = {1, 3}, .type = parser::index_type::unique}},
      .primary_column = 1,
      .next_id = 1,
      .declared = true,
      .id_facts = column_facts{.type = "int(11)", .nullable = false, .default_text = {}, .extra = "auto_increment"}};
}

class description_loader : public table_loader {
 public:
  std::optional<std::string> on_table(const table_description& d) override {
    all.push_back(d);
    return std::nullopt;
  }
  std::optional<std::string> on_row(row_position position, std::span<const value> values) override {
    std::string row = std::to_string(position);
    for (std::size_t i = 1; i < values.size(); ++i) row += "," + std::string(values[i].value_or("null"));
    rows.push_back(row);
    return std::nullopt;
  }
  std::vector<table_description> all;
  std::vector<std::string> rows;
};

description_loader loaded(const std::string& path) {
  sqlite_files files(path);
  description_loader all;
  files.load(all);
  return all;
}

void commit(sqlite_files& files, const kept& s) {
  files.begin();
  files.apply(*s);
  files.commit();
}

kept coded(const kept& s) {
  std::string bytes;
  s->encode(bytes);
  auto again = statement_changes::decode(bytes);
  REQUIRE(again != nullptr);
  std::string twice;
  again->encode(twice);
  CHECK(twice == bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(statement_changes::decode(std::string_view(bytes).substr(0, size)) == nullptr);
  }
  return again;
}

}  // namespace

TEST_CASE("schema changes: a declared table, types and dropped things survive being kept and encoded") {
  driver d(orders());
  const kept created = coded(d.create());
  REQUIRE(created->changes().front().declared != nullptr);
  CHECK(*created->changes().front().declared == orders());

  const column_facts facts{.type = "enum('a','b')", .nullable = false, .default_text = "a", .extra = {}};
  const kept added = coded(d.add_column("kind", &facts));
  REQUIRE(added->changes().front().facts != nullptr);
  CHECK(*added->changes().front().facts == facts);
  CHECK(coded(d.add_column("plain", nullptr))->changes().front().facts == nullptr);

  const kept index_dropped = coded(d.drop_index("by_day"));
  CHECK(index_dropped->changes().front().name == "by_day");
  CHECK(std::vector<column_index>(index_dropped->changes().front().assigned.begin(),
                                  index_dropped->changes().front().assigned.end()) == std::vector<column_index>{3, 2});

  const kept dropped = coded(d.drop_column(5));
  CHECK(dropped->changes().front().name == "kind");
  REQUIRE(dropped->changes().front().facts != nullptr);
  CHECK(*dropped->changes().front().facts == facts);

  static_cast<void>(d.insert({{}, "IBM", "1.50", "2026-01-01", {}}));
  const kept gone = coded(d.drop());
  CHECK(gone->drops_table());
  CHECK(gone->changes_schema());
  REQUIRE(gone->changes().back().declared != nullptr);
  const table_description& was = *gone->changes().back().declared;
  REQUIRE(was.columns.size() == 6);
  CHECK(was.columns[4].dropped);
  CHECK(was.indexes.size() == 1);
  CHECK(was.declared);
}

TEST_CASE("schema changes: what has no types is written as earlier versions wrote it") {
  driver d({.name = "t", .columns = {{.name = "a"}}});
  std::string bytes;
  d.insert({{}, "x"})->encode(bytes);
  CHECK(bytes.starts_with(std::string_view("\1\0\0\0t", 5)));
  const change_group one{statement_changes::decode(bytes)};
  std::string group;
  encode(one, group);
  CHECK(group == bytes);
}

TEST_CASE("transactions: a group is one record") {
  driver a(orders("a"));
  driver b({.name = "b", .columns = {{.name = "x"}}});
  const change_group g{a.insert({{}, "IBM", "2", {}, {}}), b.insert({{}, "1"}), a.insert({{}, "HP", "3", {}, {}})};
  CHECK(tables_of(g) == std::vector<std::string_view>{"a", "b"});
  CHECK(table_names(g) == "a, b");
  std::string bytes;
  encode(g, bytes);
  const change_group again = decode_group(bytes);
  REQUIRE(again.size() == 3);
  std::string twice;
  encode(again, twice);
  CHECK(twice == bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(decode_group(std::string_view(bytes).substr(0, size)).empty());
  }
  CHECK(decode_group(bytes + '\0').empty());
}

TEST_CASE("sqlite files: declared tables, types, indexes and dropped columns come back") {
  const scratch_directory at;
  driver d(orders());
  const column_facts facts{.type = "bigint(20)", .default_text = {}, .extra = {}};
  {
    sqlite_files files(at.path());
    commit(files, d.create());
    CHECK(files.descriptions() == std::vector{d.state().description()});
    commit(files, d.insert({{}, "IBM", "1.50", "2026-01-01", "x"}));
    for (const kept& s : {d.add_column("volume", &facts), d.add_column("plain", nullptr),
                          d.add_index({.name = "by_volume", .columns = {5, id_column}}), d.drop_index("by_day"),
                          d.drop_column(3 + 1), d.add_column("note", &facts)}) {
      commit(files, s);
    }
    CHECK(files.descriptions() == std::vector{d.state().description()});
  }
  const description_loader all = loaded(at.path());
  REQUIRE(all.all.size() == 1);
  CHECK(all.all.front() == d.state().description());
  CHECK(all.rows == std::vector<std::string>{"1,IBM,1.50,2026-01-01,x"});
  const table again(all.all.front());
  CHECK(again.description() == d.state().description());
  CHECK(again.find_column("note") == column_index{7});
  CHECK(again.is_declared());
}

TEST_CASE("sqlite files: a dropped table leaves nothing, and one of its name begins anew") {
  const scratch_directory at;
  driver d(orders());
  driver other({.name = "other", .columns = {{.name = "x"}}});
  sqlite_files files(at.path());
  commit(files, d.create());
  files.begin();
  files.replace_table({.name = "other", .columns = {{.name = "x"}}});
  files.commit();
  // In one transaction, with changes of another table before and after.
  files.begin();
  files.apply(*d.insert({{}, "IBM", "2", {}, {}}));
  files.apply(*other.insert({{}, "1"}));
  files.apply(*d.drop());
  files.apply(*other.insert({{}, "2"}));
  files.commit();
  CHECK(files.descriptions().size() == 1);
  CHECK(files.descriptions().front().sequence == other.state().sequence());
  driver anew(orders());
  commit(files, anew.create());
  CHECK(files.descriptions().back() == anew.state().description());
  sqlite_database raw(at.path() + "/pubsubsql.db");
  CHECK(raw.number("select count(*) from sqlite_master where name like 'rows_%'") == 2);
  CHECK(raw.number("select count(*) from columns") == 1 + 5);
}

TEST_CASE("sqlite files: the journal tells what it drops and which tables go together") {
  const scratch_directory at;
  driver a(orders("a"));
  driver b(orders("b"));
  sqlite_files files(at.path());
  files.begin();
  files.append_to_journal({a.create()});
  files.append_to_journal({a.insert({{}, "IBM", "2", {}, {}}), b.insert({{}, "IBM", "2", {}, {}})});
  files.append_to_journal({b.drop()});
  files.commit();
  CHECK(files.journalled_groups() == std::vector<std::vector<std::string>>{{"a", "b"}});
  const auto drops = files.journalled_drops();
  REQUIRE(drops.size() == 1);
  CHECK(drops.find("b")->second == 3);
  const auto entries = files.read_journal([](std::string_view table) { return table == "a"; }, SIZE_MAX, SIZE_MAX);
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].changes->size() == 2);
  files.begin();
  files.set_aside(entries[1], {.code = 1, .sqlstate = {}, .message = "x"});
  files.commit();
  sqlite_database raw(at.path() + "/pubsubsql.db");
  CHECK(raw.number("select count(*) from refused where table_name = 'a, b'") == 1);
}

TEST_CASE("sqlite files: a directory of the first version opens") {
  const scratch_directory at;
  driver d({.name = "t", .columns = {{.name = "a"}, {.name = "b"}}});
  {
    sqlite_files files(at.path());
    files.begin();
    files.replace_table(
        {.name = "t",
         .columns = {{.name = "a", .index = index_kind::key},
                     {.name = "b", .facts = column_facts{.type = "int(11)", .default_text = {}, .extra = {}}}},
         .next_id = 1,
         .sequence = 3});
    files.put_row("t", 0, std::vector<value>{{}, "x", "1"});
    files.append_to_journal({d.insert({{}, "y", "2"})});
    files.commit();
  }
  {
    sqlite_database raw(at.path() + "/pubsubsql.db");
    for (const char* sql :
         {"alter table rows_1 drop column sum", "alter table journal drop column sum", "drop index journal_drops",
          "alter table journal drop column drops", "drop table indexes", "alter table columns drop column untyped",
          "alter table columns drop column dropped", "alter table tables drop column primary_column",
          "alter table tables drop column declared", "drop table history", "drop table bindings",
          "drop table subscriptions", "alter table tables drop column history",
          "alter table tables drop column history_bytes", "alter table tables drop column history_seconds",
          "alter table tables drop column queue", "alter table tables drop column made_at",
          "alter table identity drop column numbers_used", "pragma user_version = 1"}) {
      raw.run(sql);
    }
  }
  for (int times = 0; times < 2; ++times) {
    const description_loader all = loaded(at.path());
    REQUIRE(all.all.size() == 1);
    CHECK(all.all.front().columns.size() == 2);
    CHECK(all.all.front().columns[0].index == index_kind::key);
    CHECK(all.all.front().columns[1].facts->type == "int(11)");
    CHECK_FALSE(all.all.front().declared);
    CHECK(all.rows == std::vector<std::string>{"0,x,1"});
  }
  sqlite_files files(at.path());
  CHECK(files.read_journal([](std::string_view) { return true; }, SIZE_MAX, SIZE_MAX).size() == 1);
  CHECK(files.journalled_drops().empty());
}

TEST_CASE("sqlite store: a transaction is committed whole, or refused whole with one result") {
  const scratch_directory at;
  driver a({.name = "a", .columns = {{.name = "x"}}});
  driver b({.name = "b", .columns = {{.name = "x"}}});
  std::vector<write_result> got;
  {
    sqlite_store store(at.path(), {.always_retry = false, .transaction_bytes_max = 1});
    store.files().begin();
    store.files().replace_table({.name = "a", .columns = {{.name = "x"}}});
    store.files().replace_table({.name = "b", .columns = {{.name = "x"}}});
    store.files().commit();
    driver twice({.name = "b", .columns = {{.name = "x"}}});
    store.start([&](unsigned, std::vector<write_result>& results) {
      for (write_result& r : results) got.push_back(std::move(r));
    });
    const auto group = [](change_group g) { return std::make_shared<const change_group>(std::move(g)); };
    std::vector<durable::write> writes;
    writes.push_back({.changes = {},
                      .group = group({a.insert({{}, "1"}), b.insert({{}, "1"})}),
                      .origin = {.worker = 0, .queue = 0, .ticket = 1}});
    writes.push_back({.changes = {},
                      .group = group({a.insert({{}, "never"}), twice.create()}),
                      .origin = {.worker = 0, .queue = 1, .ticket = 2}});
    writes.push_back({.changes = b.insert({{}, "2"}), .origin = {.worker = 0, .queue = 2, .ticket = 3}});
    store.submit(writes);
    store.stop();
  }
  REQUIRE(got.size() == 3);
  CHECK(got[0].what == write_result::fate::committed);
  CHECK(got[1].what == write_result::fate::refused);
  CHECK(got[2].what == write_result::fate::committed);
  CHECK(loaded(at.path()).rows == std::vector<std::string>{"0,1", "0,1", "1,2"});
}
