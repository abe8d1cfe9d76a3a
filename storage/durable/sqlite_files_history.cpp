// The latest changes of tables, for subscribers that come back after a restart.

#include <algorithm>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "storage/durable/checksum.hpp"
#include "storage/durable/history_coding.hpp"
#include "storage/durable/sqlite_files.hpp"

namespace pubsubsql::storage::durable {

namespace {

std::string_view bytes_of(std::span<const column_index> columns) {
  return {reinterpret_cast<const char*>(columns.data()), columns.size_bytes()};
}

std::int64_t sum_of(std::uint64_t sequence, std::string_view before, std::string_view after,
                    std::string_view assigned) {
  const auto number = static_cast<std::int64_t>(sequence);
  return checksum(checksum(checksum(number, before), after), assigned);
}

/// One row of the table `history`: its change, whose views are valid until the statement steps on.
bool read_change(const sqlite_statement& row, std::vector<column_index>& assigned, past_change& out) {
  const std::string_view before = row.bytes(4);
  const std::string_view after = row.bytes(5);
  const std::string_view columns = row.bytes(6);
  out = {.sequence = static_cast<std::uint64_t>(row.number(0)),
         .time_us = row.number(1),
         .kind = static_cast<change_kind>(row.number(2)),
         .columns = static_cast<std::uint32_t>(row.number(3))};
  if (sum_of(out.sequence, before, after, columns) != row.number(7)) return false;
  if (!set_rows(out, before, after)) return false;
  assigned.resize(columns.size() / sizeof(column_index));
  if (!assigned.empty()) std::memcpy(assigned.data(), columns.data(), assigned.size() * sizeof(column_index));
  out.assigned = assigned;
  return true;
}

}  // namespace

void sqlite_files::set_history(std::int64_t table, const std::optional<parser::history_setting>& h) {
  sqlite_statement s =
      db_->prepare("update tables set history = ?, history_bytes = ?, history_seconds = ? where number = ?");
  if (h) s.bind(1, h->on ? 1 : 0);
  if (h && h->bytes) s.bind(2, static_cast<std::int64_t>(*h->bytes));
  if (h && h->seconds) s.bind(3, static_cast<std::int64_t>(*h->seconds));
  s.bind(4, table).run();
  if (!h || !h->on) db_->run("delete from history where table_number = " + std::to_string(table));
}

std::optional<parser::history_setting> sqlite_files::read_history(const sqlite_statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  parser::history_setting h{.on = row.number(column) != 0};
  if (!row.is_null(column + 1)) h.bytes = static_cast<std::uint64_t>(row.number(column + 1));
  if (!row.is_null(column + 2)) h.seconds = static_cast<std::uint64_t>(row.number(column + 2));
  return h;
}

/// What memory has forgotten is forgotten here, too.
void sqlite_files::keep_history(open_table& t, const statement_changes& s) {
  const statement_changes::history& kept = *s.kept();
  if (kept.begins_after > t.history_after) {
    trim_history_.bind(1, t.number).bind(2, static_cast<std::int64_t>(kept.begins_after)).run();
    t.history_after = kept.begins_after;
  }
  for (const change& c : s.changes()) {
    if (c.sequence <= kept.begins_after || c.kind == change_kind::acknowledge) continue;
    const bool is_update = c.kind == change_kind::update_row;
    const std::string_view before = c.before.bytes();
    const std::string_view after = c.after.bytes();
    const std::string_view assigned = is_update ? bytes_of(c.assigned) : std::string_view();
    put_history_.bind(1, t.number).bind(2, static_cast<std::int64_t>(c.sequence)).bind(3, kept.time_us);
    put_history_.bind(4, static_cast<std::int64_t>(c.kind)).bind(5, static_cast<std::int64_t>(kept.columns));
    put_history_.bind_bytes(6, before).bind_bytes(7, after).bind_bytes(8, assigned);
    put_history_.bind(9, sum_of(c.sequence, before, after, assigned)).run();
  }
}

sqlite_files::row_sums sqlite_files::sums_of_rows(std::int64_t table) const {
  const std::string rows = "rows_" + std::to_string(table);
  return {.rows = db_->number("select count(*) from " + rows),
          .sum = db_->number("select coalesce(sum(sum), 0) from " + rows)};
}

namespace {

/// What either knows of, with the position that is further.
std::vector<subscription_description> merged(std::vector<subscription_description> a,
                                             std::vector<subscription_description> b) {
  for (subscription_description& s : b) {
    const auto same = std::ranges::find(a, s.name, &subscription_description::name);
    if (same == a.end()) {
      a.push_back(std::move(s));
    } else if (same->guarded == s.guarded) {
      same->position = std::max(same->position, s.position);
    }
  }
  return a;
}

}  // namespace

/// Others may have changed the rows in MySQL, which no number tells: that is seen when the rows have come.
table_description sqlite_files::replace_table(const table_description& d) {
  sqlite_statement s =
      db_->prepare("select number, sequence, history, history_bytes, history_seconds from tables where name = ?");
  s.bind_text(1, d.name);
  table_description made = d;
  std::int64_t before = 0;
  if (s.step()) {
    if (!made.history) made.history = read_history(s, 2);
    made.subscriptions = merged(std::move(made.subscriptions), read_subscriptions(s.number(0)));
    if (made.history && static_cast<std::uint64_t>(s.number(1)) == d.sequence) before = s.number(0);
  }
  s = {};
  if (before != 0) replaced_.insert_or_assign(d.name, sums_of_rows(before));
  if (before != 0) db_->run("update history set table_number = 0 where table_number = " + std::to_string(before));
  drop_table(d.name);
  const std::int64_t now = create(made).number;
  if (before != 0) db_->run("update history set table_number = " + std::to_string(now) + " where table_number = 0");
  return made;
}

void sqlite_files::load_history(std::string_view table, table_loader& to) {
  sqlite_statement s = db_->prepare("select number, sequence from tables where name = ?");
  s.bind_text(1, table);
  if (!s.step()) return;
  const std::int64_t number = s.number(0);
  const auto sequence = static_cast<std::uint64_t>(s.number(1));
  s = {};
  if (const auto before = replaced_.find(table); before != replaced_.end()) {
    const bool is_same = before->second == sums_of_rows(number);
    replaced_.erase(before);
    if (!is_same) {
      db_->run("delete from history where table_number = " + std::to_string(number));
      return to.on_lost_change(sequence + 1);  // its numbers go on behind that: see continuing_loader
    }
  }
  load_history(number, table, to);
}

/// A change that is damaged costs those before it: who asks for them begins anew.
void sqlite_files::load_history(std::int64_t number, std::string_view name, table_loader& to) {
  sqlite_statement rows = db_->prepare(
      "select sequence, at_us, kind, columns, before, after, assigned, sum from history where table_number = ? order "
      "by sequence");
  rows.bind(1, number);
  std::vector<column_index> assigned;
  past_change c;
  while (rows.step()) {
    if (read_change(rows, assigned, c)) {
      to.on_change(c);
    } else {
      spdlog::error("table {}: change {} that was kept for subscribers is damaged; those before it are forgotten", name,
                    c.sequence);
      to.on_lost_change(c.sequence);
    }
  }
}

}  // namespace pubsubsql::storage::durable
