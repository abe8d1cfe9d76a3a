// What the data directory's file consists of.

#include <sqlite3.h>

#include "storage/durable/sqlite_files.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// Says in the file's header whose it is: "PSQL".
constexpr std::int64_t application_id = 0x5053514c;
constexpr std::int64_t format_version = 6;

}  // namespace

void sqlite_files::prepare_schema() {
  const std::int64_t tables = db_->number("select count(*) from sqlite_master");
  const std::int64_t id = db_->number("pragma application_id");
  const std::int64_t version = db_->number("pragma user_version");
  if (tables > 0 && id != application_id) refuse_file("pubsubsql.db is not a file of this server");
  if (version > format_version) refuse_file("pubsubsql.db was written by a newer version of this server");
  // A commit is on the disk when it returns.
  db_->run("pragma journal_mode = wal");
  db_->run("pragma synchronous = full");
  db_->run("pragma wal_autocheckpoint = 4000");
  db_->run("pragma cache_size = -65536");
  if (tables == 0) make_schema();
  if (tables > 0 && version < format_version) bring_up_to_date(version);
  sqlite_statement s = db_->prepare("select journal_id from identity");
  if (!s.step()) refuse_file("pubsubsql.db has lost its identity");
  journal_id_ = s.text(0);
  put_journal_ = db_->prepare("insert into journal (at_ms, table_name, changes, drops, sum) values (?, ?, ?, ?, ?)");
  put_history_ = db_->prepare(
      "insert or replace into history (table_number, sequence, at_us, kind, columns, before, after, assigned, sum) "
      "values (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  acknowledge_ = db_->prepare("update subscriptions set position = ? where name = ?");
  trim_history_ = db_->prepare("delete from history where table_number = ? and sequence <= ?");
}

/// As the first version made it; the rest is added as to a file of that version.
void sqlite_files::make_schema() {
  db_->run("begin immediate");
  db_->run("pragma application_id = " + std::to_string(application_id));
  db_->run(
      "create table tables (number integer primary key autoincrement, name text not null unique, next_id integer not "
      "null, sequence integer not null, ack integer, hides_id integer not null, read_only_reason text not null)");
  db_->run(
      "create table columns (table_number integer not null, ordinal integer not null, name text not null, index_kind "
      "integer not null, type text, nullable integer, default_text text, extra text, "
      "primary key (table_number, ordinal)) without rowid");
  db_->run(
      "create table journal (number integer primary key autoincrement, at_ms integer not null, table_name text not "
      "null, changes blob not "
      "null)");
  db_->run(
      "create table refused (number integer primary key, at_ms integer not null, table_name text not null, code "
      "integer not null, message text not null, changes blob not null)");
  db_->run("create table identity (journal_id text not null)");
  db_->run("insert into identity values (lower(hex(randomblob(16))))");
  add_second_version();
  add_third_version();
  add_fourth_version();
  add_fifth_version();
  add_sixth_version();
  db_->run("commit");
}

void sqlite_files::bring_up_to_date(std::int64_t version) {
  db_->run("begin immediate");
  if (version < 2) add_second_version();
  if (version < 3) add_third_version();
  if (version < 4) add_fourth_version();
  if (version < 5) add_fifth_version();
  add_sixth_version();
  db_->run("commit");
}

/// Types, dropped columns, indexes over several columns, transactions.
void sqlite_files::add_second_version() {
  db_->run("alter table tables add column declared integer not null default 0");
  db_->run("alter table tables add column primary_column integer");
  db_->run("alter table columns add column dropped integer not null default 0");
  db_->run("alter table columns add column untyped integer not null default 0");
  db_->run(
      "create table indexes (table_number integer not null, place integer not null, name text not null, type integer "
      "not null, columns text not null)");
  db_->run("create index indexes_by_table on indexes (table_number)");
  db_->run("alter table journal add column drops integer not null default 0");
  db_->run("create index journal_drops on journal (table_name, number) where drops");
}

/// Checksums, of what is written from now on.
void sqlite_files::add_third_version() {
  std::vector<std::string> rows;
  sqlite_statement s = db_->prepare("select number from tables");
  while (s.step()) rows.push_back("rows_" + std::to_string(s.number(0)));
  for (const std::string& table : rows) db_->run("alter table " + table + " add column sum integer");
  db_->run("alter table journal add column sum integer");
}

/// The latest changes of tables, bindings, and what makes a table a queue.
void sqlite_files::add_fourth_version() {
  for (const char* column : {"history", "history_bytes", "history_seconds"}) {
    db_->run("alter table tables add column " + std::string(column) + " integer");
  }
  db_->run(
      "create table history (table_number integer not null, sequence integer not null, at_us integer not null, kind "
      "integer not null, columns integer not null, before blob, after blob, assigned blob, sum integer not null, "
      "primary key (table_number, sequence)) without rowid");
  db_->run(
      "create table bindings (number integer primary key autoincrement, table_number integer not null, queue text not "
      "null, predicate text not null)");
  db_->run("create index bindings_by_table on bindings (table_number)");
  db_->run("alter table tables add column queue blob");
}

/// Named subscriptions.
void sqlite_files::add_fifth_version() {
  db_->run(
      "create table subscriptions (name text primary key, table_number integer not null, owner text not null, "
      "statement text not null, guarded text not null, position integer) without rowid");
  db_->run("create index subscriptions_by_table on subscriptions (table_number)");
}

/// What tells a table from one of its name that was dropped.
void sqlite_files::add_sixth_version() {
  db_->run("alter table tables add column made_at integer not null default 0");
  db_->run("alter table identity add column numbers_used integer not null default 0");
  db_->run("pragma user_version = " + std::to_string(format_version));
}

}  // namespace pubsubsql::storage::durable
