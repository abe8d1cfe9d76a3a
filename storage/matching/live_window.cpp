#include "storage/matching/live_window.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <utility>

#include "storage/errors.hpp"
#include "storage/row_order.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage::matching {

namespace {

/// Enough for what most keys compute on their way.
constexpr std::size_t usual_key_bytes = 256;

}  // namespace

std::optional<error> live_window::make(const parser::subscribe_statement& s, const table& t,
                                       std::unique_ptr<row_filter> filter, std::string_view filter_text,
                                       std::optional<std::span<const std::string_view>> columns,
                                       std::unique_ptr<live_query>& out) {
  std::unique_ptr<live_window> made(new live_window(s, std::move(filter), filter_text));
  if (columns) made->list_ = std::make_unique<column_list>(*columns);
  made->limit_ = s.limit->count;
  if (auto failed = made->bind_statement(s, t, false)) return failed;
  const auto by_time = [](const sort_key& k) { return k.value.depends_on_time(); };
  if (std::ranges::any_of(made->order_, by_time)) return subscribe_by_time();
  out = std::move(made);
  return std::nullopt;
}

std::optional<error> live_window::bind_statement(const parser::subscribe_statement& s, const table& t,
                                                 bool unknown_is_null) {
  sql::name_scope names{.of = &t, .unknown_is_null = unknown_is_null};
  std::vector<sort_key> order;
  for (const parser::order_item& item : s.order_by) {
    bool out_of_list = false;
    const auto listed = listed_expression(*item.value, &s.columns, out_of_list);
    if (out_of_list) return unknown_place(item.value->text, "order clause");
    sort_key& k = order.emplace_back();
    k.descending = item.descending;
    if (auto failed = sql::bound_expression::bind(listed ? *listed : *item.value, names, k.value)) return failed;
  }
  order_ = std::move(order);
  table_ = &t;
  if (list_) list_->bind(t);
  return std::nullopt;
}

std::span<const column_index> live_window::columns() const {
  return list_ ? list_->columns() : table_->all_columns();
}

live_window::place live_window::place_of(row_view row, std::int64_t now_us, sql::work_budget& budget) const {
  std::array<std::byte, usual_key_bytes> bytes;
  std::pmr::monotonic_buffer_resource memory(bytes.data(), bytes.size());
  sql::evaluation e(memory, now_us, &budget);
  place p{.key = {}, .position = row.position()};
  for (const sort_key& k : order_) {
    e.begin();
    append_sort_key(p.key, k.value, k.descending, {.row = row}, e);
  }
  return p;
}

void live_window::put_inside(place p) {
  moved_[p.position].is = true;
  inside_.insert(std::move(p));
}

void live_window::put(place p) {
  if (!outside_.empty() && *outside_.begin() < p) {
    outside_.insert(std::move(p));
    return;
  }
  put_inside(std::move(p));
  if (inside_.size() <= limit_) return;
  const auto last = std::prev(inside_.end());
  auto& m = moved_.try_emplace(last->position, movement{.was = true, .is = false}).first->second;
  m.is = false;
  outside_.insert(std::move(inside_.extract(last).value()));
}

bool live_window::take(const place& p) {
  if (outside_.erase(p) > 0) return true;
  if (inside_.erase(p) == 0) return false;
  moved_.try_emplace(p.position, movement{.was = true, .is = false}).first->second.is = false;
  return true;
}

/// Rows from outside take the places that have become free.
void live_window::fill() {
  while (inside_.size() < limit_ && !outside_.empty()) {
    put_inside(std::move(outside_.extract(outside_.begin()).value()));
  }
}

void live_window::clear() {
  outside_.clear();
  for (const place& p : inside_) {
    moved_.try_emplace(p.position, movement{.was = true, .is = false}).first->second.is = false;
  }
  inside_.clear();
}

void live_window::change(const row_change& c, std::int64_t now_us, sql::work_budget& budget) {
  std::optional<place> now;
  if (c.after.data() != nullptr && matches(c.after, now_us, budget)) now = place_of(c.after, now_us, budget);
  if (c.before.data() != nullptr) {
    const place before = place_of(c.before, now_us, budget);
    if (now && *now == before) {
      if (inside_.contains(before)) {
        moved_.try_emplace(before.position, movement{.was = true, .is = true});
        return;
      }
      if (outside_.contains(before)) return;
    } else {
      take(before);
    }
  }
  if (now) put(std::move(*now));
  fill();
}

row_view live_window::row_at(row_position position) const {
  const auto row = table_->directory().find(position);
  return row ? table_->get(*row) : row_view();
}

void live_window::send_update(const statement_result& result, row_view before, row_view after,
                              std::vector<event>& out) {
  if (!list_) return send(event_action::update, after, result.sent, out);
  const std::vector<column_index>& shown = list_->update_of(result.statement, result.assigned).shown;
  if (differ(shown, before, after)) send(event_action::update, after, shown, out);
}

void live_window::tell(const statement_result& result, sql::work_budget&, std::vector<event>& out) {
  std::vector<std::pair<row_position, movement>> moved(moved_.begin(), moved_.end());
  moved_.clear();
  std::ranges::sort(moved, {}, [](const auto& m) { return m.first; });
  const auto shown = list_ ? list_->columns() : result.all;
  std::vector<event> added;
  std::vector<event> updated;
  for (const auto& [position, m] : moved) {
    const row_change* const touched = result.find(position);
    const row_view now = touched != nullptr ? touched->after : row_at(position);
    if (m.was && !m.is) {
      const bool is_hidden = touched != nullptr && now.data() != nullptr && filter_ && filter_->hides_rows();
      if (now.data() != nullptr)
        send(event_action::remove, is_hidden ? touched->before : now, shown, out);
      else if (touched != nullptr)
        send(event_action::delete_row, touched->before, shown, out);
    } else if (m.is && !m.was) {
      const bool inserted = touched != nullptr && touched->before.data() == nullptr;
      send(inserted ? event_action::insert : event_action::add, now, shown, added);
    } else if (m.is && touched != nullptr) {
      send_update(result, touched->before, now, updated);
    }
  }
  out.insert(out.end(), added.begin(), added.end());
  out.insert(out.end(), updated.begin(), updated.end());
}

void live_window::show(std::vector<row_view>& out) const {
  for (const place& p : inside_) out.push_back(row_at(p.position));
}

}  // namespace pubsubsql::storage::matching
