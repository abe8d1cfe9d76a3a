// The latest changes of tables, kept for subscribers that come back.

#include <algorithm>
#include <utility>

#include "parser/print_expression.hpp"
#include "storage/executor.hpp"
#include "storage/shown_bytes.hpp"

namespace pubsubsql::storage {

namespace {

/// Where all histories are too large, they shrink to this part of what they may be, and the largest by this part of
/// itself at a time: so this is rare, and short.
constexpr std::size_t relieved_of_16 = 15;
constexpr std::size_t largest_kept_of_4 = 3;

constexpr std::uint64_t seconds_max = std::uint64_t{1} << 32U;
constexpr std::int64_t us_per_second = 1'000'000;

}  // namespace

std::uint64_t executor::first_number() const {
  return std::max(static_cast<std::uint64_t>(std::max<std::int64_t>(who_.now_us, 0)), numbers_used_);
}

void executor::trim_history(const table& t, change_history& h, std::int64_t now_us) const {
  const parser::history_setting& setting = *t.history_setting();
  const std::uint64_t seconds = std::min(setting.seconds.value_or(limits_.history_seconds_max), seconds_max);
  h.trim(setting.bytes.value_or(limits_.history_bytes_max),
         now_us - static_cast<std::int64_t>(seconds) * us_per_second);
}

void executor::keep_history(const table& t, change_history& h) {
  for (const change& c : log_.changes()) {
    if (c.kind == change_kind::acknowledge) continue;
    if (parts_history(c)) {
      h.begin_after(c.sequence);
      continue;
    }
    h.append({.sequence = c.sequence,
              .time_us = std::max(who_.now_us, h.latest_us()),  // repairs know of no time
              .kind = c.kind,
              .columns = t.column_count(),
              .before = c.before,
              .after = c.after,
              .assigned = c.kind == change_kind::update_row ? c.assigned : std::span<const column_index>()});
    trim_history(t, h, who_.now_us);
  }
  if (history_totals_.bytes > limits_.history_total_bytes_max) relieve_histories();
}

void executor::relieve_histories() {
  while (history_totals_.bytes > limits_.history_total_bytes_max / 16 * relieved_of_16) {
    change_history* largest = nullptr;
    for (const auto& [name, t] : tables_) {
      change_history* const h = t->history();
      if (h != nullptr && (largest == nullptr || h->bytes() > largest->bytes())) largest = h;
    }
    if (largest == nullptr || largest->bytes() == 0) return;
    largest->trim(largest->bytes() / 4 * largest_kept_of_4, INT64_MIN);
  }
}

void executor::forget_old_changes(std::int64_t now_us) {
  if (history_totals_.bytes == 0) return;
  for (const auto& [name, t] : tables_) {
    if (change_history* const h = t->history()) trim_history(*t, *h, now_us);
  }
}

void executor::ask_for_history(table& t, bool takes_number) {
  if (t.history_setting() && !takes_number) return;
  const parser::history_setting setting = t.history_setting().value_or(parser::history_setting());
  if (t.name().starts_with(own_tables)) return t.set_history(setting);  // they are in no store
  log_.set_history(t, setting);
}

/// No change of the table tells that what a user may see is another than before.
std::uint64_t executor::told_since(table& t) {
  if (who_.user == nullptr) return 0;
  told_rights::viewer v{.user = who_.user->name(), .rights = who_.user->serial(), .rows = {}};
  const parser::expression* const rows = who_.user->on(t.name()).rows_of(parser::right::subscribe);
  if (rows != nullptr) parser::print_expression(v.rows, *rows);
  const subscriptions& all = t.subscribers();
  return t.subscribers().rights().begin(std::move(v), t.sequence(), [&](std::uint64_t id) { return all.has(id); });
}

void executor::note_told(table& t) {
  if (who_.user == nullptr) return;
  const subscriptions& all = t.subscribers();
  t.subscribers().rights().add(who_.user->name(), who_.pubsubid, [&](std::uint64_t id) { return all.has(id); });
}

bool executor::can_resume(table& t, std::uint64_t since) {
  if (!may_resume_) return false;
  change_history* const h = t.history();
  if (h == nullptr) return since == t.sequence();
  trim_history(t, *h, who_.now_us);
  return h->bytes() <= limits_.result_bytes_max && h->reaches_back_to(since, t.sequence());
}

/// What the subscription has missed; where that is more than a result may have, it begins anew. Sets `resumes_`.
executor::failure executor::replay(table& t, const parser::subscribe_statement& s, std::uint64_t since) {
  if (const change_history* const h = t.history()) {
    t.subscribers().begin_statement(who_.now_us, budget_);
    t.subscribers().replay(who_.pubsubid, h->after(since), budget_, replayed_);
  }
  if (auto failed = check_steps()) return failed;
  resumes_ = replayed_fits(t);
  if (!resumes_) {
    replayed_.clear();
    return shows_rows(s) ? find_again(t, who_.pubsubid) : std::nullopt;
  }
  outcome_.replayed = replayed_;
  return std::nullopt;
}

/// Whether what is replayed is no more than a result may have, in the messages that it is sent in.
bool executor::replayed_fits(const table& t) const {
  std::size_t bytes = 0;
  std::size_t rows = 0;
  const event* first = nullptr;  // of the message
  for (const event& e : replayed_) {
    if (first == nullptr || rows == rows_per_message || first->action != e.action ||
        !std::ranges::equal(first->columns, e.columns)) {
      for (const column_index column : e.columns) bytes += shown_bytes(value{t.column_name(column)});
      first = &e;
      rows = 0;
    }
    ++rows;
    bytes += shown_bytes(e.row, e.columns);
    if (bytes > limits_.result_bytes_max) return false;
  }
  return true;
}

}  // namespace pubsubsql::storage
