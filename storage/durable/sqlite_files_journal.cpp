// The journal for MySQL.

#include <algorithm>
#include <chrono>

#include "storage/durable/checksum.hpp"
#include "storage/durable/sqlite_files.hpp"

namespace pubsubsql::storage::durable {

namespace {

std::uint64_t now_ms() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count());
}

/// `sum`: which of the columns has the checksum, if there is one.
std::shared_ptr<const change_group> read_group(const sqlite_statement& s, int number, int changes, int sum) {
  auto group = std::make_shared<const change_group>(decode_group(s.bytes(changes)));
  const bool is_as_written = s.is_null(sum) || s.number(sum) == checksum(0, s.bytes(changes));
  if (!is_as_written || group->empty())
    refuse_file("entry " + std::to_string(s.number(number)) + " of the journal is damaged");
  return group;
}

}  // namespace

void sqlite_files::append_to_journal(const change_group& g) {
  journal_bytes_.clear();
  encode(g, journal_bytes_);
  put_journal_.bind(1, static_cast<std::int64_t>(now_ms())).bind_text(2, g.front()->table_name());
  put_journal_.bind_bytes(3, journal_bytes_).bind(4, g.front()->drops_table() ? 1 : 0);
  put_journal_.bind(5, checksum(0, journal_bytes_)).run();
}

std::vector<sqlite_files::journal_entry> sqlite_files::read_journal(
    const std::function<bool(std::string_view table)>& wanted, std::size_t entries_max, std::size_t bytes_max) {
  sqlite_statement s = db_->prepare("select number, at_ms, changes, table_name, sum from journal order by number");
  std::vector<journal_entry> entries;
  std::size_t bytes = 0;
  while (entries.size() < entries_max && bytes < bytes_max && s.step()) {
    if (!wanted(s.text(3))) continue;
    const auto number = static_cast<std::uint64_t>(s.number(0));
    auto changes = read_group(s, 0, 2, 4);
    bytes += s.bytes(2).size();
    entries.push_back(
        {.number = number, .at_ms = static_cast<std::uint64_t>(s.number(1)), .changes = std::move(changes)});
  }
  return entries;
}

text_map<std::uint64_t> sqlite_files::journalled_drops() {
  sqlite_statement s = db_->prepare("select table_name, max(number) from journal where drops group by table_name");
  text_map<std::uint64_t> drops;
  while (s.step()) drops.emplace(std::string(s.text(0)), static_cast<std::uint64_t>(s.number(1)));
  return drops;
}

text_map<std::uint64_t> sqlite_files::journalled_tables() {
  sqlite_statement s = db_->prepare("select table_name, min(number) from journal group by table_name");
  text_map<std::uint64_t> tables;
  while (s.step()) tables.emplace(std::string(s.text(0)), static_cast<std::uint64_t>(s.number(1)));
  return tables;
}

std::vector<std::vector<std::string>> sqlite_files::journalled_groups() {
  // A group begins as no single statement does: with bytes that none of their names' lengths has.
  sqlite_statement s = db_->prepare("select changes from journal where substr(changes, 1, 5) = x'ffffffff02'");
  std::vector<std::vector<std::string>> groups;
  while (s.step()) {
    const change_group g = decode_group(s.bytes(0));
    const std::vector<std::string_view> tables = tables_of(g);
    groups.emplace_back(tables.begin(), tables.end());
  }
  return groups;
}

change_group sqlite_files::journalled_schema_changes(const std::function<bool(std::string_view table)>& wanted) {
  sqlite_statement s = db_->prepare("select number, changes, sum from journal order by number");
  change_group found;
  while (s.step()) {
    const auto group = read_group(s, 0, 1, 2);
    for (const auto& statement : *group) {
      if (statement->changes_schema() && wanted(statement->table_name())) found.push_back(statement);
    }
  }
  return found;
}

void sqlite_files::erase_journal(std::span<const journal_entry> entries) {
  sqlite_statement s = db_->prepare("delete from journal where number = ?");
  for (const journal_entry& e : entries) s.bind(1, static_cast<std::int64_t>(e.number)).run();
}

void sqlite_files::set_aside(const journal_entry& entry, const store_error& why) {
  journal_bytes_.clear();
  encode(*entry.changes, journal_bytes_);
  const std::string tables = table_names(*entry.changes);
  sqlite_statement s = db_->prepare("insert or replace into refused values (?, ?, ?, ?, ?, ?)");
  s.bind(1, static_cast<std::int64_t>(entry.number)).bind(2, static_cast<std::int64_t>(entry.at_ms));
  s.bind_text(3, tables).bind(4, why.code).bind_text(5, why.message).bind_bytes(6, journal_bytes_);
  s.run();
}

std::uint64_t sqlite_files::journal_size() const {
  return static_cast<std::uint64_t>(db_->number("select count(*) from journal"));
}

std::uint64_t sqlite_files::refused_size() const {
  return static_cast<std::uint64_t>(db_->number("select count(*) from refused"));
}

}  // namespace pubsubsql::storage::durable
