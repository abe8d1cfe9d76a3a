// What a lane does when MySQL is back: finds out what arrived, and delivers what waits.

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <spdlog/spdlog.h>

#include "storage/durable/mysql_copy.hpp"
#include "storage/durable/mysql_lane.hpp"
#include "storage/durable/table_comparison.hpp"

namespace pubsubsql::storage::durable {

std::uint64_t& mysql_lane::arrived_sequence(std::string_view table) {
  if (const auto it = arrived_.find(table); it != arrived_.end()) return it->second;
  const auto position = positions_->read(table);
  if (position && !positions_->is_ours(*position)) {
    throw mysql_error(
        0, "HY000",
        "table " + std::string(table) + " in MySQL is that of another data directory; rename one of the two");
  }
  const std::uint64_t sequence = position ? position->sequence : 0;
  return arrived_.emplace(std::string(table), sequence).first->second;
}

bool mysql_lane::has_arrived(const statement_changes& s) {
  // An acknowledgement has no number of its own that would tell.
  return !s.is_acknowledgement() && s.sequence() <= arrived_sequence(s.table_name());
}

namespace {

/// What the columns were before a change, given what they are after it and others. One that is dropped is in its place
/// and has its name, and those that come are gone again; which of them MySQL has got shows when it is looked at.
void take_back(std::vector<catalog_column>& columns, const change& c) {
  if (c.column > columns.size()) return;
  if (c.kind == change_kind::add_column) columns.resize(c.column - 1);
  if (c.kind == change_kind::drop_column) columns[c.column - 1] = {.name = std::string(c.name), .dropped = true};
}

}  // namespace

/// MySQL has the columns that tables had before what of the journal has still to be delivered.
void mysql_lane::take_told_columns() {
  if (told_columns_.empty() || journal_ == nullptr) return;
  change_group changing;
  journal_->run_in_transaction([&](sqlite_files& files) {
    changing =
        files.journalled_schema_changes([this](std::string_view table) { return told_columns_.contains(table); });
  });
  text_map<std::vector<catalog_column>> told = told_columns_;
  for (const auto& s : changing) {
    if (has_arrived(*s)) continue;
    std::vector<catalog_column>& columns = told.find(s->table_name())->second;
    for (const change& c : s->changes()) take_back(columns, c);
  }
  connection_->run("COMMIT");
  for (auto& [table, columns] : told) catalog_.set_columns(table, std::move(columns));
  told_columns_.clear();
}

namespace {

/// Statements of the journal that are delivered together.
constexpr std::size_t journal_piece_statements = 2'000;

}  // namespace

/// What of the entries has still to be written. Of a table that is dropped by a later entry nothing has. `arrived` gets
/// what MySQL has already, though its answer was lost.
std::vector<write> mysql_lane::writes_of(std::span<const sqlite_files::journal_entry> entries,
                                         const text_map<std::uint64_t>& drops, change_group& arrived) {
  std::vector<write> writes;
  std::vector<std::string_view> begin_anew;
  for (const sqlite_files::journal_entry& e : entries) {
    change_group rest;
    for (const auto& s : *e.changes) {
      const auto drop = drops.find(s->table_name());
      if (drop != drops.end() && drop->second > e.number) continue;
      const bool counts_anew = std::ranges::find(begin_anew, s->table_name()) != begin_anew.end();
      if (!counts_anew && has_arrived(*s)) {
        arrived.push_back(s);
        continue;
      }
      if (s->drops_table()) begin_anew.push_back(s->table_name());
      rest.push_back(s);
    }
    if (rest.empty()) continue;
    write& w = writes.emplace_back();
    w.origin.ticket = e.number;
    w.awaited = false;
    if (rest.size() == 1) {
      w.changes = std::move(rest.front());
    } else {
      w.group = std::make_shared<const change_group>(std::move(rest));
    }
  }
  return writes;
}

/// What MySQL made of values was in the answer that was lost.
void mysql_lane::correct_arrived(std::span<const std::shared_ptr<const statement_changes>> arrived) {
  if (!on_correction_) return;  // tables are still to be loaded from MySQL
  for (const auto& s : arrived) {
    if (s->drops_table()) continue;
    try {
      if (const auto rows = writer_->read_back(*s)) on_correction_(s, *rows);
    } catch (const mysql_error& e) {
      if (e.is_outage()) throw;
      spdlog::warn("table {}: what MySQL made of values cannot be read: {}", s->table_name(), e.what());
    }
  }
}

bool mysql_lane::deliver_journal_piece() {
  if (journal_ == nullptr) return false;
  std::vector<sqlite_files::journal_entry> entries;
  text_map<std::uint64_t> drops;
  journal_->run_in_transaction([&](sqlite_files& files) {
    if (!blocked_.empty()) block_with_groups(files.journalled_groups());
    const auto is_mine = [this](std::string_view table) {
      return lanes_.lane_of(table) == number_ && !blocked_.contains(table);
    };
    entries = files.read_journal(is_mine, journal_piece_statements, settings_.transaction_bytes_max);
    drops = files.journalled_drops();
  });
  if (entries.empty()) return false;
  change_group arrived;
  std::vector<write> writes = writes_of(entries, drops, arrived);
  if (overwrite_where_mysql_is_ahead(writes)) return true;  // there are fewer entries now
  correct_arrived(arrived);
  connection_->run("COMMIT");
  set_aside_.clear();
  delivering_ = true;
  try {
    write_online(writes);
  } catch (const mysql_error& e) {
    delivering_ = false;
    committing_ = false;
    // Before start() tables are to be loaded from MySQL, and it would lack these changes.
    const write* at = finished_ < writes.size() ? &writes[finished_] : nullptr;
    const auto changes_schema = [](const auto& s) { return s->changes_schema(); };
    if (e.code() != mysql_error::command_denied || at == nullptr ||
        !std::ranges::any_of(at->statements(), changes_schema) || !thread_.joinable()) {
      throw;
    }
    connection_->run("ROLLBACK");
    for (const auto& s : at->statements()) block(s->table_name(), e);
    const auto stop = std::ranges::find(entries, at->origin.ticket, &sqlite_files::journal_entry::number);
    finish_journal_piece({entries.begin(), stop});
    return true;
  }
  delivering_ = false;
  finish_journal_piece(entries);
  return true;
}

/// These have been delivered, or MySQL has refused them.
void mysql_lane::finish_journal_piece(std::span<const sqlite_files::journal_entry> entries) {
  journal_->run_in_transaction([&](sqlite_files& files) {
    for (const auto& [number, why] : set_aside_) {
      const auto entry = std::ranges::find(entries, number, &sqlite_files::journal_entry::number);
      files.set_aside(*entry, why);
    }
    files.erase_journal(entries);
  });
}

void mysql_lane::block(std::string_view table, const mysql_error& why) {
  const std::string text = "table " + std::string(table) + ": " + why.what();
  if (!was_blocked_.contains(table)) {
    spdlog::error("{}; its changes wait in the journal until the login has that right", text);
  }
  blocked_.insert_or_assign(std::string(table), text);
  retry_blocked_at_ = clock::now() + settings_.retry_blocked;
  std::string all;
  for (const auto& [name, of_table] : blocked_) {
    if (all.find(of_table) == std::string::npos) all += (all.empty() ? "" : "; ") + of_table;
  }
  set_error(blocked_text_, all + "; grant it, and the journal of the table is delivered within seconds");
}

bool mysql_lane::is_blocked(const write& w) const {
  if (blocked_.empty() || delivering_) return false;
  return std::ranges::any_of(w.statements(), [&](const auto& s) { return blocked_.contains(s->table_name()); });
}

/// What is held up of a transaction's tables holds up the others: their later changes stay behind it. Returns whether
/// it did.
bool mysql_lane::block_together(std::span<const std::string_view> tables) {
  const auto is_held = [this](std::string_view table) { return blocked_.contains(table); };
  const auto held = std::ranges::find_if(tables, is_held);
  if (held == tables.end() || std::ranges::all_of(tables, is_held)) return false;
  const std::string why = blocked_.find(*held)->second;
  for (const std::string_view table : tables) blocked_.try_emplace(std::string(table), why);
  return true;
}

/// So that no transaction of the journal is parted: what one holds up may hold up another.
void mysql_lane::block_with_groups(std::span<const std::vector<std::string>> groups) {
  bool more = true;
  while (more) {
    more = false;
    for (const std::vector<std::string>& tables : groups) {
      const std::vector<std::string_view> names(tables.begin(), tables.end());
      more = block_together(names) || more;
    }
  }
}

void mysql_lane::unblock() {
  blocked_.clear();
  set_error(blocked_text_, {});
}

/// Whether the right has been granted shows by trying, on a new connection: a session keeps its rights on a database.
void mysql_lane::retry_blocked() {
  try {
    connect();
    was_blocked_ = std::exchange(blocked_, {});
    while (deliver_journal_piece()) {
    }
    was_blocked_.clear();
    if (blocked_.empty()) unblock();
  } catch (const mysql_error& e) {
    lose_connection(e);
  } catch (const sqlite_error& e) {
    lose_connection(mysql_error(e.code(), "HY000", std::string("the journal cannot be read: ") + e.what()));
  }
}

/// Gives up what MySQL has already, though its answer was lost. When it cannot be asked, everything stays.
void mysql_lane::forget_postponed_that_arrived() {
  std::vector<bool> arrived;
  for (const write& w : postponed_) {
    arrived.push_back(std::ranges::all_of(w.statements(), [this](const auto& s) { return has_arrived(*s); }));
    if (arrived.back()) correct_arrived(w.statements());
  }
  connection_->run("COMMIT");
  std::vector<write> rest;
  rest.reserve(postponed_.size());
  for (std::size_t i = 0; i < postponed_.size(); ++i) {
    if (arrived[i]) {
      queue_.done({&postponed_[i], 1});
    } else {
      rest.push_back(std::move(postponed_[i]));
    }
  }
  postponed_ = std::move(rest);
}

void mysql_lane::deliver_postponed() {
  forget_postponed_that_arrived();
  std::vector<write> writes = std::exchange(postponed_, {});
  redelivering_ = true;
  try {
    write_online(writes);
  } catch (...) {
    redelivering_ = false;
    committing_ = false;
    postponed_.assign(std::make_move_iterator(writes.begin() + static_cast<std::ptrdiff_t>(finished_)),
                      std::make_move_iterator(writes.end()));
    throw;
  }
  redelivering_ = false;
}

void mysql_lane::make_claims() {
  if (claims_.empty()) return;
  for (const claimed_table& t : claims_) {
    positions_->store(t.name, t.next_id, t.sequence);
    positions_->claim(t.name);
  }
  connection_->run("COMMIT");
  for (const claimed_table& t : claims_) arrived_.insert_or_assign(t.name, t.sequence);
  claims_.clear();
}

/// The clients of these were told that nothing was changed, and memory agrees. What did get through is taken back.
void mysql_lane::revert_doubtful() {
  while (!doubtful_.empty()) {
    const auto statements = doubtful_.back().statements();
    for (auto s = statements.rbegin(); s != statements.rend(); ++s) {
      if (has_arrived(**s) || (*s)->changes_schema()) revert(**s);
    }
    doubtful_.pop_back();
  }
}

/// A table that got dropped is made again with the rows it had.
void mysql_lane::revert_drop(const statement_changes& s) {
  const change& drop = s.changes().back();
  const bool is_there = read_table(*connection_, s.table_name()).has_value();
  connection_->run("ROLLBACK");
  if (is_there || drop.declared == nullptr) return;
  writer_->undo_schema_change(s.table_name(), drop);
  const mysql_table& t = catalog_.get(*connection_, s.table_name());
  connection_->run("START TRANSACTION");
  for (const change& c : s.changes()) {
    if (c.kind == change_kind::delete_row) writer_->put_row(t, c.before);
  }
  const std::uint64_t before = s.changes().front().sequence - 1;
  positions_->store(s.table_name(), s.next_id(), before);
  positions_->claim(s.table_name());
  connection_->run("COMMIT");
  arrived_.insert_or_assign(std::string(s.table_name()), before);
  spdlog::warn("table {} was dropped in MySQL by a statement that had been answered with an error; it was made again",
               s.table_name());
}

void mysql_lane::revert(const statement_changes& s) {
  if (s.drops_table()) return revert_drop(s);
  if (has_arrived(s)) {
    const mysql_table& t = catalog_.get(*connection_, s.table_name());
    connection_->run("START TRANSACTION");
    for (auto c = s.changes().rbegin(); c != s.changes().rend(); ++c) {
      if (c->after.data() != nullptr) writer_->erase_row(t, c->after);
      if (c->before.data() != nullptr) writer_->put_row(t, c->before);
      if (!is_about_rows(c->kind)) revert_setting(s, *c);
    }
    const std::uint64_t before = s.changes().front().sequence - 1;
    positions_->store(s.table_name(), s.next_id(), before);
    connection_->run("COMMIT");
    arrived_sequence(s.table_name()) = before;
    spdlog::warn("a change of table {} that had been answered with an error was taken back in MySQL", s.table_name());
  }
  for (auto c = s.changes().rbegin(); c != s.changes().rend(); ++c) {
    if (!is_about_schema(c->kind)) continue;
    try {
      if (writer_->is_used_by_others(s.table_name(), *c)) {
        spdlog::warn(
            "table {}: what others have written there stays in MySQL, though the statement that made {} was "
            "answered with an error",
            s.table_name(), c->kind == change_kind::add_column ? c->name : "it");
        continue;
      }
      writer_->undo_schema_change(s.table_name(), *c);
    } catch (const mysql_error& e) {
      if (e.is_outage()) throw;  // otherwise it had not been made
    }
  }
}

// Tables that other lanes wrote

void mysql_lane::give(table_handover& tables) {
  const auto goes = [&](std::string_view table) {
    return std::ranges::find(tables.tables(), table) != tables.tables().end();
  };
  const auto move_writes = [&](std::vector<write>& from, std::vector<write>& to) {
    const auto stays = [&](const write& w) { return !goes(w.statements().front()->table_name()); };
    const auto first = std::stable_partition(from.begin(), from.end(), stays);
    to.assign(std::make_move_iterator(first), std::make_move_iterator(from.end()));
    from.erase(first, from.end());
  };
  table_handover::luggage all;
  all.settled = is_online();
  for (const std::string& name : tables.tables()) {
    if (auto columns = catalog_.columns_known(name)) all.columns.emplace_back(name, std::move(*columns));
    if (auto told = told_columns_.extract(name)) all.told_columns.emplace_back(name, std::move(told.mapped()));
    if (const auto why = catalog_.refusal(name)) all.refused.emplace_back(name, *why);
    catalog_.erase(name);
    catalog_.accept(name);
    arrived_.erase(name);
    void_epochs_.erase(name);
    if (blocked_.erase(name) > 0) all.settled = false;
  }
  move_writes(postponed_, all.postponed);
  move_writes(doubtful_, all.doubtful);
  std::erase_if(claims_, [&](claimed_table& t) {
    if (!goes(t.name)) return false;
    all.claims.push_back(std::move(t));
    return true;
  });
  tables.give(std::move(all));
}

/// Returns false when MySQL has not yet got all that came before for tables that this lane takes over: then it has to
/// connect again, which delivers it.
bool mysql_lane::take_over(write& w) {
  bool settled = true;
  for (const auto& tables : std::exchange(w.handovers, {})) {
    table_handover::luggage all = tables->take();
    for (auto& [name, columns] : all.told_columns) tell_columns(name, std::move(columns));
    for (auto& [name, columns] : all.columns) catalog_.set_columns(name, std::move(columns));
    for (const auto& [name, why] : all.refused) catalog_.refuse(name, why);
    std::ranges::move(all.postponed, std::back_inserter(postponed_));
    std::ranges::move(all.doubtful, std::back_inserter(doubtful_));
    std::ranges::move(all.claims, std::back_inserter(claims_));
    settled = settled && all.settled;
  }
  return settled;
}

}  // namespace pubsubsql::storage::durable
