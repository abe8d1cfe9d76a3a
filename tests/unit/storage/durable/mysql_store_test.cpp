// MySQL as a store, driven without a server around it. Run by tests/integration/mysql_store_test.py, which starts
// MariaDB and does what this asks for: "stop", "start", "pause", "resume", or SQL whose rows it answers in one line.

#include "storage/durable/mysql_store.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/durable/sqlite_store.hpp"
#include "storage/statement_log.hpp"
#include "tests/unit/scratch_directory.hpp"

using namespace pubsubsql;
using namespace pubsubsql::storage;
using namespace pubsubsql::storage::durable;

namespace {

std::string ask(const std::string& what) {
  std::cout << what << std::endl;
  std::string answer;
  std::getline(std::cin, answer);
  return answer;
}

/// A database of its own, and a data directory that goes with it.
struct place {
  std::string url = ask("database");
  test::scratch_directory directory;
  const std::string& path = directory.path();

  /// Rows as a|b, with ; between.
  [[nodiscard]] static std::string sql(const std::string& statement) { return ask("sql " + statement); }
};

using kept = std::shared_ptr<const statement_changes>;

/// A table as an engine would have it.
class driver {
 public:
  explicit driver(const table_description& d) : declared_(d), table_(d) {}

  kept create() {
    log_.begin();
    log_.created(table_, &declared_);
    return keep();
  }
  kept add_column(std::string_view name, const column_facts* facts = nullptr) {
    log_.begin();
    static_cast<void>(log_.add_column(table_, name, facts));
    return keep();
  }
  kept insert(const std::vector<value>& values) {
    log_.begin();
    assigned_.clear();
    for (column_index c = 1; c < values.size(); ++c) {
      if (!table_.is_dropped(c)) assigned_.push_back(c);
    }
    log_.insert(table_, parser::queue_end::back, values, assigned_);
    return keep();
  }
  kept update(row_number row, const std::vector<value>& values, std::vector<column_index> assigned) {
    log_.begin();
    assigned_ = std::move(assigned);
    log_.update(table_, row, values, assigned_);
    return keep();
  }
  kept erase(row_number row) {
    log_.begin();
    log_.erase(table_, row);
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
  [[nodiscard]] table& state() { return table_; }

 private:
  kept keep() { return std::make_shared<const statement_changes>(table_, log_.changes()); }

  table_description declared_;
  table table_;
  statement_log log_;
  std::vector<column_index> assigned_;
};

/// Stores as a server without workers has them.
class stores {
 public:
  explicit stores(const place& at, bool with_data, unsigned lanes = 4, bool slow_to_return = false) {
    if (with_data) {
      sqlite_ = std::make_unique<sqlite_store>(at.path, sqlite_store::settings{.always_retry = true});
    }
    mysql_store::settings s;
    s.lane.address = *parse_mysql_address(at.url);
    s.lane.retry_first = std::chrono::milliseconds(50);
    s.lane.retry_last = std::chrono::milliseconds(200);
    s.lanes = lanes;
    if (slow_to_return) {
      // What MySQL has been sent is done before the lane comes back and looks.
      s.lane.connection.answer_timeout = std::chrono::seconds(1);
      s.lane.retry_first = std::chrono::seconds(3);
      s.lane.retry_last = std::chrono::seconds(3);
    }
    mysql_ = std::make_unique<mysql_store>(std::move(s), sqlite_.get());
    if (sqlite_ != nullptr) {
      for (const table_description& d : sqlite_->files().descriptions()) mysql_->set_columns(d);
    }
    try {
      mysql_->connect();
    } catch (const mysql_error& e) {
      if (sqlite_ == nullptr || !e.is_outage()) throw;
    }
    const result_handler take = [this](unsigned, std::vector<write_result>& results) {
      const std::scoped_lock lock(mutex_);
      for (write_result& r : results) results_.push_back(std::move(r));
      changed_.notify_all();
    };
    if (sqlite_ != nullptr) sqlite_->start(take);
    mysql_->start(take, [this](kept, const corrected_rows& rows) {
      const std::scoped_lock lock(mutex_);
      corrected_ += rows.size();
    });
  }
  ~stores() {
    mysql_->stop();
    if (sqlite_ != nullptr) sqlite_->stop();
  }
  stores(const stores&) = delete;
  stores& operator=(const stores&) = delete;

  /// Submits and does not wait.
  std::uint64_t send(change_group g, bool awaited = true) {
    durable::write w;
    if (g.size() == 1) {
      w.changes = std::move(g.front());
    } else {
      w.group = std::make_shared<const change_group>(std::move(g));
    }
    w.awaited = awaited;
    w.origin.ticket = ++ticket_;
    w.origin.queue = static_cast<std::uint32_t>(ticket_);
    w.epoch = static_cast<std::uint32_t>(ticket_);
    std::vector<durable::write> writes;
    writes.push_back(std::move(w));
    mysql_->submit(writes);
    return ticket_;
  }
  /// "committed", or the error.
  std::string result(std::uint64_t ticket) {
    std::unique_lock lock(mutex_);
    std::string text = "nothing";
    changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      for (const write_result& r : results_) {
        if (r.origin.ticket != ticket) continue;
        text = r.what == write_result::fate::committed   ? "committed"
               : r.what == write_result::fate::corrected ? "corrected"
                                                         : std::to_string(r.error.code);
        return true;
      }
      return false;
    });
    return text;
  }
  std::string commit(change_group g) { return result(send(std::move(g))); }
  void wait_until_delivered() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      const bool done = mysql_->current().online && mysql_->current().waiting_changes == 0 &&
                        (sqlite_ == nullptr || (sqlite_->queued_writes() == 0 && sqlite_->journalled() == 0));
      if (done) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL("not delivered: " << mysql_->current().last_error << " " << mysql_->current().blocked);
  }
  void wait_until_offline() {
    while (mysql_->current().online) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  [[nodiscard]] mysql_store& mysql() { return *mysql_; }
  [[nodiscard]] sqlite_store& sqlite() { return *sqlite_; }

 private:
  std::unique_ptr<sqlite_store> sqlite_;
  std::unique_ptr<mysql_store> mysql_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<write_result> results_;
  std::size_t corrected_ = 0;
  std::uint64_t ticket_ = 0;
};

column_facts type(std::string name, bool nullable = true) {
  return {.type = std::move(name), .nullable = nullable, .default_text = {}, .extra = {}};
}

table_description orders(std::string name = "orders") {
  table_description d{.name = std::move(name),
                      .columns = {{.name = "ticker", .index = index_kind::key, .facts = type("varchar(8)", false)},
                                  {.name = "price", .facts = type("decimal(10,2)")},
                                  {.name = "day", .facts = type("date")},
                                  {.name = "note"}},
                      .indexes = {{.name = "by_day", .columns = {3, 2}},
                                  {.name = "once", .columns = {1, 3}, .type = parser::index_type::unique}},
                      .primary_column = 1,
                      .next_id = 1,
                      .declared = true};
  d.columns[1].facts->default_text = "1.50";
  return d;
}

table_description plain(std::string name) {
  return {.name = std::move(name), .columns = {{.name = "x", .facts = type("varchar(20)")}}, .declared = true};
}

struct catching_loader : table_loader {
  std::optional<std::string> on_table(const table_description& d) override {
    all.push_back(d);
    return std::nullopt;
  }
  std::optional<std::string> on_row(row_position, std::span<const value>) override {
    ++rows;
    return std::nullopt;
  }
  std::vector<table_description> all;
  std::size_t rows = 0;
};

}  // namespace

TEST_CASE("a declared table has its types and indexes in MySQL, and its rows are told by its primary key") {
  const place at;
  driver d(orders());
  {
    stores s(at, false);
    CHECK(s.commit({d.create()}) == "committed");
    CHECK(place::sql("select column_name, column_type, is_nullable, column_default, column_key from "
                     "information_schema.columns where table_schema = database() and table_name = 'orders' order by "
                     "ordinal_position") ==
          "ticker|varchar(8)|NO|NULL|PRI;price|decimal(10,2)|YES|1.50|;day|date|YES|NULL|MUL;note|longtext|YES|NULL|");
    CHECK(place::sql("select index_name, group_concat(column_name order by seq_in_index), max(non_unique) from "
                     "information_schema.statistics where table_schema = database() and table_name = 'orders' group by "
                     "index_name order by index_name") == "by_day|day,price|1;once|ticker,day|0;PRIMARY|ticker|0");
    CHECK(s.commit({d.insert({{}, "IBM", "2.00", "2026-01-01", "x"})}) == "committed");
    CHECK(s.commit({d.insert({{}, "HP", "3.00", {}, {}})}) == "committed");
    CHECK(s.commit({d.update(0, {{}, "IBM", "9.00", "2026-01-01", "y"}, {2, 4})}) == "committed");
    CHECK(s.commit({d.erase(1)}) == "committed");
    CHECK(place::sql("select * from orders") == "IBM|9.00|2026-01-01|y");
    // Somebody else put a row there.
    CHECK(place::sql("insert into orders (ticker) values ('SUN')").empty());
    CHECK(s.commit({d.insert({{}, "SUN", {}, {}, {}})}) == "1062");
  }
  stores again(at, false);
  catching_loader loaded;
  again.mysql().load(loaded);
  REQUIRE(loaded.all.size() == 1);
  const table_description& back = loaded.all.front();
  CHECK(back.declared);
  std::vector<index_description> indexes = orders().indexes;
  indexes.insert(indexes.begin(), {.name = "PRIMARY", .columns = {1}, .type = parser::index_type::primary});
  CHECK(back.indexes == indexes);
  CHECK(back.columns[0].facts->type == "varchar(8)");
  CHECK(back.columns[0].index == index_kind::none);
  CHECK(!back.columns[3].facts);
}

TEST_CASE("columns, indexes and tables come and go in MySQL") {
  const place at;
  driver d(orders());
  stores s(at, false);
  CHECK(s.commit({d.create()}) == "committed");
  CHECK(s.commit({d.insert({{}, "IBM", "2.00", "2026-01-01", "x"})}) == "committed");
  const column_facts facts{
      .type = "enum('a','b')", .nullable = false, .default_text = "b", .extra = {}, .untyped = false};
  CHECK(s.commit({d.add_column("kind", &facts)}) == "committed");
  CHECK(place::sql("select kind from orders") == "b");
  CHECK(s.commit({d.drop_column(4)}) == "committed");
  CHECK(s.commit({d.add_column("note", nullptr)}) == "committed");
  CHECK(s.commit({d.insert({{}, "HP", "3.00", {}, {}, "a", "new"})}) == "committed");
  CHECK(s.commit({d.update(0, {{}, "IBM", "2.00", "2026-01-01", {}, "a", "late"}, {5, 6})}) == "committed");
  CHECK(place::sql("select ticker, kind, note from orders order by ticker") == "HP|a|new;IBM|a|late");
  CHECK(s.commit({d.add_index({.name = "by_kind", .columns = {5, 6}})}) == "committed");
  CHECK(s.commit({d.drop_index("by_day")}) == "committed");
  CHECK(place::sql("select distinct index_name from information_schema.statistics where table_schema = database() and "
                   "table_name = 'orders' order by 1") == "by_kind;once;PRIMARY");
  CHECK(s.commit({d.drop()}) == "committed");
  CHECK(place::sql("show tables like 'orders'").empty());
  CHECK(place::sql("select count(*) from pubsubsql_tables") == "0");
  driver anew(plain("orders"));
  CHECK(s.commit({anew.create()}) == "committed");
  CHECK(s.commit({anew.insert({{}, "1"})}) == "committed");
  CHECK(place::sql("select * from orders") == "0|1");
}

TEST_CASE("adopted tables bring their indexes over several columns") {
  const place at;
  CHECK(place::sql("create table a (y int, x int, z varchar(9), primary key (x, y), unique key u (z, y), key p (z(3), "
                   "x), key one (z))")
            .empty());
  CHECK(place::sql("create table b (x int, id bigint primary key, z int, key i (z, id), unique key u (x, z))").empty());
  stores s(at, false);
  catching_loader loaded;
  s.mysql().load(loaded);
  REQUIRE(loaded.all.size() == 2);
  using parser::index_type;
  CHECK(loaded.all[0].indexes ==
        std::vector<index_description>{{.name = "PRIMARY", .columns = {2, 1}, .type = index_type::primary},
                                       {.name = "p", .columns = {3, 2}},
                                       {.name = "u", .columns = {3, 1}, .type = index_type::unique}});
  CHECK(loaded.all[1].indexes ==
        std::vector<index_description>{{.name = "i", .columns = {2, id_column}},
                                       {.name = "u", .columns = {1, 2}, .type = index_type::unique}});
  CHECK_FALSE(loaded.all[0].declared);
  // Their rows are told by the whole key.
  driver d(loaded.all[0]);
  CHECK(s.commit({d.insert({{}, "1", "2", "a"})}) == "committed");
  CHECK(s.commit({d.insert({{}, "2", "2", "b"})}) == "committed");
  CHECK(s.commit({d.update(0, {{}, "1", "2", "c"}, {3})}) == "committed");
  CHECK(s.commit({d.erase(1)}) == "committed");
  CHECK(place::sql("select y, x, z from a") == "1|2|c");
}

TEST_CASE("a declared table of memory is made in MySQL as it is, and brought up to date there") {
  const place at;
  driver d(orders());
  static_cast<void>(d.create());
  const column_facts number = type("int(11)");
  static_cast<void>(d.insert({{}, "IBM", "2.00", "2026-01-01", "x"}));
  static_cast<void>(d.drop_column(4));
  static_cast<void>(d.add_column("volume", &number));
  static_cast<void>(d.insert({{}, "HP", "3.00", {}, {}, "7"}));
  stores s(at, false);
  static_cast<void>(s.mysql().overwrite(d.state(), false));
  CHECK(place::sql("select ticker, price, volume from orders order by ticker") == "HP|3.00|7;IBM|2.00|NULL");
  CHECK(s.mysql().is_same(d.state()));
  static_cast<void>(d.add_column("more", &number));
  static_cast<void>(d.update(0, {{}, "IBM", "2.50", "2026-01-01", {}, "8", "9"}, {2, 5, 6}));
  static_cast<void>(d.add_index({.name = "by_more", .columns = {6, 5}}));
  static_cast<void>(s.mysql().overwrite(d.state(), false));
  CHECK(place::sql("select ticker, price, volume, more from orders order by ticker") == "HP|3.00|7|NULL;IBM|2.50|8|9");
  CHECK(place::sql("select distinct index_name from information_schema.statistics where table_schema = database() and "
                   "table_name = 'orders' order by 1") == "by_day;by_more;once;PRIMARY");
  const mysql_store::comparison c = s.mysql().compare_with(d.state());
  CHECK(c.differences.size() == 0);
  CHECK(c.description.columns.size() == 6);
  CHECK(c.description.columns[3].dropped);
}

TEST_CASE("what MySQL refuses of a schema fails the statement and leaves nothing") {
  const place at;
  stores s(at, true);
  table_description wrong = orders("wrong");
  wrong.columns[1].facts->type = "decimal(99,2)";
  driver w(wrong);
  CHECK(s.commit({w.create()}) == "1426");
  table_description nameless = plain("nameless");
  nameless.hides_id = true;
  driver n(nameless);
  CHECK(s.commit({n.create()}) == "1173");
  driver d(orders());
  CHECK(s.commit({d.create()}) == "committed");
  CHECK(place::sql("insert into orders (ticker, price) values ('A', 1), ('B', 1)").empty());
  CHECK(s.commit({d.add_index({.name = "by_price", .columns = {2}, .type = parser::index_type::unique})}) == "1062");
  CHECK(place::sql("show tables") == "orders;pubsubsql_fronts;pubsubsql_tables");
  s.wait_until_delivered();
}

TEST_CASE("a transaction over tables of several lanes is one in MySQL") {
  const place at;
  std::vector<std::unique_ptr<driver>> tables;
  stores s(at, false, 4);
  for (int i = 0; i < 8; ++i) {
    tables.push_back(std::make_unique<driver>(plain("t" + std::to_string(i))));
    REQUIRE(s.commit({tables.back()->create()}) == "committed");
  }
  // Writes nobody waits for are on their way in all lanes.
  for (int round = 0; round < 200; ++round) {
    for (const auto& t : tables) s.send({t->insert({{}, std::to_string(round)})}, false);
  }
  change_group all;
  for (const auto& t : tables) {
    all.push_back(t->update(0, {{}, "changed"}, {1}));
    all.push_back(t->insert({{}, "of the transaction"}));
  }
  CHECK(s.commit(all) == "committed");
  for (const auto& t : tables) {
    CHECK(place::sql("select count(*), max(id), (select x from " + std::string(t->state().name()) +
                     " where id = 0) from " + std::string(t->state().name())) == "201|200|changed");
  }
  CHECK(place::sql("select count(distinct sequence) from pubsubsql_tables") == "1");
  // A part is refused: the whole is, with its error.
  CHECK(place::sql("alter table t7 add constraint small check (x <> 'bad')").empty());
  CHECK(s.commit({tables[0]->insert({{}, "never"}), tables[7]->insert({{}, "bad"})}) == "4025");
  CHECK(place::sql("select count(*) from t0 where x = 'never'") == "0");
  CHECK(s.commit({tables[1]->insert({{}, "after"}), tables[2]->insert({{}, "after"})}) == "committed");
  CHECK(place::sql("select count(*) from t1 where x = 'after'") == "1");
}

TEST_CASE("while MySQL is away, schemas and transactions wait in the journal, in order") {
  const place at;
  driver d(orders());
  driver t1(plain("t1"));
  driver t2(plain("t2"));
  driver gone(plain("gone"));
  const column_facts number = type("int(11)");
  {
    stores s(at, true);
    for (driver* each : {&d, &t1, &t2, &gone}) REQUIRE(s.commit({each->create()}) == "committed");
    REQUIRE(s.commit({d.insert({{}, "IBM", "2.00", {}, "x"})}) == "committed");
    REQUIRE(s.commit({gone.insert({{}, "1"})}) == "committed");
    s.wait_until_delivered();
    CHECK(ask("stop") == "stopped");
    s.wait_until_offline();
    CHECK(s.commit({t2.insert({{}, "before"})}) == "committed");
    CHECK(s.commit({t1.insert({{}, "1"}), t2.insert({{}, "1"}), d.insert({{}, "HP", "3.00", {}, {}})}) == "committed");
    CHECK(s.commit({t2.insert({{}, "after"})}) == "committed");
    CHECK(s.commit({d.drop_column(4)}) == "committed");
    CHECK(s.commit({d.add_column("volume", &number)}) == "committed");
    CHECK(s.commit({d.insert({{}, "SUN", "4.00", {}, {}, "7"})}) == "committed");
    CHECK(s.commit({gone.insert({{}, "2"})}) == "committed");
    CHECK(s.commit({gone.drop()}) == "committed");
    driver anew(orders("gone"));
    CHECK(s.commit({anew.create()}) == "committed");
    CHECK(s.commit({anew.insert({{}, "IBM", "2.00", {}, {}})}) == "committed");
    SUBCASE("the same server delivers it") {
      CHECK(ask("start") == "started");
      s.wait_until_delivered();
    }
    SUBCASE("the next server delivers it") {}
  }
  if (ask("running") == "no") CHECK(ask("start") == "started");
  stores s(at, true);
  s.wait_until_delivered();
  CHECK(place::sql("select x from t1 order by id") == "1");
  CHECK(place::sql("select x from t2 order by id") == "before;1;after");
  CHECK(place::sql("select ticker, price, volume from orders order by ticker") ==
        "HP|3.00|NULL;IBM|2.00|NULL;SUN|4.00|7");
  CHECK(place::sql("select column_name from information_schema.columns where table_schema = database() and table_name "
                   "= 'orders' order by ordinal_position") == "ticker;price;day;volume");
  CHECK(place::sql("select ticker, price from gone") == "IBM|2.00");
  CHECK(s.sqlite().files().refused_size() == 0);
}

TEST_CASE("without a journal a transaction is refused while MySQL is away, and others wait in order") {
  const place at;
  stores s(at, false, 4);
  std::vector<std::unique_ptr<driver>> tables;
  for (int i = 0; i < 4; ++i) {
    tables.push_back(std::make_unique<driver>(plain("t" + std::to_string(i))));
    REQUIRE(s.commit({tables.back()->create()}) == "committed");
  }
  CHECK(ask("stop") == "stopped");
  s.wait_until_offline();
  for (const auto& t : tables) s.send({t->insert({{}, "first"})}, false);
  change_group all;
  for (const auto& t : tables) all.push_back(t->insert({{}, "together"}));
  s.send(all, false);
  for (const auto& t : tables) s.send({t->insert({{}, "last"})}, false);
  CHECK(ask("start") == "started");
  s.wait_until_delivered();
  for (const auto& t : tables) {
    std::string rows;
    for (int i = 0; i < 1000 && rows != "first;together;last"; ++i) {
      rows = place::sql("select x from " + std::string(t->state().name()) + " order by id");
    }
    CHECK(rows == "first;together;last");
  }
}

TEST_CASE("a transaction that brings tables and columns leaves nothing of them when it is refused") {
  const place at;
  driver typed(plain("typed"));
  stores s(at, true);
  REQUIRE(s.commit({typed.create()}) == "committed");
  CHECK(place::sql("alter table typed add constraint small check (x <> 'bad')").empty());
  driver made(orders("made"));
  const kept create = made.create();
  const kept insert = made.insert({{}, "IBM", {}, {}, {}});
  const kept column = typed.add_column("y");
  CHECK(s.commit({create, insert, column, typed.insert({{}, "bad", "1"})}) == "4025");
  CHECK(place::sql("show tables") == "pubsubsql_fronts;pubsubsql_tables;typed");
  CHECK(place::sql("select count(*) from information_schema.columns where table_schema = database() and table_name = "
                   "'typed'") == "2");
  CHECK(s.commit({create, insert, column, typed.insert({{}, "good", "1"})}) == "committed");
  CHECK(place::sql("select ticker, typed.x, y from made, typed") == "IBM|good|1");
  s.wait_until_delivered();
}

TEST_CASE("a table that MySQL does not let go stays with its rows") {
  const place at;
  driver d(plain("parent"));
  stores s(at, false);
  REQUIRE(s.commit({d.create()}) == "committed");
  REQUIRE(s.commit({d.insert({{}, "1"})}) == "committed");
  CHECK(place::sql("create table child (p bigint, foreign key (p) references parent (id))").empty());
  CHECK(s.commit({d.drop()}) == "1451");
  CHECK(place::sql("select * from parent") == "0|1");
  CHECK(place::sql("select count(*) from pubsubsql_tables") == "1");
}

TEST_CASE("what got through although its statement was answered with an error is taken back") {
  const place at;
  driver d(orders());
  driver t1(plain("t1"));
  driver t2(plain("t2"));
  stores s(at, false, 4, true);
  for (driver* each : {&d, &t1, &t2}) REQUIRE(s.commit({each->create()}) == "committed");
  REQUIRE(s.commit({d.insert({{}, "IBM", "2.00", {}, "x"})}) == "committed");
  REQUIRE(s.commit({t1.insert({{}, "1"}), t2.insert({{}, "1"})}) == "committed");
  kept lost;
  SUBCASE("a dropped table") {
    lost = d.drop();
  }
  SUBCASE("a dropped index") {
    lost = d.drop_index("by_day");
  }
  SUBCASE("a new index") {
    lost = d.add_index({.name = "more", .columns = {2}});
  }
  SUBCASE("a dropped column") {
    lost = d.drop_column(4);
  }
  SUBCASE("a new column") {
    lost = d.add_column("more");
  }
  const bool is_column_dropped = lost->changes().front().kind == change_kind::drop_column;
  CHECK(ask("pause") == "paused");
  const std::uint64_t ticket = s.send({lost});
  CHECK(s.result(ticket) != "committed");
  CHECK(ask("resume") == "resumed");
  s.wait_until_offline();
  s.wait_until_delivered();
  CHECK(place::sql("select ticker, price, day, note from orders") ==
        (is_column_dropped ? "IBM|2.00|NULL|NULL" : "IBM|2.00|NULL|x"));
  CHECK(place::sql("select distinct index_name from information_schema.statistics where table_schema = database() and "
                   "table_name = 'orders' order by 1") == "by_day;once;PRIMARY");
  CHECK(place::sql("select count(*) from information_schema.columns where table_schema = database() and table_name = "
                   "'orders'") == "4");
}
