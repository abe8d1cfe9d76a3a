#include "server/mysql_service.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "server/reply_encoder.hpp"
#include "server/subscriber.hpp"
#include "server/table_runner.hpp"
#include "server/worker.hpp"
#include "storage/durable/mysql_copy.hpp"
#include "storage/durable/table_comparison.hpp"
#include "storage/errors.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

using namespace storage::durable;

namespace {

/// Differences that `mysql check` shows; how many there are it says in any case.
constexpr std::size_t shown_differences_max = 1'000;

constexpr std::string_view no_mysql = "no MySQL is connected; use mysql connect, or start the server with --mysql";

constexpr std::chrono::milliseconds look_for_stop_every{100};

/// How often the state is shown to those who subscribe to it, if it changes.
constexpr std::chrono::milliseconds show_every{500};

std::uint64_t whole_seconds(std::chrono::milliseconds t) {
  return static_cast<std::uint64_t>(t.count()) / 1'000;
}

std::uint64_t journalled(const store_numbers& n) {
  return n.sqlite ? n.sqlite->journalled : 0;
}

std::string describe_row(const storage::table& t, storage::row_view row) {
  if (t.shows_id()) return std::to_string(row.id());
  return std::string(row.at(1).value_or("NULL"));
}

storage::value to_value(const std::optional<std::string>& text) {
  return text ? storage::value{*text} : storage::value{};
}

/// The lines of a `mysql check`: what differs, in which row and column, here and there.
class difference_listing {
 public:
  static constexpr std::string_view columns[] = {"Difference", "Row", "Column", "Memory", "MySQL"};

  explicit difference_listing(const storage::table& t) : table_(t) {}

  void add(const storage::table_differences& d) {
    for (const storage::row_number row : d.only_here) {
      add_line("only in memory", describe_row(table_, table_.get(row)), std::nullopt, std::nullopt, std::nullopt);
    }
    for (const auto& row : d.only_outside) {
      const std::string id = d.ids_are_outside       ? std::to_string(storage::id_of(row.position))
                             : row.values.size() > 1 ? row.values[1].value_or("NULL")
                                                     : "";
      add_line("only in MySQL", id, std::nullopt, std::nullopt, std::nullopt);
    }
    for (const auto& row : d.different) {
      const storage::row_view here = table_.get(row.here);
      for (storage::column_index column = 1; column < table_.column_count(); ++column) {
        if (table_.is_dropped(column)) continue;
        const storage::value mine = here.at(column);
        const storage::value theirs = to_value(row.values[column]);
        if (mine == theirs) continue;
        add_line("different", describe_row(table_, here), table_.column_name(column), mine, theirs);
      }
    }
  }

  /// The last line says if there are more.
  void end(std::size_t rows) {
    if (!cut_short_) return;
    cells_.emplace_back("and more: " + std::to_string(rows) + " rows differ");
    cells_.resize(cells_.size() + std::size(columns) - 1);
  }

  [[nodiscard]] std::vector<storage::value> cells() const {
    std::vector<storage::value> cells;
    cells.reserve(cells_.size());
    for (const auto& cell : cells_) cells.push_back(to_value(cell));
    return cells;
  }

 private:
  void add_line(std::string_view what, const std::string& row, storage::value column, storage::value mine,
                storage::value theirs) {
    cut_short_ = cells_.size() >= shown_differences_max * std::size(columns);
    if (cut_short_) return;
    cells_.emplace_back(what);
    cells_.emplace_back(row);
    for (const storage::value& v : {column, mine, theirs})
      cells_.push_back(v ? std::optional<std::string>(*v) : std::nullopt);
  }

  const storage::table& table_;
  std::vector<std::optional<std::string>> cells_;
  bool cut_short_ = false;
};

}  // namespace

mysql_service::mysql_service(shared_state& shared, durable_stores& stores)
    : shared_(shared), stores_(stores), thread_([this] { run(); }) {}

mysql_service::~mysql_service() {
  stop();
}

void mysql_service::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void mysql_service::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait_for(lock, show_every, [this] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return;
    if (jobs_.empty()) {
      lock.unlock();
      show_state();
      lock.lock();
      continue;
    }
    const job j = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    j();
    lock.lock();
  }
}

/// For those who subscribe to it.
void mysql_service::show_state() {
  const store_numbers now = stores_.numbers();
  if (!now.mysql && shown_.empty()) return;  // there never was one
  const mysql_lane::status s = now.mysql.value_or(mysql_lane::status{});
  const std::vector<std::string> values = {s.online ? "1" : "0", std::to_string(now.mysql_lag_rows()),
                                           std::to_string(whole_seconds(s.lag)), std::to_string(journalled(now)),
                                           s.last_error};
  if (values == shown_) return;
  shown_ = values;
  static const storage::table_description table = {.name = std::string(storage::own_tables) + "mysql",
                                                   .columns = {{.name = "online"},
                                                               {.name = "lagrows"},
                                                               {.name = "lagseconds"},
                                                               {.name = "journalled"},
                                                               {.name = "lasterror"}},
                                                   .read_only_reason = "it shows the state of the server"};
  const auto owner = shared_.tables.find_or_place(table.name, 0);
  if (owner) on_table(*owner, [values](table_runner& runner) { runner.show(table, values); });
}

void mysql_service::enqueue(job j) {
  {
    const std::scoped_lock lock(mutex_);
    jobs_.push_back(std::move(j));
  }
  changed_.notify_one();
}

void mysql_service::answer(const reply_route& to, std::string bytes) {
  std::vector<worker_message> messages;
  messages.emplace_back(statement_done{.route = to, .count = 1, .bytes = std::move(bytes)});
  shared_.workers[subscriber::of(to.session).worker]->receive(messages);
}

void mysql_service::fail(const reply_route& to, std::string_view text) {
  std::string bytes;
  encode_error(bytes, to.address, text);
  answer(to, std::move(bytes));
}

void mysql_service::attempt(const reply_route& to, const job& j) {
  try {
    j();
  } catch (const mysql_error& e) {
    if (e.code() == 0) return fail(to, e.what());  // our own words
    std::string bytes;
    encode_store_error(bytes, to.address, {.code = e.code(), .sqlstate = e.sqlstate(), .message = e.what()});
    answer(to, std::move(bytes));
  } catch (const sqlite_error& e) {
    fail(to, std::string("the data directory cannot be written: ") + e.what());
  }
}

void mysql_service::on_table(unsigned owner, std::function<void(table_runner&)> work) {
  std::vector<worker_message> messages;
  messages.emplace_back(table_work{.work = std::move(work)});
  shared_.workers[owner]->receive(messages);
}

std::shared_ptr<mysql_store> mysql_service::mysql() const {
  auto connected = stores_.mysql();
  if (connected == nullptr) throw mysql_error(0, "HY000", std::string(no_mysql));
  return connected;
}

void mysql_service::encode_status(std::string& out, const reply_address& to) const {
  const std::shared_ptr<mysql_store> mysql = stores_.mysql();
  if (mysql == nullptr) {
    const std::pair<std::string_view, std::uint64_t> offline[] = {{"online", 0}};
    return encode_facts(out, to, "mysqlStatus", offline, {});
  }
  const store_numbers now = stores_.numbers();
  const mysql_lane::status s = now.mysql.value_or(mysql_lane::status{});  // it may be gone by now
  const std::string address = mysql->shown_address();
  const std::pair<std::string_view, std::uint64_t> numbers[] = {
      {"online", s.online ? 1 : 0},    {"lagrows", now.mysql_lag_rows()}, {"lagseconds", whole_seconds(s.lag)},
      {"journalled", journalled(now)}, {"transactions", s.transactions},  {"statements", s.statements},
      {"refused", s.refused},
  };
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"address", address},
      {"lasterror", s.last_error},
      {"lastrefusal", s.last_refusal},
      {"blocked", s.blocked},
  };
  encode_facts(out, to, "mysqlStatus", numbers, texts);
}

void mysql_service::list_tables(const reply_route& to) {
  enqueue([this, to] {
    attempt(to, [&] {
      mysql_connection c = connect_for("");
      std::vector<std::string> names;
      for (const mysql_table& t : read_tables(c, {})) names.push_back(t.name);
      std::string bytes;
      encode_names(bytes, to.address, "mysqlTables", "tables", names);
      answer(to, std::move(bytes));
    });
  });
}

/// A connection that sees all that has been asked of the table so far.
mysql_connection mysql_service::connect_for(const std::string& table) {
  if (!table.empty()) mysql()->lane_of(table).run([](mysql_connection&, mysql_catalog&) {});
  return mysql()->connect_another();
}

void mysql_service::with_table(const reply_route& to, const std::string& table, const sender& send,
                               std::function<void(const storage::table&)> work) {
  if (table.starts_with(storage::own_tables)) {
    return fail(to, "table " + table + " is the server's own: it has no counterpart in MySQL");
  }
  const auto owner = shared_.tables.find(table);
  if (!owner) return fail(to, storage::unknown_table(table).message);
  auto begin = [this, to, table, owner = *owner, work = std::move(work)](table_runner& runner) {
    runner.occupy(table, [this, to, table, owner, work, &runner] {
      const storage::table* const t = runner.tables().find(table);
      enqueue([this, to, table, owner, work, t] {
        attempt(to, [&] {
          if (t == nullptr) return fail(to, storage::unknown_table(table).message);
          if (!t->is_stored()) return fail(to, "queue " + table + " is not durable: it is in no store, nor in MySQL");
          work(*t);
        });
        on_table(owner, [table](table_runner& r) { r.release(table); });
      });
    });
  };
  send(*owner, table_work{.work = std::move(begin)});
}

// Connecting at run time

void mysql_service::on_table_now(unsigned owner, const std::function<void(table_runner&)>& work) {
  std::promise<void> done;
  on_table(owner, [&](table_runner& runner) {
    work(runner);
    done.set_value();
  });
  await(done.get_future());
}

/// Workers that have ended do nothing any more: then nothing more is done here either.
void mysql_service::await(std::future<void> done) {
  while (done.wait_for(look_for_stop_every) != std::future_status::ready) {
    const std::scoped_lock lock(mutex_);
    if (stopped_) throw mysql_error(0, "HY000", "the server stops");
  }
}

/// Transactions end before: one could wait for a table of a worker that is paused already, and keep others.
void mysql_service::end_transactions() {
  shared_.locks.close();
  while (!shared_.locks.wait_until_empty(look_for_stop_every)) {
    const std::scoped_lock lock(mutex_);
    if (stopped_) throw mysql_error(0, "HY000", "the server stops");
  }
}

void mysql_service::pause_all() {
  end_transactions();
  std::vector<std::promise<void>> paused(shared_.workers.size());
  for (unsigned worker = 0; worker < paused.size(); ++worker) {
    on_table(worker, [&, worker](table_runner& runner) { runner.pause([&, worker] { paused[worker].set_value(); }); });
  }
  for (std::promise<void>& p : paused) await(p.get_future());
}

void mysql_service::resume_all() {
  for (unsigned worker = 0; worker < shared_.workers.size(); ++worker) {
    on_table(worker, [](table_runner& runner) { runner.resume(); });
  }
  shared_.locks.open();
}

void mysql_service::connect(const reply_route& to, std::string address) {
  enqueue([this, to, address = std::move(address)] { attempt(to, [&] { connect_now(to, address); }); });
}

void mysql_service::connect_now(const reply_route& to, const std::string& address) {
  if (const auto connected = stores_.mysql()) {
    return fail(to, "MySQL at " + connected->shown_address() + " is connected; mysql disconnect first");
  }
  auto made = stores_.connect(address);
  if (!made) return fail(to, made.error());
  const std::string shown = (*made)->shown_address();
  pause_all();
  try {
    mysql_takeover(
        shared_, stores_, mirrored_,
        [this](unsigned owner, const std::function<void(table_runner&)>& work) { on_table_now(owner, work); },
        std::move(*made))
        .run();
  } catch (...) {
    resume_all();
    throw;
  }
  resume_all();
  spdlog::info("MySQL at {} is connected", shown);
  std::string bytes;
  encode_facts(bytes, to.address, "mysqlConnect", {}, {});
  answer(to, std::move(bytes));
}

void mysql_service::disconnect(const reply_route& to) {
  enqueue([this, to] {
    attempt(to, [&] {
      const std::shared_ptr<mysql_store> connected = mysql();
      pause_all();
      auto& mirrored = mirrored_[connected->shown_address()];
      mirrored.clear();
      for (worker* w : shared_.workers) {
        const storage::database& tables = w->statements().database();
        for (const storage::table_summary& t : tables.tables())
          mirrored.emplace(t.name, tables.find(t.name)->sequence());
      }
      stores_.drop_mysql();
      resume_all();
      // Workers may still look how full it is: it goes when each of them has come round.
      for (unsigned worker = 0; worker < shared_.workers.size(); ++worker) on_table_now(worker, [](table_runner&) {});
      spdlog::info("MySQL at {} is disconnected", connected->shown_address());
      std::string bytes;
      encode_facts(bytes, to.address, "mysqlDisconnect", {}, {});
      answer(to, std::move(bytes));
    });
  });
}

// One table

void mysql_service::check(const reply_route& to, std::string table, const sender& send) {
  with_table(to, table, send, [this, to](const storage::table& t) { check_now(to, t); });
}

void mysql_service::repair(const reply_route& to, std::string table, bool from_mysql, const sender& send) {
  with_table(to, table, send, [this, to, from_mysql](const storage::table& t) {
    if (from_mysql) {
      repair_memory_now(to, t);
    } else {
      repair_mysql_now(to, t);
    }
  });
}

namespace {

/// The table in MySQL with memory's order of columns.
const mysql_table& counterpart(mysql_connection& c, mysql_catalog& catalog, const storage::table& t) {
  catalog.set_columns(t.name(), column_names(t));
  const mysql_table& theirs = catalog.get(c, t.name());
  if (theirs.columns.size() + 1 < t.column_count()) {
    throw mysql_error(1054, "42S22", "table " + std::string(t.name()) + " has fewer columns in MySQL than in memory");
  }
  if (!theirs.own_id && theirs.address.empty()) {
    throw mysql_error(0, "HY000", "table " + std::string(t.name()) + " has no key in MySQL to compare its rows by");
  }
  return theirs;
}

}  // namespace

void mysql_service::check_now(const reply_route& to, const storage::table& t) {
  mysql_connection c = connect_for(std::string(t.name()));
  mysql_catalog catalog;
  const storage::table_differences d = compare(c, counterpart(c, catalog, t), t);
  difference_listing listing(t);
  listing.add(d);
  listing.end(d.size());
  std::string bytes;
  encode_listing(bytes, to.address, "mysqlCheck", difference_listing::columns, listing.cells());
  spdlog::info("mysql check {}: {} rows differ", t.name(), d.size());
  answer(to, std::move(bytes));
}

void mysql_service::repair_mysql_now(const reply_route& to, const storage::table& t) {
  mysql_connection c = connect_for(std::string(t.name()));
  mysql_catalog catalog;
  std::size_t corrected = 0;
  if (!read_table(c, t.name())) {
    mysql_positions positions(c, mysql()->origin());
    create_in_mysql(c, catalog, positions, t);
    corrected = t.row_count();
  } else {
    const mysql_table& theirs = counterpart(c, catalog, t);
    if (!theirs.read_only_reason.empty()) throw mysql_error(0, "HY000", theirs.read_only_reason);
    const storage::table_differences d = compare(c, theirs, t);
    c.run("ROLLBACK");
    corrected = d.size();
    if (!write_differences(c, catalog, t, d)) {
      // What MySQL made of the rows comes back.
      auto made = std::make_shared<const storage::table_differences>(compare(c, theirs, t));
      on_table(*shared_.tables.find(t.name()), [table = std::string(t.name()), made](table_runner& runner) {
        if (made->size() > 0) runner.repair({}, table, *made);
      });
    }
  }
  spdlog::info("mysql repair {}: {} rows corrected in MySQL", t.name(), corrected);
  std::string bytes;
  encode_count(bytes, to.address, "mysqlRepair", corrected);
  answer(to, std::move(bytes));
}

void mysql_service::repair_memory_now(const reply_route& to, const storage::table& t) {
  mysql_connection c = connect_for(std::string(t.name()));
  mysql_catalog catalog;
  auto d = std::make_shared<const storage::table_differences>(compare(c, counterpart(c, catalog, t), t));
  spdlog::info("mysql repair {} from mysql: {} rows corrected in memory", t.name(), d->size());
  on_table(*shared_.tables.find(t.name()),
           [to, table = std::string(t.name()), d](table_runner& runner) { runner.repair(to, table, *d); });
}

}  // namespace pubsubsql::server
