// What a subscription would have been sent for changes of the past.

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>

#include "storage/subscriptions.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

namespace {

bool matches(const subscriptions::definition& d, row_view row, std::int64_t now_us, sql::work_budget& budget) {
  if (d.where != nullptr) return d.where->matches(row, now_us, budget);
  if (!d.equality) return true;
  if (!d.column || !d.equality->text) return false;
  if (*d.column == id_column) return std::to_string(row.id()) == *d.equality->text;
  return row.at(*d.column) == d.equality->text;
}

}  // namespace

told_rights& subscriptions::rights() {
  if (rights_ == nullptr) rights_ = std::make_unique<told_rights>(table_->loaded_until());
  return *rights_;
}

/// Those of a whole row, as they were after the change. None of them has been dropped since.
std::span<const column_index> subscriptions::columns_then(const definition& d, const past_change& c) const {
  if (d.list != nullptr) return d.list->columns();
  std::span<const column_index> all = table_->all_columns();
  while (!all.empty() && all.back() >= c.columns) all = all.first(all.size() - 1);
  return all;
}

/// Those of an update event: what tells the row, and then what was set.
std::span<const column_index> subscriptions::columns_sent(std::span<const column_index> assigned) {
  if (!replayed_updates_.empty() && std::ranges::equal(replayed_updates_.back().assigned, assigned)) {
    return replayed_updates_.back().sent;
  }
  replayed_update& u = replayed_updates_.emplace_back();
  u.assigned.assign(assigned.begin(), assigned.end());
  u.sent.assign(table_->row_columns().begin(), table_->row_columns().end());
  for (const column_index column : assigned) {
    if (table_->shows_id() || std::ranges::find(u.sent, column) == u.sent.end()) u.sent.push_back(column);
  }
  return u.sent;
}

void subscriptions::replay_update(const definition& d, const past_change& c, sql::work_budget& budget,
                                  std::vector<event>& out) {
  const bool matched = matches(d, c.before, c.time_us, budget);
  const bool match = matches(d, c.after, c.time_us, budget);
  if (!matched && !match) return;
  event e{.action = event_action::update, .columns = {}, .row = c.after, .targets = {}, .sequence = c.sequence};
  if (!match) {
    e.action = event_action::remove;
    if (d.where != nullptr && d.where->hides_rows()) e.row = c.before;
    e.columns = columns_then(d, c);
  } else if (!matched) {
    e.action = event_action::add;
    e.columns = columns_then(d, c);
  } else if (d.list == nullptr) {
    e.columns = columns_sent(c.assigned);
  } else {
    e.columns = d.list->update_of(statement_, c.assigned).shown;
    if (!matching::differ(e.columns, c.before, c.after)) return;
  }
  out.push_back(e);
}

void subscriptions::replay(std::uint64_t pubsubid, change_history::reader changes, sql::work_budget& budget,
                           std::vector<event>& out) {
  const definition d = definition_of(pubsubid);
  replayed_updates_.clear();
  while (const past_change* const c = budget.steps_left > 0 ? changes.next() : nullptr) {
    switch (c->kind) {
      case change_kind::insert_row:
      case change_kind::delete_row: {
        const bool is_insert = c->kind == change_kind::insert_row;
        const row_view row = is_insert ? c->after : c->before;
        if (!matches(d, row, c->time_us, budget)) break;
        out.push_back({.action = is_insert ? event_action::insert : event_action::delete_row,
                       .columns = columns_then(d, *c),
                       .row = row,
                       .targets = {},
                       .sequence = c->sequence});
        break;
      }
      case change_kind::update_row:
        replay_update(d, *c, budget, out);
        break;
      default:
        break;
    }
  }
}

}  // namespace pubsubsql::storage
