#include "tests/unit/server/fake_store.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace pubsubsql::server {

using namespace storage;
using namespace storage::durable;

namespace {

constexpr std::string_view round_prefix = "round ";
/// More than any test's table has.
constexpr column_index columns_max = 16;

bool is_written(const change& c) {
  return c.kind == change_kind::insert_row || c.kind == change_kind::update_row;
}

bool mentions(const statement_changes& s, std::string_view word) {
  return std::ranges::any_of(s.changes(), [&](const change& c) {
    const row_view row = is_written(c) ? c.after : c.before;
    if (row.data() == nullptr) return false;
    for (column_index column = 1; column < columns_max; ++column) {
      const value v = row.at(column);
      if (is_written(c) && v && v->find(word) != std::string_view::npos) return true;
    }
    return false;
  });
}

bool mentions(const durable::write& w, std::string_view word) {
  return std::ranges::any_of(w.statements(), [&](const auto& s) { return mentions(*s, word); });
}

corrected_rows corrected(const statement_changes& s) {
  corrected_rows rows;
  for (const change& c : s.changes()) {
    if (!is_written(c)) continue;
    auto& row = rows.emplace_back();
    for (column_index column = 1; column < columns_max; ++column) {
      value v = c.after.at(column);
      if (v && v->starts_with(round_prefix)) v->remove_prefix(round_prefix.size());
      row.push_back(v ? std::optional<std::string>(*v) : std::nullopt);
    }
  }
  return rows;
}

}  // namespace

void fake_store::start(result_handler on_results) {
  on_results_ = std::move(on_results);
  thread_ = std::thread([this] { run(); });
}

void fake_store::hold(bool held) {
  {
    const std::scoped_lock lock(mutex_);
    held_ = held;
  }
  changed_.notify_all();
}

void fake_store::wait_for_writes(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return submitted_ >= count; });
}

void fake_store::submit(std::vector<durable::write>& writes) {
  {
    const std::scoped_lock lock(mutex_);
    submitted_ += writes.size();
    std::ranges::move(writes, std::back_inserter(waiting_));
  }
  writes.clear();
  changed_.notify_all();
}

void fake_store::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    held_ = false;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void fake_store::run() {
  for (;;) {
    std::vector<durable::write> transaction;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopped_ || (!held_ && !waiting_.empty()); });
      if (waiting_.empty()) return;
      const std::size_t count = 1 + random_() % waiting_.size();
      for (std::size_t i = 0; i < count; ++i) {
        transaction.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
    }
    commit(transaction);
  }
}

bool fake_store::is_dropped(const durable::write& w) {
  if (w.group != nullptr) return false;
  return !w.in_mysql && w.epoch <= tables_[std::string(w.changes->table_name())].dropped_epoch;
}

void fake_store::commit(std::vector<durable::write>& transaction) {
  result_sorter results(on_results_);
  std::erase_if(transaction, [this](const durable::write& w) { return is_dropped(w); });
  const bool broken = std::ranges::any_of(transaction, [](const durable::write& w) { return mentions(w, "break"); });
  for (const durable::write& w : transaction) {
    if (!broken && is_dropped(w)) continue;
    if (w.group != nullptr) {
      commit_group(w, broken, results);
      continue;
    }
    stored_table& t = tables_[std::string(w.changes->table_name())];
    if (broken || mentions(*w.changes, "refuse") || w.changes->table_name().starts_with("refuse")) {
      t.dropped_epoch = w.epoch;
      results.add({.origin = w.origin,
                   .what = write_result::fate::refused,
                   .error = {.code = 7, .sqlstate = "HY000", .message = "no"},
                   .rows = {}});
    } else if (!w.in_mysql && mentions(*w.changes, round_prefix)) {
      t.dropped_epoch = w.epoch;
      results.add(
          {.origin = w.origin, .what = write_result::fate::corrected, .error = {}, .rows = corrected(*w.changes)});
    } else {
      apply(t, *w.changes);
      results.add({.origin = w.origin});
    }
  }
  results.hand_over();
}

void fake_store::commit_group(const durable::write& w, bool broken, result_sorter& results) {
  if (broken || mentions(w, "refuse")) {
    results.add({.origin = w.origin,
                 .what = write_result::fate::refused,
                 .error = {.code = 7, .sqlstate = "HY000", .message = "no"},
                 .rows = {}});
    return;
  }
  for (const auto& s : *w.group) apply(tables_[std::string(s->table_name())], *s);
  results.add({.origin = w.origin});
}

void fake_store::apply(stored_table& t, const statement_changes& s) {
  for (const change& c : s.changes()) {
    if (c.kind == change_kind::create_table && t.sequence != 0) problems_.emplace_back("a table was made twice");
    if (c.kind == change_kind::create_table) t.sequence = c.sequence - 1;  // numbers begin with the time
    if (c.sequence != ++t.sequence) {
      problems_.push_back(std::string(s.table_name()) + ": change " + std::to_string(c.sequence) + " came as number " +
                          std::to_string(t.sequence));
      t.sequence = c.sequence;
    }
    if (c.kind == change_kind::delete_row) {
      if (t.rows.erase(c.before.position()) != 1) problems_.emplace_back("a row that is not there was deleted");
    }
    if (!is_written(c)) continue;
    if (t.rows.contains(c.after.position()) != (c.kind == change_kind::update_row)) {
      problems_.emplace_back("a row was inserted twice, or updated and not there");
    }
    auto& row = t.rows[c.after.position()];
    row.assign(1, std::nullopt);
    for (column_index column = 1; column < columns_max; ++column) {
      const value v = c.after.at(column);
      row.push_back(v ? value(t.texts.emplace_back(*v)) : value{});
    }
  }
}

std::string fake_store::rows_of(const std::string& table) const {
  const auto t = tables_.find(table);
  if (t == tables_.end()) return {};
  std::string out;
  for (const auto& [position, row] : t->second.rows) {
    out += std::to_string(id_of(position)) + ":";
    std::size_t end = row.size();
    while (end > 1 && !row[end - 1]) --end;
    for (std::size_t i = 1; i < end; ++i) out += (row[i] ? std::string(*row[i]) : "null") + ",";
    out += ";";
  }
  return out;
}

}  // namespace pubsubsql::server
