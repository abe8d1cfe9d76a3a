#include "storage/durable/sqlite_files.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include "storage/durable/checksum.hpp"
#include "storage/durable/description_coding.hpp"
#include "storage/durable/sqlite_wal.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// Of a stored row, the row number, size and position are left out.
constexpr std::size_t left_out_bytes = row_view::header_bytes - sizeof(std::uint16_t);

constexpr std::string_view select_tables =
    "select number, name, next_id, sequence, ack, hides_id, read_only_reason, declared, primary_column, history, "
    "history_bytes, history_seconds, queue, made_at from tables order by number";

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

/// Columns as text: 1,3.
std::string write_columns(std::span<const column_index> columns) {
  std::string out;
  for (const column_index column : columns) out.append(out.empty() ? "" : ",").append(std::to_string(column));
  return out;
}

std::vector<column_index> read_columns(std::string_view text, std::size_t columns_max) {
  std::vector<column_index> columns;
  while (!text.empty()) {
    column_index column = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), column);
    if (problem != std::errc{} || column > columns_max) refuse_file("an index of pubsubsql.db is damaged");
    columns.push_back(column);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with(',')) text.remove_prefix(1);
  }
  return columns;
}

}  // namespace

void refuse_file(const std::string& why) {
  throw sqlite_error(SQLITE_CORRUPT, why);
}

/// Beside the database the directory remembers that it was made, in its lock file: a disk that loses a file often
/// leaves it empty.
std::optional<std::string> find_emptied(const std::string& directory) {
  const std::string path = directory + "/pubsubsql.db";
  std::error_code problem;
  const bool is_there = std::filesystem::exists(path, problem);
  if (is_there && std::filesystem::file_size(path, problem) > 0) return std::nullopt;
  if (std::ifstream(directory + "/lock").get() == std::ifstream::traits_type::eof()) return std::nullopt;
  return path + (is_there ? " is empty" : " is gone") +
         ", but it was not; restore it from a backup, or remove the directory to begin anew";
}

sqlite_files::sqlite_files(const std::string& directory) {
  std::error_code problem;
  const bool made = std::filesystem::create_directories(directory, problem);
  if (problem) throw sqlite_error(SQLITE_CANTOPEN, "cannot make the directory " + directory + ": " + problem.message());
  // Who may read the rows is decided by who may connect, not by who has a login on the machine.
  if (made) std::filesystem::permissions(directory, std::filesystem::perms::owner_all, problem);
  lock(directory);
  if (const auto emptied = find_emptied(directory)) refuse_file(*emptied);
  const std::string path = directory + "/pubsubsql.db";
  if (const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600); file >= 0) ::close(file);
  if (const auto damage = find_damage_in_wal(path + "-wal")) refuse_file(*damage);
  db_ = std::make_unique<sqlite_database>(path);
  check_pages();
  prepare_schema();
  note_tables();
}

sqlite_files::~sqlite_files() = default;

sqlite_files::lock_file::~lock_file() {
  if (descriptor >= 0) ::close(descriptor);
}

void sqlite_files::lock(const std::string& directory) {
  const std::string path = directory + "/lock";
  lock_.descriptor = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock_.descriptor < 0)
    throw sqlite_error(SQLITE_CANTOPEN, "cannot write to " + path + ": " + std::strerror(errno));
  if (::flock(lock_.descriptor, LOCK_EX | LOCK_NB) == 0) return;
  throw sqlite_error(SQLITE_BUSY, "another server uses " + directory + "; stop it, or give this one its own --data");
}

void sqlite_files::note_tables() const {
  char noted = 0;
  if (::pread(lock_.descriptor, &noted, 1, 0) == 1) return;
  const std::string_view note = "pubsubsql.db has been made\n";
  if (::pwrite(lock_.descriptor, note.data(), note.size(), 0) != static_cast<ssize_t>(note.size()) ||
      ::fsync(lock_.descriptor) != 0) {
    throw sqlite_error(SQLITE_IOERR, std::string("cannot write to the file `lock`: ") + std::strerror(errno));
  }
}

/// The structure of the file and the catalog's indexes. Rows have checksums of their own.
void sqlite_files::check_pages() const {
  for (const char* check : {"pragma quick_check(1)", "pragma integrity_check(tables)"}) {
    if (std::string_view(check).ends_with("(tables)") &&
        db_->number("select count(*) from sqlite_master where name = 'tables'") == 0) {
      continue;
    }
    sqlite_statement s = db_->prepare(check);
    if (s.step() && s.text(0) == "ok") continue;
    std::string found(s.text(0));
    std::ranges::replace(found, '\n', ' ');
    refuse_file("pubsubsql.db is damaged: " + found);
  }
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
  d.declared = row.number(7) != 0;
  if (!row.is_null(8)) d.primary_column = static_cast<column_index>(row.number(8));
  d.history = read_history(row, 9);
  if (!row.is_null(12)) {
    byte_reader in(row.bytes(12));
    d.queue = take_queue(in);
    if (!in.good()) refuse_file("what the queue " + d.name + " is cannot be read");
  }
  d.made_at = static_cast<std::uint64_t>(row.number(13));
  read_columns(row.number(0), d);
  read_indexes(row.number(0), d);
  read_bindings(row.number(0), d);
  d.subscriptions = read_subscriptions(row.number(0));
  return d;
}

void sqlite_files::read_columns(std::int64_t table, table_description& d) const {
  sqlite_statement columns = db_->prepare(
      "select name, index_kind, type, nullable, default_text, extra, untyped, dropped, ordinal from columns where "
      "table_number = ? order by ordinal");
  columns.bind(1, table);
  while (columns.step()) {
    std::optional<column_facts> facts;
    if (!columns.is_null(2)) {
      facts = column_facts{.type = std::string(columns.text(2)),
                           .nullable = columns.number(3) != 0,
                           .default_text = {},
                           .extra = std::string(columns.text(5)),
                           .untyped = columns.number(6) != 0};
      if (!columns.is_null(4)) facts->default_text = columns.text(4);
    }
    if (columns.number(8) == id_column) {
      d.id_facts = std::move(facts);
      continue;
    }
    d.columns.push_back({.name = std::string(columns.text(0)),
                         .index = static_cast<index_kind>(columns.number(1)),
                         .facts = std::move(facts),
                         .dropped = columns.number(7) != 0});
  }
}

void sqlite_files::read_indexes(std::int64_t table, table_description& d) const {
  sqlite_statement indexes =
      db_->prepare("select name, type, columns from indexes where table_number = ? order by place");
  indexes.bind(1, table);
  while (indexes.step()) {
    d.indexes.push_back({.name = std::string(indexes.text(0)),
                         .columns = durable::read_columns(indexes.text(2), d.columns.size()),
                         .type = static_cast<parser::index_type>(indexes.number(1))});
  }
}

void sqlite_files::read_bindings(std::int64_t table, table_description& d) const {
  sqlite_statement bindings =
      db_->prepare("select queue, predicate from bindings where table_number = ? order by number");
  bindings.bind(1, table);
  while (bindings.step()) {
    d.bindings.push_back({.queue = std::string(bindings.text(0)), .where = std::string(bindings.text(1))});
  }
}

void sqlite_files::load(table_loader& to, const std::function<bool(std::string_view table)>& wanted) {
  sqlite_statement tables = db_->prepare(select_tables);
  while (tables.step()) {
    if (wanted && !wanted(tables.text(1))) continue;
    const table_description d = read_description(tables);
    if (const auto problem = to.on_table(d)) refuse_file("table " + d.name + ": " + *problem);
    load_rows(tables.number(0), d.name, to);
    if (d.history) load_history(tables.number(0), d.name, to);
  }
}

std::vector<table_description> sqlite_files::descriptions() const {
  sqlite_statement tables = db_->prepare(select_tables);
  std::vector<table_description> all;
  while (tables.step()) all.push_back(read_description(tables));
  return all;
}

void sqlite_files::load_rows(std::int64_t number, std::string_view name, table_loader& to) {
  sqlite_statement rows = db_->prepare("select position, row, sum from " + rows_table(number) + " order by position");
  std::string bytes(left_out_bytes, '\0');
  std::vector<value> values;
  while (rows.step()) {
    const row_position position = rows.number(0);
    bytes.resize(left_out_bytes);
    bytes += rows.bytes(1);
    const bool is_as_written = rows.is_null(2) || rows.number(2) == checksum(position, rows.bytes(1));
    if (!is_as_written || !row_view::read_values(bytes, values)) {
      refuse_file("the row with id " + std::to_string(id_of(position)) + " of table " + std::string(name) +
                  " is damaged");
    }
    if (const auto problem = to.on_row(position, values)) refuse_file("table " + std::string(name) + ": " + *problem);
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
  if (!s.step()) refuse_file("the catalog has no table " + std::string(name));
  const std::string rows = rows_table(s.number(0));
  open_table t{.number = s.number(0),
               .put = db_->prepare("insert or replace into " + rows + " (position, row, sum) values (?, ?, ?)"),
               .erase = db_->prepare("delete from " + rows + " where position = ?"),
               .next_id = static_cast<std::uint64_t>(s.number(1)),
               .sequence = static_cast<std::uint64_t>(s.number(2))};
  return open_tables_.emplace(std::string(name), std::move(t)).first->second;
}

sqlite_files::open_table& sqlite_files::create(const table_description& d) {
  sqlite_statement s = db_->prepare(
      "insert into tables (name, next_id, sequence, ack, hides_id, read_only_reason, declared, primary_column, queue, "
      "made_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning number");
  s.bind_text(1, d.name);
  s.bind(2, static_cast<std::int64_t>(d.next_id)).bind(3, static_cast<std::int64_t>(d.sequence));
  if (d.ack) s.bind(4, static_cast<std::int64_t>(*d.ack));
  s.bind(5, d.hides_id ? 1 : 0).bind_text(6, d.read_only_reason).bind(7, d.declared ? 1 : 0);
  if (d.primary_column) s.bind(8, *d.primary_column);
  std::string queue;
  if (d.queue) {
    put_queue(queue, *d.queue);
    s.bind_bytes(9, queue);
  }
  s.bind(10, static_cast<std::int64_t>(d.made_at));
  s.step();
  const std::int64_t number = s.number(0);
  s.run();
  if (d.history) set_history(number, d.history);
  db_->run("create table " + rows_table(number) + " (position integer primary key, row blob not null, sum integer)");
  for (std::size_t i = 0; i < d.columns.size(); ++i) {
    add_column(number, static_cast<column_index>(i + 1), d.columns[i]);
  }
  if (d.id_facts) add_column(number, id_column, {.name = "id", .facts = d.id_facts});
  for (std::size_t place = 0; place < d.indexes.size(); ++place) add_ordered_index(number, place, d.indexes[place]);
  for (const binding_description& b : d.bindings) add_binding(number, b);
  for (const subscription_description& named : d.subscriptions) add_subscription(number, named);
  return open(d.name);
}

void sqlite_files::drop_table(std::string_view name) {
  sqlite_statement s = db_->prepare("delete from tables where name = ? returning number");
  s.bind_text(1, name);
  if (!s.step()) return;
  const std::int64_t number = s.number(0);
  s.run();
  if (const auto it = open_tables_.find(name); it != open_tables_.end()) open_tables_.erase(it);
  db_->run("drop table " + rows_table(number));
  for (const char* of : {"columns", "indexes", "history", "bindings", "subscriptions"}) {
    db_->run("delete from " + std::string(of) + " where table_number = " + std::to_string(number));
  }
}

std::uint64_t sqlite_files::numbers_used() const {
  return static_cast<std::uint64_t>(db_->number("select numbers_used from identity"));
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
      "insert into columns (table_number, ordinal, name, index_kind, type, nullable, default_text, extra, dropped, "
      "untyped) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set type = ifnull(excluded.type, type), "
      "nullable = ifnull(excluded.nullable, nullable), default_text = ifnull(excluded.default_text, default_text), "
      "extra = ifnull(excluded.extra, extra), untyped = max(excluded.untyped, untyped)");
  s.bind(1, table).bind(2, column).bind_text(3, c.name).bind(4, static_cast<std::int64_t>(c.index));
  s.bind(9, c.dropped ? 1 : 0).bind(10, c.facts && c.facts->untyped ? 1 : 0);
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

void sqlite_files::add_ordered_index(std::int64_t table, std::size_t place, const index_description& index) {
  const std::string columns = write_columns(index.columns);
  sqlite_statement shift = db_->prepare("update indexes set place = place + 1 where table_number = ? and place >= ?");
  shift.bind(1, table).bind(2, static_cast<std::int64_t>(place)).run();
  sqlite_statement s =
      db_->prepare("insert into indexes (table_number, place, name, type, columns) values (?, ?, ?, ?, ?)");
  s.bind(1, table).bind(2, static_cast<std::int64_t>(place)).bind_text(3, index.name);
  s.bind(4, static_cast<std::int64_t>(index.type)).bind_text(5, columns).run();
}

void sqlite_files::drop_ordered_index(std::int64_t table, std::size_t place) {
  const auto at = static_cast<std::int64_t>(place);
  sqlite_statement s = db_->prepare("delete from indexes where table_number = ? and place = ?");
  s.bind(1, table).bind(2, at).run();
  sqlite_statement shift = db_->prepare("update indexes set place = place - 1 where table_number = ? and place > ?");
  shift.bind(1, table).bind(2, at).run();
}

void sqlite_files::add_binding(std::int64_t table, const binding_description& b) {
  sqlite_statement s = db_->prepare("insert into bindings (table_number, queue, predicate) values (?, ?, ?)");
  s.bind(1, table).bind_text(2, b.queue).bind_text(3, b.where).run();
}

void sqlite_files::drop_binding(std::int64_t table, const binding_description& b) {
  sqlite_statement s = db_->prepare("delete from bindings where table_number = ? and queue = ? and predicate = ?");
  s.bind(1, table).bind_text(2, b.queue).bind_text(3, b.where).run();
}

/// Without the spare bytes: rows with the same values have the same sum.
void sqlite_files::put_row(open_table& t, row_view row) {
  const std::string_view bytes(row.data() + left_out_bytes, row.used_size() - left_out_bytes);
  t.put.bind(1, row.position()).bind_bytes(2, bytes).bind(3, checksum(row.position(), bytes)).run();
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
      add_column(t.number, c.column,
                 {.name = std::string(c.name),
                  .index = index_kind::none,
                  .facts = c.facts == nullptr ? std::nullopt : std::optional(*c.facts)});
      break;
    case change_kind::drop_column: {
      sqlite_statement s = db_->prepare("update columns set dropped = 1 where table_number = ? and ordinal = ?");
      s.bind(1, t.number).bind(2, c.column).run();
      break;
    }
    case change_kind::add_key:
      set_index(t.number, c.column, index_kind::key);
      if (c.index == parser::index_type::primary) {
        sqlite_statement s = db_->prepare("update tables set primary_column = ? where number = ?");
        s.bind(1, c.column).bind(2, t.number).run();
      }
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
    case change_kind::set_history:
      set_history(t.number, c.history->after);
      break;
    case change_kind::insert_row:
    case change_kind::update_row:
      put_row(t, c.after);
      break;
    case change_kind::delete_row:
      t.erase.bind(1, c.before.position()).run();
      break;
    case change_kind::add_index:
      add_ordered_index(
          t.number, c.column,
          {.name = std::string(c.name), .columns = {c.assigned.begin(), c.assigned.end()}, .type = c.index});
      break;
    case change_kind::drop_index:
      drop_ordered_index(t.number, c.column);
      break;
    case change_kind::add_binding:
      add_binding(t.number, unpack_binding(c.name).value_or(binding_description{}));
      break;
    case change_kind::drop_binding:
      drop_binding(t.number, unpack_binding(c.name).value_or(binding_description{}));
      break;
    case change_kind::add_subscription:
      add_subscription(t.number, unpack_subscription(c.name).value_or(subscription_description{}));
      break;
    case change_kind::drop_subscription:
      drop_subscription(unpack_subscription(c.name).value_or(subscription_description{}).name);
      break;
    case change_kind::acknowledge:
      acknowledge(unpack_acknowledgement(c.name).value_or(acknowledgement{}));
      break;
    case change_kind::drop_table:
      break;  // done before
  }
}

namespace {

table_description made_by(const change& creation) {
  table_description d =
      creation.declared != nullptr ? *creation.declared : table_description{.name = std::string(creation.name)};
  d.made_at = creation.sequence;
  return d;
}

}  // namespace

void sqlite_files::apply(const statement_changes& s) {
  std::span<const change> changes = s.changes();
  const auto dropped = std::ranges::find(changes, change_kind::drop_table, &change::kind);
  if (dropped != changes.end()) {
    drop_table(s.table_name());
    sqlite_statement used = db_->prepare("update identity set numbers_used = max(numbers_used, ?)");
    used.bind(1, static_cast<std::int64_t>(dropped->sequence)).run();
    changes = changes.subspan(static_cast<std::size_t>(dropped - changes.begin()) + 1);
    if (changes.empty()) return;
  }
  const change& first = changes.front();
  open_table& t = first.kind == change_kind::create_table ? create(made_by(first)) : open(s.table_name());
  for (const change& c : changes) apply(t, c);
  if (s.kept()) keep_history(t, s);
  t.next_id = s.next_id();
  t.sequence = s.sequence();
  t.changed = true;
}

}  // namespace pubsubsql::storage::durable
