#include "storage/durable/sqlite_files.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

namespace pubsubsql::storage::durable {

namespace {

/// Says in the file's header whose it is: "PSQL".
constexpr std::int64_t application_id = 0x5053514c;
constexpr std::int64_t format_version = 1;
/// Of a stored row, the row number, size and position are left out.
constexpr std::size_t left_out_bytes = row_view::header_bytes - sizeof(std::uint16_t);

constexpr std::string_view select_tables =
    "select number, name, next_id, sequence, ack, hides_id, read_only_reason from tables order by number";

[[noreturn]] void refuse(const std::string& why) {
  throw sqlite_error(SQLITE_CORRUPT, why);
}

std::uint64_t now_ms() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count());
}

std::string rows_table(std::int64_t number) {
  return "rows_" + std::to_string(number);
}

void bind_optional_text(sqlite_statement& s, int parameter, const std::string* text) {
  if (text == nullptr) {
    s.bind_null(parameter);
  } else {
    s.bind_text(parameter, *text);
  }
}

}  // namespace

sqlite_files::sqlite_files(const std::string& directory) {
  std::error_code problem;
  const bool made = std::filesystem::create_directories(directory, problem);
  if (problem) throw sqlite_error(SQLITE_CANTOPEN, "cannot make the directory " + directory + ": " + problem.message());
  // Who may read the rows is decided by who may connect, not by who has a login on the machine.
  if (made) std::filesystem::permissions(directory, std::filesystem::perms::owner_all, problem);
  lock(directory);
  const std::string path = directory + "/pubsubsql.db";
  if (const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600); file >= 0) ::close(file);
  db_ = std::make_unique<sqlite_database>(path);
  prepare_schema();
}

sqlite_files::~sqlite_files() {
  open_tables_.clear();
  put_journal_ = {};
  db_.reset();
  if (lock_ >= 0) ::close(lock_);
}

void sqlite_files::lock(const std::string& directory) {
  const std::string path = directory + "/lock";
  lock_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock_ < 0) throw sqlite_error(SQLITE_CANTOPEN, "cannot write to " + path + ": " + std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(std::exchange(lock_, -1));
  throw sqlite_error(SQLITE_BUSY, "another server uses " + directory + "; stop it, or give this one its own --data");
}

void sqlite_files::prepare_schema() {
  const std::int64_t tables = db_->number("select count(*) from sqlite_master");
  const std::int64_t id = db_->number("pragma application_id");
  const std::int64_t version = db_->number("pragma user_version");
  if (tables > 0 && id != application_id) refuse("pubsubsql.db is not a file of this server");
  if (version > format_version) refuse("pubsubsql.db was written by a newer version of this server");
  // A commit is on the disk when it returns.
  db_->run("pragma journal_mode = wal");
  db_->run("pragma synchronous = full");
  db_->run("pragma wal_autocheckpoint = 4000");
  db_->run("pragma cache_size = -65536");
  if (tables == 0) {
    db_->run("begin immediate");
    db_->run("pragma application_id = " + std::to_string(application_id));
    db_->run("pragma user_version = " + std::to_string(format_version));
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
    db_->run("commit");
  }
  sqlite_statement s = db_->prepare("select journal_id from identity");
  if (!s.step()) refuse("pubsubsql.db has lost its identity");
  journal_id_ = s.text(0);
  put_journal_ = db_->prepare("insert into journal (at_ms, table_name, changes) values (?, ?, ?)");
}

// Loading

table_description sqlite_files::read_description(const sqlite_statement& row) const {
  table_description d;
  d.name = row.text(1);
  d.next_id = static_cast<std::uint64_t>(row.number(2));
  d.sequence = static_cast<std::uint64_t>(row.number(3));
  if (!row.is_null(4)) d.ack = static_cast<parser::ack_mode>(row.number(4));
  d.hides_id = row.number(5) != 0;
  d.read_only_reason = row.text(6);
  sqlite_statement columns = db_->prepare(
      "select name, index_kind, type, nullable, default_text, extra from columns where table_number = ? order by "
      "ordinal");
  columns.bind(1, row.number(0));
  while (columns.step()) {
    table_description::column& c = d.columns.emplace_back();
    c.name = columns.text(0);
    c.index = static_cast<index_kind>(columns.number(1));
    if (columns.is_null(2)) continue;
    c.facts = column_facts{.type = std::string(columns.text(2)),
                           .nullable = columns.number(3) != 0,
                           .default_text = {},
                           .extra = std::string(columns.text(5))};
    if (!columns.is_null(4)) c.facts->default_text = columns.text(4);
  }
  return d;
}

void sqlite_files::load(table_loader& to, const std::function<bool(std::string_view table)>& wanted) {
  sqlite_statement tables = db_->prepare(select_tables);
  while (tables.step()) {
    if (wanted && !wanted(tables.text(1))) continue;
    const table_description d = read_description(tables);
    if (const auto problem = to.on_table(d)) refuse("table " + d.name + ": " + *problem);
    load_rows(tables.number(0), d.name, to);
  }
}

std::vector<table_description> sqlite_files::descriptions() const {
  sqlite_statement tables = db_->prepare(select_tables);
  std::vector<table_description> all;
  while (tables.step()) all.push_back(read_description(tables));
  return all;
}

void sqlite_files::load_rows(std::int64_t number, std::string_view name, table_loader& to) {
  sqlite_statement rows = db_->prepare("select position, row from " + rows_table(number) + " order by position");
  std::string bytes(left_out_bytes, '\0');
  std::vector<value> values;
  while (rows.step()) {
    const row_position position = rows.number(0);
    bytes.resize(left_out_bytes);
    bytes += rows.bytes(1);
    if (!row_view::read_values(bytes, values)) {
      refuse("the row with id " + std::to_string(id_of(position)) + " of table " + std::string(name) + " is damaged");
    }
    if (const auto problem = to.on_row(position, values)) refuse("table " + std::string(name) + ": " + *problem);
  }
}

// Writing

void sqlite_files::begin() {
  db_->run("begin immediate");
}

void sqlite_files::commit() {
  for (auto& [name, t] : open_tables_) {
    if (!t.changed) continue;
    sqlite_statement s = db_->prepare("update tables set next_id = ?, sequence = ? where number = ?");
    s.bind(1, static_cast<std::int64_t>(t.next_id)).bind(2, static_cast<std::int64_t>(t.sequence)).bind(3, t.number);
    s.run();
    t.changed = false;
  }
  db_->run("commit");
}

void sqlite_files::roll_back() {
  open_tables_.clear();  // they may be about tables that are not there now
  try {
    if (db_->in_transaction()) db_->run("rollback");
  } catch (const sqlite_error& e) {
    // SQLite has rolled back by itself, or will when the file can be read again.
    spdlog::error("the data directory: {}", e.what());
  }
}

sqlite_files::open_table& sqlite_files::open(std::string_view name) {
  if (const auto it = open_tables_.find(name); it != open_tables_.end()) return it->second;
  sqlite_statement s = db_->prepare("select number, next_id, sequence from tables where name = ?");
  s.bind_text(1, name);
  if (!s.step()) refuse("the catalog has no table " + std::string(name));
  const std::string rows = rows_table(s.number(0));
  open_table t{.number = s.number(0),
               .put = db_->prepare("insert or replace into " + rows + " (position, row) values (?, ?)"),
               .erase = db_->prepare("delete from " + rows + " where position = ?"),
               .next_id = static_cast<std::uint64_t>(s.number(1)),
               .sequence = static_cast<std::uint64_t>(s.number(2))};
  return open_tables_.emplace(std::string(name), std::move(t)).first->second;
}

sqlite_files::open_table& sqlite_files::create(const table_description& d) {
  sqlite_statement s = db_->prepare(
      "insert into tables (name, next_id, sequence, ack, hides_id, read_only_reason) values (?, ?, ?, ?, ?, ?) "
      "returning number");
  s.bind_text(1, d.name);
  s.bind(2, static_cast<std::int64_t>(d.next_id)).bind(3, static_cast<std::int64_t>(d.sequence));
  if (d.ack) s.bind(4, static_cast<std::int64_t>(*d.ack));
  s.bind(5, d.hides_id ? 1 : 0).bind_text(6, d.read_only_reason);
  s.step();
  const std::int64_t number = s.number(0);
  s.run();
  db_->run("create table " + rows_table(number) + " (position integer primary key, row blob not null)");
  for (std::size_t i = 0; i < d.columns.size(); ++i) {
    add_column(number, static_cast<column_index>(i + 1), d.columns[i]);
  }
  return open(d.name);
}

void sqlite_files::replace_table(const table_description& d) {
  sqlite_statement s = db_->prepare("delete from tables where name = ? returning number");
  s.bind_text(1, d.name);
  if (s.step()) {
    const std::int64_t number = s.number(0);
    s.run();
    open_tables_.clear();
    db_->run("drop table " + rows_table(number));
    db_->run("delete from columns where table_number = " + std::to_string(number));
  }
  create(d);
}

void sqlite_files::extend_table(const table_description& d) {
  open_table& t = open(d.name);
  sqlite_statement reason = db_->prepare("update tables set read_only_reason = ? where number = ?");
  reason.bind_text(1, d.read_only_reason).bind(2, t.number).run();
  for (std::size_t i = 0; i < d.columns.size(); ++i) {
    table_description::column c = d.columns[i];
    c.index = index_kind::none;
    add_column(t.number, static_cast<column_index>(i + 1), c);
  }
}

void sqlite_files::add_column(std::int64_t table, column_index column, const table_description::column& c) {
  // One that is there has been announced by extend_table(), which knows more of it, or is learnt more of by it.
  sqlite_statement s = db_->prepare(
      "insert into columns values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set type = ifnull(excluded.type, "
      "type), "
      "nullable = ifnull(excluded.nullable, nullable), default_text = ifnull(excluded.default_text, default_text), "
      "extra = ifnull(excluded.extra, extra)");
  s.bind(1, table).bind(2, column).bind_text(3, c.name).bind(4, static_cast<std::int64_t>(c.index));
  if (c.facts) {
    s.bind_text(5, c.facts->type).bind(6, c.facts->nullable ? 1 : 0).bind_text(8, c.facts->extra);
    bind_optional_text(s, 7, c.facts->default_text ? &*c.facts->default_text : nullptr);
  }
  s.run();
}

void sqlite_files::set_index(std::int64_t table, column_index column, index_kind kind) {
  sqlite_statement s = db_->prepare("update columns set index_kind = ? where table_number = ? and ordinal = ?");
  s.bind(1, static_cast<std::int64_t>(kind)).bind(2, table).bind(3, column);
  s.run();
}

void sqlite_files::put_row(open_table& t, row_view row) {
  t.put.bind(1, row.position()).bind_bytes(2, {row.data() + left_out_bytes, row.size() - left_out_bytes}).run();
}

void sqlite_files::put_row(std::string_view table, row_position position, std::span<const value> values) {
  encode_row(position, values, row_bytes_);
  put_row(open(table), row_view(row_bytes_.data()));
}

void sqlite_files::apply(open_table& t, const change& c) {
  switch (c.kind) {
    case change_kind::create_table:
      break;  // done before
    case change_kind::add_column:
      add_column(t.number, c.column, {.name = std::string(c.name), .index = index_kind::none, .facts = {}});
      break;
    case change_kind::add_key:
      set_index(t.number, c.column, index_kind::key);
      break;
    case change_kind::add_tag:
      set_index(t.number, c.column, index_kind::tag);
      break;
    case change_kind::set_ack: {
      sqlite_statement s = db_->prepare("update tables set ack = ? where number = ?");
      if (c.ack) s.bind(1, static_cast<std::int64_t>(*c.ack));
      s.bind(2, t.number).run();
      break;
    }
    case change_kind::insert_row:
    case change_kind::update_row:
      put_row(t, c.after);
      break;
    case change_kind::delete_row:
      t.erase.bind(1, c.before.position()).run();
      break;
    case change_kind::drop_table:
    case change_kind::drop_column:
    case change_kind::add_index:
    case change_kind::drop_index:
      break;
  }
}

void sqlite_files::apply(const statement_changes& s) {
  const change& first = s.changes().front();
  open_table& t =
      first.kind == change_kind::create_table ? create({.name = std::string(s.table_name())}) : open(s.table_name());
  for (const change& c : s.changes()) apply(t, c);
  t.next_id = s.next_id();
  t.sequence = s.sequence();
  t.changed = true;
}

// The journal

void sqlite_files::append_to_journal(const statement_changes& s) {
  journal_bytes_.clear();
  s.encode(journal_bytes_);
  put_journal_.bind(1, static_cast<std::int64_t>(now_ms())).bind_text(2, s.table_name());
  put_journal_.bind_bytes(3, journal_bytes_).run();
}

std::vector<sqlite_files::journal_entry> sqlite_files::read_journal(
    const std::function<bool(std::string_view table)>& wanted, std::size_t entries_max, std::size_t bytes_max) {
  sqlite_statement s = db_->prepare("select number, at_ms, changes, table_name from journal order by number");
  std::vector<journal_entry> entries;
  std::size_t bytes = 0;
  while (entries.size() < entries_max && bytes < bytes_max && s.step()) {
    if (!wanted(s.text(3))) continue;
    const auto number = static_cast<std::uint64_t>(s.number(0));
    auto changes = statement_changes::decode(s.bytes(2));
    if (changes == nullptr) refuse("entry " + std::to_string(number) + " of the journal is damaged");
    bytes += s.bytes(2).size();
    entries.push_back(
        {.number = number, .at_ms = static_cast<std::uint64_t>(s.number(1)), .changes = std::move(changes)});
  }
  return entries;
}

void sqlite_files::erase_journal(std::span<const journal_entry> entries) {
  sqlite_statement s = db_->prepare("delete from journal where number = ?");
  for (const journal_entry& e : entries) s.bind(1, static_cast<std::int64_t>(e.number)).run();
}

void sqlite_files::set_aside(const journal_entry& entry, const store_error& why) {
  journal_bytes_.clear();
  entry.changes->encode(journal_bytes_);
  sqlite_statement s = db_->prepare("insert or replace into refused values (?, ?, ?, ?, ?, ?)");
  s.bind(1, static_cast<std::int64_t>(entry.number)).bind(2, static_cast<std::int64_t>(entry.at_ms));
  s.bind_text(3, entry.changes->table_name()).bind(4, why.code).bind_text(5, why.message).bind_bytes(6, journal_bytes_);
  s.run();
}

std::uint64_t sqlite_files::journal_size() const {
  return static_cast<std::uint64_t>(db_->number("select count(*) from journal"));
}

std::uint64_t sqlite_files::refused_size() const {
  return static_cast<std::uint64_t>(db_->number("select count(*) from refused"));
}

}  // namespace pubsubsql::storage::durable
