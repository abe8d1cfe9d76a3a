#include "tools/bench/write_through.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include <time.h>

#include "storage/durable/mysql_address.hpp"
#include "tools/bench/bare_mysql.hpp"
#include "tools/bench/bare_sqlite.hpp"
#include "tools/bench/process_usage.hpp"
#include "tools/bench/scratch_directory.hpp"
#include "tools/bench/server_process.hpp"

namespace bench {

namespace {

const std::string through = "bench_through";
const std::string bare = "bench_bare";

/// Rows that are updated again and again.
constexpr std::size_t hot_rows = 1'000;
constexpr std::string_view last_sector = "last";
constexpr std::chrono::milliseconds poll_pause{2};

/// Processor time of this program so far, of threads that have ended as well.
std::chrono::nanoseconds own_cpu() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

/// Two peers' turns: the second goes first in every other round.
void by_turns(unsigned round, const std::function<void()>& one, const std::function<void()>& other) {
  (round % 2 == 0 ? one : other)();
  (round % 2 == 0 ? other : one)();
}

/// Makes the table of the rows with all its columns, and leaves it empty.
void make_table(framed_client& c) {
  c.ask("key " + through + " ticker");
  c.ask("tag " + through + " sector");
  c.ask("insert " + into_clause(through, make_row(0, 0)));
  c.ask("delete from " + through);
}

/// A server that writes through to MySQL, with its table, and the bare loop with one just like it.
struct server_and_peer {
  server_and_peer(const std::string& binary, const std::string& mysql)
      : server(binary, {"--mysql", mysql, "--ack", "committed"}), control(server.port()), peer(mysql) {
    make_table(control);
    peer.run("CREATE TABLE `" + bare + "` LIKE `" + through + "`");
    peer.use(bare);
  }

  server_process server;
  framed_client control;
  bare_mysql peer;
};

}  // namespace

void write_through::add_options(CLI::App& to) {
  to.add_option("--mysql", mysql_, "MySQL to write to, mysql://user:password@host:port/database; its bench_ tables go")
      ->required();
  to.add_option("--server", server_, "The pubsubsqld to measure")->capture_default_str();
  to.add_option("--rows", rows_, "Rows to insert and to update, in thousands of rows")->capture_default_str();
  to.add_option("--hot-updates", hot_updates_, "Updates of the same 1,000 rows")->capture_default_str();
  to.add_option("--lone-commits", lone_commits_, "Commits of the lone client")->capture_default_str();
  to.add_option("--rounds", rounds_, "Rounds")->capture_default_str()->check(CLI::PositiveNumber);
  to.add_option("--connections", connections_, "Connections to the server")->capture_default_str();
  to.add_option("--directory", directory_, "Where the data directories are made")->capture_default_str();
  to.add_option("--parts", parts_, "What to measure")
      ->capture_default_str()
      ->delimiter(',')
      ->check(CLI::IsMember({"mysql", "collapsing", "lone", "sqlite"}));
}

bool write_through::wants(const std::string& part) const {
  return std::ranges::find(parts_, part) != parts_.end();
}

std::vector<write_through::measured_process> write_through::others(pid_t server) const {
  std::vector<measured_process> found;
  if (server >= 0) found.push_back({"the server", server});
  const auto address = pubsubsql::storage::durable::parse_mysql_address(mysql_);
  if (!address || !address->socket.empty()) return found;
  if (const auto mysql = process_listening_on(address->port)) found.push_back({"MySQL", *mysql});
  return found;
}

void write_through::run(report& out) {
  out.fact("MySQL", bare_mysql(mysql_).query("SELECT VERSION()"));
  out.fact("rows", std::to_string(rows_) + " in batches of " + std::to_string(bare_mysql::batch_rows));
  out.fact("connections", std::to_string(connections_));
  out.fact("rounds", std::to_string(rounds_));
  prepare();
  for (unsigned round = 0; round < rounds_; ++round) {
    if (wants("mysql")) run_mysql(out, round);
    if (wants("collapsing")) run_collapsing(out);
    if (wants("lone")) run_lone_client(out, round);
    if (wants("sqlite")) run_sqlite(out, round);
  }
  clear_mysql();
  out.compare("inserts into MySQL, of the bare loop", "MySQL inserts", "bare MySQL inserts", 0.9);
  out.compare("updates in MySQL, of the bare loop", "MySQL updates", "bare MySQL updates", 0.9);
  out.compare("collapsing updates, of the bare loop", "MySQL collapsing updates", "bare MySQL updates", 3);
  out.compare("a lone client's commits, of autocommit", "lone client commits", "bare lone commits", std::nullopt);
  out.compare("inserts into a data directory, of the bare loop", "SQLite inserts", "bare SQLite inserts", std::nullopt);
  out.compare("updates in a data directory, of the bare loop", "SQLite updates", "bare SQLite updates", std::nullopt);
}

void write_through::prepare() {
  rows_ = std::max<std::size_t>(1, rows_ / bare_mysql::batch_rows) * bare_mysql::batch_rows;
  for (std::size_t i = 0; i < rows_; ++i) {
    inserted_.push_back(make_row(i, 1));
    updated_.push_back(make_row(i, 2));
  }
  insert_scripts_ = scripts("stream insert ", through, into_clause, inserted_);
  update_scripts_ = scripts("stream update ", through, set_clause, updated_);
  std::vector<sample_row> hot;
  for (std::size_t i = 0; i < hot_updates_; ++i) {
    hot.push_back(make_row(i % hot_rows, static_cast<unsigned>(2 + i / hot_rows)));
  }
  hot_scripts_ = scripts("stream update ", through, set_clause, hot);
}

std::vector<script> write_through::scripts(const std::string& before, const std::string& table,
                                           std::string (*clause)(const std::string&, const sample_row&),
                                           const std::vector<sample_row>& rows) const {
  std::vector<script> made(connections_);
  for (std::size_t i = 0; i < rows.size(); ++i) made[i % connections_].add(before + clause(table, rows[i]));
  for (script& s : made) s.add("select id from " + table + " where id = 0");
  return made;
}

void write_through::run_all(const std::vector<script>& scripts, std::uint16_t port) {
  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> problems(scripts.size());
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    threads.emplace_back([&scripts, &problems, port, i] {
      try {
        framed_client(port).run(scripts[i]);
      } catch (...) {
        problems[i] = std::current_exception();
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (const std::exception_ptr& problem : problems) {
    if (problem) std::rethrow_exception(problem);
  }
}

void write_through::time(report& out, const std::string& rate, std::size_t operations, const step& work,
                         std::span<const measured_process> others) {
  std::vector<std::chrono::nanoseconds> before;
  for (const measured_process& p : others) before.push_back(process_usage::of(p.id).cpu);
  const std::chrono::nanoseconds own_before = own_cpu();
  const auto began = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  out.rate(rate, static_cast<double>(operations) / took.count());
  if (others.empty()) return;
  const auto cost = [&](const std::string& whose, std::chrono::nanoseconds cpu) {
    const double us = std::chrono::duration<double, std::micro>(cpu).count();
    out.cost("processor us a row, " + rate + ", " + whose, us / static_cast<double>(operations));
  };
  cost("the client", own_cpu() - own_before);
  for (std::size_t i = 0; i < others.size(); ++i) {
    cost(others[i].name, process_usage::of(others[i].id).cpu - before[i]);
  }
}

void write_through::clear_mysql() {
  bare_mysql db(mysql_);
  db.run("DROP TABLE IF EXISTS `" + through + "`");
  db.run("DROP TABLE IF EXISTS `" + bare + "`");
  db.run("DROP TABLE IF EXISTS pubsubsql_tables");
  db.run("DROP TABLE IF EXISTS pubsubsql_fronts");
}

void write_through::run_mysql(report& out, unsigned round) {
  clear_mysql();
  server_and_peer both(server_, mysql_);
  const auto without = others(-1);
  const auto with = others(both.server.process());
  by_turns(
      round,
      [&] {
        time(
            out, "bare MySQL inserts", rows_, [&] { both.peer.insert(inserted_); }, without);
      },
      [&] {
        time(
            out, "MySQL inserts", rows_, [&] { run_all(insert_scripts_, both.server.port()); }, with);
      });
  by_turns(
      round,
      [&] {
        time(
            out, "bare MySQL updates", rows_, [&] { both.peer.update(updated_); }, without);
      },
      [&] {
        time(
            out, "MySQL updates", rows_, [&] { run_all(update_scripts_, both.server.port()); }, with);
      });
  const std::string check = "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(ticker, sector, price, note)))) FROM ";
  if (both.peer.query(check + through) != both.peer.query(check + bare))
    throw std::runtime_error("the two tables differ");
}

/// Nobody waits for these to be committed, so MySQL itself is asked whether all are there.
void write_through::run_collapsing(report& out) {
  clear_mysql();
  const server_process server(server_, {"--mysql", mysql_, "--ack", "memory"});
  framed_client control(server.port());
  make_table(control);
  for (std::size_t i = 0; i < hot_rows; ++i) control.ask("insert " + into_clause(through, make_row(i, 1)));
  bare_mysql eye(mysql_);
  const auto with = others(server.process());
  const std::string seen = "SELECT COUNT(*) FROM `" + through + "` WHERE sector = '" + std::string(last_sector) + "'";
  const auto work = [&] {
    run_all(hot_scripts_, server.port());
    control.ask("update " + through + " set sector = " + std::string(last_sector) +
                " where id = " + std::to_string(hot_rows - 1));
    while (eye.query(seen) != "1") std::this_thread::sleep_for(poll_pause);
  };
  time(out, "MySQL collapsing updates", hot_updates_, work, with);
}

void write_through::run_lone_client(report& out, unsigned round) {
  clear_mysql();
  server_and_peer both(server_, mysql_);
  const std::size_t commits = std::min(lone_commits_, inserted_.size());
  by_turns(
      round,
      [&] {
        time(out, "bare lone commits", commits, [&] {
          for (std::size_t i = 0; i < commits; ++i) both.peer.insert_one(i, inserted_[i]);
        });
      },
      [&] {
        time(out, "lone client commits", commits, [&] {
          for (std::size_t i = 0; i < commits; ++i) both.control.ask("insert " + into_clause(through, inserted_[i]));
        });
      });
}

void write_through::run_sqlite(report& out, unsigned round) {
  const scratch_directory directory(directory_);
  const server_process server(server_, {"--data", directory.path() + "/data", "--ack", "committed"});
  framed_client control(server.port());
  make_table(control);
  bare_sqlite peer(directory.path() + "/bare.db");
  by_turns(
      round, [&] { time(out, "bare SQLite inserts", rows_, [&] { peer.insert(inserted_); }); },
      [&] { time(out, "SQLite inserts", rows_, [&] { run_all(insert_scripts_, server.port()); }); });
  by_turns(
      round, [&] { time(out, "bare SQLite updates", rows_, [&] { peer.update(updated_); }); },
      [&] { time(out, "SQLite updates", rows_, [&] { run_all(update_scripts_, server.port()); }); });
}

}  // namespace bench
