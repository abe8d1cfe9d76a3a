#include "server/row_conflater.hpp"

#include <algorithm>

namespace pubsubsql::server {

using storage::event_action;

namespace {

/// What an entry costs beside its texts: list, map, bookkeeping of the allocator.
constexpr std::size_t bytes_per_row = 224;
/// What a column of a shape, or of a plan, costs.
constexpr std::size_t bytes_per_column = 24;

constexpr std::size_t not_updated = SIZE_MAX;

bool is_entering(event_action a) {
  return a == event_action::add || a == event_action::insert || a == event_action::publish;
}

bool is_leaving(event_action a) {
  return a == event_action::remove || a == event_action::delete_row;
}

/// Splits a JSON list of strings and nulls into its elements as they are written.
void split(std::string_view list, std::vector<std::string_view>& out) {
  out.clear();
  std::size_t begin = list.find('[') + 1;
  while (begin < list.size() && list[begin] != ']') {
    std::size_t end = begin + 1;
    if (list[begin] == '"') {
      while (list[end] != '"') end += list[end] == '\\' ? 2U : 1U;
      ++end;
    } else {
      end = list.find_first_of(",]", begin);
    }
    out.push_back(list.substr(begin, end - begin));
    begin = list[end] == ',' ? end + 1 : end;
  }
}

std::string join(std::string_view start, const std::vector<std::string_view>& elements) {
  std::string list(start);
  list += '[';
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) list += ',';
    list += elements[i];
  }
  return list += ']';
}

}  // namespace

std::size_t row_conflater::fold(std::uint64_t pubsubid, const encoded_event& e) {
  const std::size_t events_before = events_;
  const std::shared_ptr<const shape> columns = shape_of(e.columns);
  std::size_t begin = 0;
  for (const encoded_event::part& p : e.parts) {
    fold_row(pubsubid, p.row, e.action, std::string_view(e.rows).substr(begin, p.end - begin), columns);
    begin = p.end + 1;
  }
  const std::size_t superfluous = events_before + e.parts.size() - events_;
  if (rows_.empty()) forget_shapes();
  return superfluous;
}

void row_conflater::fold_row(std::uint64_t pubsubid, storage::row_position row, event_action action,
                             std::string_view values, const std::shared_ptr<const shape>& columns) {
  const auto [known, is_new] = by_row_.try_emplace({pubsubid, row});
  if (is_new) {
    known->second = rows_.insert(rows_.end(), {.pubsubid = pubsubid,
                                               .row = row,
                                               .action = action,
                                               .is_known = !is_entering(action),
                                               .columns = columns,
                                               .values = std::string(values),
                                               .before = {}});
    bytes_ += bytes_of(rows_.back());
    ++events_;
    ++counts_[pubsubid];
    return;
  }
  const row_list::iterator at = known->second;
  waiting_row& w = *at;
  if (is_leaving(action) && !w.is_known) return take_out(at);
  bytes_ -= bytes_of(w);
  events_ -= events_of(w);
  if (is_leaving(action)) {
    w.before.reset();
    w.action = action;
    w.columns = columns;
    w.values = values;
  } else if (is_entering(action)) {
    enter(w, action, values, columns);
  } else {
    update(w, values, columns);
  }
  bytes_ += bytes_of(w);
  events_ += events_of(w);
  rows_.splice(rows_.end(), rows_, at);
}

/// The row comes back. (One that is there is not entered; if it were, it would be replaced.)
void row_conflater::enter(waiting_row& w, event_action action, std::string_view values,
                          const std::shared_ptr<const shape>& columns) {
  if (!is_leaving(w.action)) {
    w.columns = columns;
  } else if (w.columns == columns) {
    w.action = event_action::update;
  } else {
    w.before = std::make_unique<waiting_row::removal>(
        waiting_row::removal{.action = w.action, .columns = std::move(w.columns), .values = std::move(w.values)});
    w.action = action;
    w.columns = columns;
  }
  w.values = values;
}

void row_conflater::update(waiting_row& w, std::string_view values, const std::shared_ptr<const shape>& columns) {
  if (w.columns == columns) {
    w.values = values;
    return;
  }
  const merge_plan& plan = plan_of(w.columns, columns);
  std::vector<std::string_view> held;
  std::vector<std::string_view> updated;
  split(w.values, held);
  split(values, updated);
  held.resize(plan.merged->names.size());
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (plan.source[i] != not_updated) held[i] = updated[plan.source[i]];
  }
  w.values = join({}, held);
  w.columns = plan.merged;
}

std::uint64_t row_conflater::take_first(encoded_event& out) {
  waiting_row& w = rows_.front();
  const std::uint64_t pubsubid = w.pubsubid;
  out.parts.clear();
  out.shared.reset();
  out.count = 1;
  const auto set = [&out](event_action action, const shape& columns, std::string& values) {
    out.action = action;
    out.head = event_head(action);
    out.columns = columns.columns;
    out.rows = std::move(values);
  };
  if (w.before) {
    bytes_ -= bytes_of(w);
    --events_;
    set(w.before->action, *w.before->columns, w.before->values);
    w.before.reset();
    w.is_known = false;
    bytes_ += bytes_of(w);
    return pubsubid;
  }
  bytes_ -= bytes_of(w);
  set(w.action, *w.columns, w.values);
  w.values.clear();
  bytes_ += bytes_of(w);
  take_out(rows_.begin());
  if (rows_.empty()) forget_shapes();
  return pubsubid;
}

void row_conflater::take_out(row_list::iterator at) {
  bytes_ -= bytes_of(*at);
  events_ -= events_of(*at);
  by_row_.erase({at->pubsubid, at->row});
  const auto count = counts_.find(at->pubsubid);
  if (--count->second == 0) counts_.erase(count);
  rows_.erase(at);
}

void row_conflater::forget(std::uint64_t pubsubid) {
  for (auto at = rows_.begin(); at != rows_.end();) {
    const auto next = std::next(at);
    if (at->pubsubid == pubsubid) take_out(at);
    at = next;
  }
  if (rows_.empty()) forget_shapes();
}

std::size_t row_conflater::bytes_of(const waiting_row& w) {
  std::size_t bytes = bytes_per_row + w.values.capacity();
  if (w.before) bytes += sizeof *w.before + w.before->values.capacity();
  return bytes;
}

std::shared_ptr<const row_conflater::shape> row_conflater::shape_of(std::string_view columns) {
  if (const auto it = shapes_.find(columns); it != shapes_.end()) return it->second;
  auto made = std::make_shared<shape>();
  made->columns = columns;
  split(made->columns, made->names);
  bytes_ += bytes_per_row + made->columns.size() + made->names.size() * bytes_per_column;
  return shapes_.emplace(made->columns, made).first->second;
}

const row_conflater::merge_plan& row_conflater::plan_of(const std::shared_ptr<const shape>& held,
                                                        const std::shared_ptr<const shape>& updated) {
  merge_plan& plan = plans_[{held.get(), updated.get()}];
  if (plan.merged) return plan;
  absl::flat_hash_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < updated->names.size(); ++i) places.emplace(updated->names[i], i);
  std::vector<std::string_view> names = held->names;
  plan.source.assign(names.size(), not_updated);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto it = places.find(names[i]);
    if (it == places.end()) continue;
    plan.source[i] = it->second;
    places.erase(it);
  }
  for (std::size_t i = 0; i < updated->names.size(); ++i) {
    if (!places.contains(updated->names[i])) continue;
    names.push_back(updated->names[i]);
    plan.source.push_back(i);
  }
  plan.merged = shape_of(join(std::string_view(held->columns).substr(0, held->columns.find('[')), names));
  bytes_ += bytes_per_row + plan.source.size() * sizeof(std::size_t);
  return plan;
}

/// Nothing refers to them any more. Their memory is what is left of bytes_.
void row_conflater::forget_shapes() {
  shapes_ = {};
  plans_ = {};
  by_row_ = {};
  counts_ = {};
  bytes_ = 0;
}

}  // namespace pubsubsql::server
