#include "server/durable_stores.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "server/server.hpp"
#include "server/worker.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::server {

using namespace storage::durable;
using storage::table_description;
using storage::value;

namespace {

/// Passes everything on. `to` outlives it.
class forwarding_loader : public table_loader {
 public:
  explicit forwarding_loader(table_loader& to) : to_(to) {}
  std::optional<std::string> on_table(const table_description& d) override { return to_.on_table(d); }
  std::optional<std::string> on_row(storage::row_position position, std::span<const value> values) override {
    return to_.on_row(position, values);
  }
  void on_changes_after(std::uint64_t position) override { to_.on_changes_after(position); }
  void on_change(const storage::past_change& c) override { to_.on_change(c); }
  void on_lost_change(std::uint64_t sequence) override { to_.on_lost_change(sequence); }

 protected:
  table_loader& to_;
};

/// Counts what it passes on.
class counting_loader : public forwarding_loader {
 public:
  using forwarding_loader::forwarding_loader;
  std::optional<std::string> on_table(const table_description& d) override {
    names.push_back(d.name);
    return to_.on_table(d);
  }
  std::optional<std::string> on_row(storage::row_position position, std::span<const value> values) override {
    ++rows;
    return to_.on_row(position, values);
  }

  std::vector<std::string> names;
  std::size_t rows = 0;
};

/// Passes everything on and makes the data directory hold the same.
class copying_loader : public forwarding_loader {
 public:
  copying_loader(table_loader& to, sqlite_files& copy) : forwarding_loader(to), copy_(copy) {}
  std::optional<std::string> on_table(const table_description& d) override {
    end_table();
    names.push_back(d.name);
    return to_.on_table(copy_.replace_table(d));
  }
  std::optional<std::string> on_row(storage::row_position position, std::span<const value> values) override {
    copy_.put_row(names.back(), position, values);
    return to_.on_row(position, values);
  }
  /// All rows of a table have come: what the data directory has kept of its changes follows.
  void end_table() {
    if (!names.empty()) copy_.load_history(names.back(), to_);
  }

  std::vector<std::string> names;

 private:
  sqlite_files& copy_;
};

/// Has numbers go on beyond those that were told of changes which no store has: where changes are acknowledged in
/// memory they may have been lost. A table that was never numbered begins now, as a new one does.
class continuing_loader : public forwarding_loader {
 public:
  /// `leaps`: whether MySQL has to find its numbers by their remainders, see sequence_leap. `from_mysql`: the rows are
  /// MySQL's, where others may have changed them: nobody's position is that of these rows.
  continuing_loader(table_loader& to, parser::ack_mode default_ack, bool leaps, bool from_mysql)
      : forwarding_loader(to), default_ack_(default_ack), leaps_(leaps), from_mysql_(from_mysql) {}
  std::optional<std::string> on_table(const table_description& d) override {
    const bool is_certain = !from_mysql_ && d.ack.value_or(default_ack_) == parser::ack_mode::committed;
    if (d.sequence > 0 && is_certain) return to_.on_table(d);
    table_description continued = d;
    const auto now_us = static_cast<std::uint64_t>(worker::read_clock());
    continued.numbers_after = std::max({d.numbers_after, d.sequence + 1, now_us});
    if (leaps_) {
      const std::uint64_t leaps = (continued.numbers_after - d.sequence + sequence_leap - 1) / sequence_leap;
      continued.numbers_after = d.sequence + leaps * sequence_leap;
    }
    return to_.on_table(continued);
  }

 private:
  parser::ack_mode default_ack_;
  bool leaps_;
  bool from_mysql_;
};

/// Numbers what comes after loading far beyond what MySQL may have got already, see sequence_leap, and has it looked at
/// later what MySQL has got.
class leaping_loader : public forwarding_loader {
 public:
  leaping_loader(table_loader& to, mysql_store& mysql) : forwarding_loader(to), mysql_(mysql) {}
  std::optional<std::string> on_table(const table_description& d) override {
    mysql_.verify(d);
    table_description leaping = d;
    leaping.numbers_after = std::max(d.numbers_after, d.sequence + sequence_leap);
    return to_.on_table(leaping);
  }

 private:
  mysql_store& mysql_;
};

continuing_loader continuing_to(server& s, const options& o, bool has_mysql, bool from_mysql) {
  return {s.loader(), o.ack.value_or(parser::ack_mode::committed), has_mysql, from_mysql};
}

/// Tells MySQL's side which tables the data directory has, and their columns.
void tell_columns(const sqlite_files& files, mysql_store& mysql) {
  for (const table_description& d : files.descriptions()) {
    mysql.take_also(d.name);
    mysql.set_columns(d);
  }
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (comma > 0) parts.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

long milliseconds_since(std::chrono::steady_clock::time_point began) {
  const auto took = std::chrono::steady_clock::now() - began;
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
}

}  // namespace

std::string two_tables(std::string_view table) {
  return "table " + std::string(table) +
         " is here and in MySQL with different rows, and it is not known which count; rename or empty one of the two";
}

durable_stores::~durable_stores() {
  stop();
}

std::optional<std::string> durable_stores::open() {
  if (auto problem = open_sqlite()) return problem;
  return open_mysql();
}

std::optional<std::string> durable_stores::open_sqlite() {
  if (options_.data_directory.empty()) return std::nullopt;
  try {
    sqlite_ = std::make_unique<sqlite_store>(options_.data_directory,
                                             sqlite_store::settings{.always_retry = !options_.mysql.empty()});
    return std::nullopt;
  } catch (const sqlite_error& e) {
    return "cannot use --data " + options_.data_directory + ": " + e.what();
  }
}

std::optional<std::string> durable_stores::open_mysql() {
  if (options_.mysql.empty()) return std::nullopt;
  auto made = make_mysql(options_.mysql);
  if (!made) return "--mysql: " + made.error();
  mysql_ = std::move(*made);
  return std::nullopt;
}

result<std::unique_ptr<mysql_store>, std::string> durable_stores::make_mysql(const std::string& text) const {
  auto address = parse_mysql_address(text);
  if (!address) return address.error();
  if (const char* password = std::getenv("PUBSUBSQL_MYSQL_PASSWORD");
      password != nullptr && address->password.empty()) {
    address->password = password;
  }
  const std::chrono::milliseconds timeout(options_.mysql_timeout_ms);
  mysql_store::settings s;
  s.lane.address = *address;
  s.lane.connection.answer_timeout = timeout;
  s.lane.connection.connect_timeout = std::min(s.lane.connection.connect_timeout, timeout);
  s.lanes = options_.mysql_connections;
  s.tables = split(options_.mysql_tables);
  return std::make_unique<mysql_store>(std::move(s), sqlite_.get());
}

result<std::unique_ptr<mysql_store>, std::string> durable_stores::connect(const std::string& address) {
  auto made = make_mysql(address);
  if (!made) return made;
  if (sqlite_ != nullptr) {
    sqlite_->run_in_transaction([&](sqlite_files& files) { tell_columns(files, **made); });
  }
  (*made)->connect();
  return made;
}

void durable_stores::use(std::unique_ptr<mysql_store> mysql) {
  if (sqlite_ != nullptr) sqlite_->always_retry(true);
  {
    const std::scoped_lock lock(mysql_mutex_);
    mysql_ = std::move(mysql);
  }
  mysql_->start(on_results_, on_correction_);
  switch_.set(mysql_.get());
}

void durable_stores::drop_mysql() {
  switch_.set(sqlite_.get());
  if (mysql_ != nullptr) mysql_->stop();
  if (sqlite_ != nullptr) sqlite_->always_retry(false);
  const std::scoped_lock lock(mysql_mutex_);
  mysql_.reset();
}

std::shared_ptr<mysql_store> durable_stores::mysql() const {
  const std::scoped_lock lock(mysql_mutex_);
  return mysql_;
}

std::optional<std::string> durable_stores::start(server& s) {
  try {
    load(s);
  } catch (const sqlite_error& e) {
    return "cannot load the tables of --data " + options_.data_directory + ": " + e.what() +
           "; restore the directory from a backup, or move it away to begin with none";
  } catch (const mysql_error& e) {
    const std::string code = e.code() == 0 ? "" : " (error " + std::to_string(e.code()) + ")";  // 0: our own words
    return "cannot use MySQL at " + mysql_->shown_address() + ": " + e.what() + code;
  }
  on_results_ = [&s](unsigned worker, std::vector<write_result>& results) { s.deliver(worker, results); };
  on_correction_ = [&s](std::shared_ptr<const statement_changes> written, const storage::corrected_rows& stored) {
    s.correct(std::move(written), stored);
  };
  switch_.set(sqlite_.get());
  if (sqlite_ != nullptr) sqlite_->start(on_results_);
  if (mysql_ != nullptr) {
    mysql_->start(on_results_, on_correction_);
    switch_.set(mysql_.get());
  }
  return std::nullopt;
}

void durable_stores::load(server& s) {
  if (sqlite_ != nullptr) s.begin_numbers_after(sqlite_->files().numbers_used());
  if (mysql_ != nullptr && load_from_mysql(s)) return;
  if (sqlite_ != nullptr) load_from_sqlite(s);
}

/// Returns false when MySQL is away, or goes away meanwhile, and the data directory can stand in for it.
bool durable_stores::load_from_mysql(server& s) {
  const auto began = std::chrono::steady_clock::now();
  continuing_loader continuing = continuing_to(s, options_, mysql_ != nullptr, true);
  counting_loader loader(continuing);
  try {
    connect_mysql();
    load_from_mysql(s, loader);
  } catch (const mysql_error& e) {
    if (sqlite_ == nullptr || !e.is_outage()) throw;
    for (const std::string& name : loader.names) s.forget(name);
    mysql_ = std::move(*make_mysql(options_.mysql));
    tell_columns(sqlite_->files(), *mysql_);
    spdlog::warn("MySQL at {} is not available: {}; starting with the tables of {}, changes go to the journal",
                 mysql_->shown_address(), e.what(), options_.data_directory);
    return false;
  }
  spdlog::info("loaded {} rows of {} tables from MySQL at {} in {} ms", loader.rows, loader.names.size(),
               mysql_->shown_address(), milliseconds_since(began));
  return true;
}

/// With entries in its journal, the directory has changes that were acknowledged without MySQL: then what MySQL alone
/// has got, and nobody was told of, does not count.
void durable_stores::connect_mysql() {
  if (sqlite_ != nullptr) {
    tell_columns(sqlite_->files(), *mysql_);
    if (sqlite_->files().journal_size() > 0) {
      for (const table_description& d : sqlite_->files().descriptions()) mysql_->verify(d);
    }
  }
  mysql_->connect();
}

void durable_stores::load_from_sqlite(server& s) {
  const auto began = std::chrono::steady_clock::now();
  continuing_loader continuing = continuing_to(s, options_, mysql_ != nullptr, false);
  counting_loader loader(continuing);
  if (mysql_ != nullptr) {
    leaping_loader leaping(loader, *mysql_);
    sqlite_->files().load(leaping);
  } else {
    sqlite_->files().load(loader);
  }
  spdlog::info("loaded {} rows of {} tables from {} in {} ms", loader.rows, loader.names.size(),
               options_.data_directory, milliseconds_since(began));
}

/// Each table as MySQL has it. Where the data directory is ahead, because the server ran without MySQL, it is MySQL
/// that is made equal; tables that only the data directory has are new to MySQL.
void durable_stores::load_from_mysql(server& s, table_loader& loader) {
  if (sqlite_ == nullptr) return mysql_->load(loader);
  storage::text_map<std::uint64_t> sequences;
  for (const table_description& d : sqlite_->files().descriptions()) {
    sequences.emplace(d.name, d.is_only_a_name() ? 0 : d.sequence);  // a name is not ahead of anything
  }
  const auto is_ahead = [&](std::string_view table) {
    const auto it = sequences.find(table);
    if (it == sequences.end()) return false;
    const mysql_store::lead lead = mysql_->who_leads(table, it->second);
    if (lead == mysql_store::lead::unknown && it->second > 0) {
      throw mysql_error(0, "HY000", two_tables(table));
    }
    return lead == mysql_store::lead::memory;
  };
  sqlite_->run_in_transaction([&](sqlite_files& files) {
    copying_loader copying(loader, files);
    mysql_->load(copying, [&](std::string_view table) { return !is_ahead(table); });
    copying.end_table();
    for (const std::string& name : copying.names) sequences.erase(name);
  });
  sqlite_->files().load(loader, [&](std::string_view name) { return sequences.contains(name); });
  for (const auto& [name, sequence] : sequences) overwrite_mysql(s, name);
}

/// What MySQL makes of values that came without it is taken back.
void durable_stores::overwrite_mysql(server& s, const std::string& table) {
  try {
    if (mysql_->overwrite(*s.find(table), true)) return;
  } catch (const mysql_error& e) {
    if (e.is_outage()) throw;
    // The others are not to be without a server for the sake of this one.
    const bool is_there = mysql_->has_table(table);
    if (is_there) {
      mysql_->refuse(table, mysql_error(e.code(), e.sqlstate(),
                                        "table " + table + " cannot be made in MySQL what it is here (" + e.what() +
                                            "); remove what stands in the way there and restart, or drop it here"));
    }
    return spdlog::error(
        "table {} cannot be made {}: {}; it can be read, and its changes are refused, until it is dropped or MySQL "
        "takes it at a later start",
        table, is_there ? "in MySQL what it is here" : "in MySQL", e.what());
  }
  s.forget(table);
  sqlite_->run_in_transaction([&](sqlite_files& files) {
    continuing_loader continuing = continuing_to(s, options_, mysql_ != nullptr, true);
    copying_loader copying(continuing, files);
    mysql_->load(copying, [&](std::string_view name) { return name == table; });
    copying.end_table();
  });
}

void durable_stores::stop() {
  if (mysql_ != nullptr) mysql_->stop();
  if (sqlite_ != nullptr) sqlite_->stop();
}

void durable_stores::save_histories(const server& s) {
  if (mysql_ == nullptr || sqlite_ != nullptr) return;
  const std::vector<const storage::table*> tables = s.tables_with_history();
  if (tables.empty()) return;
  if (!mysql_->current().online) {
    return spdlog::warn("MySQL is away, so subscribers of {} tables begin anew after the next start", tables.size());
  }
  try {
    const auto began = std::chrono::steady_clock::now();
    const std::size_t saved = mysql_->save_histories(tables);
    spdlog::info("saved the latest changes of {} of {} tables in MySQL in {} ms", saved, tables.size(),
                 milliseconds_since(began));
  } catch (const mysql_error& e) {
    spdlog::warn(
        "the latest changes of {} tables could not be saved in MySQL, so that their subscribers begin anew: {}",
        tables.size(), e.what());
  }
}

std::uint64_t store_numbers::mysql_lag_rows() const {
  if (!mysql) return 0;
  const bool delivers = mysql->online && mysql->blocked.empty();
  return mysql->waiting_changes + (delivers || !sqlite ? 0 : sqlite->journalled);
}

std::uint64_t store_numbers::lag_rows() const {
  return std::max<std::uint64_t>(mysql_lag_rows(), sqlite ? sqlite->waiting_changes : 0);
}

double store_numbers::lag_seconds() const {
  return std::max(mysql ? to_seconds(mysql->lag) : 0, sqlite ? to_seconds(sqlite->lag) : 0);
}

store_numbers durable_stores::numbers() const {
  store_numbers n;
  if (const auto connected = mysql()) n.mysql = connected->current();
  if (sqlite_ != nullptr) n.sqlite = sqlite_->current();
  return n;
}

}  // namespace pubsubsql::server
