#include "storage/matching/live_groups.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <memory_resource>
#include <utility>

#include "storage/errors.hpp"
#include "storage/matching/column_list.hpp"
#include "storage/row_order.hpp"
#include "storage/sql/order_key.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage::matching {

namespace {

/// Enough for what most groups compute on their way.
constexpr std::size_t usual_bytes = 512;

/// The texts of a row that a group shows, at most.
constexpr std::size_t told_bytes_max = 64U << 20;

/// Memory to compute in, the time, and what it may cost.
struct computation {
  computation(std::int64_t now_us, sql::work_budget& budget) : e(memory, now_us, &budget) {}

  std::array<std::byte, usual_bytes> bytes;
  std::pmr::monotonic_buffer_resource memory{bytes.data(), bytes.size()};
  sql::evaluation e;
};

struct titled_expression {
  const parser::expression* value = nullptr;
  std::string_view title;
};

/// What a statement groups by and shows.
class group_list {
 public:
  std::optional<error> read(const parser::subscribe_statement& s, const table& of) {
    if (s.columns.all) return subscribe_all_of_groups();
    for (const std::string_view name : s.columns.names) {
      made_.push_back({.op = parser::operation::column, .text = name, .source = name});
      listed_.push_back({&made_.back(), name});
    }
    for (const parser::select_item& item : s.columns.items) {
      if (item.value->op == parser::operation::all_columns) return subscribe_all_of_groups();
      listed_.push_back({item.value, item.alias.empty() ? item.value->source : item.alias});
    }
    for (const parser::expression* e : s.group_by) {
      if (auto failed = add_group(*e, s, of)) return failed;
    }
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      if (std::ranges::any_of(by_, [&](const parser::expression* by) { return *by == *listed_[i].value; })) continue;
      if (const auto column = ungrouped(*listed_[i].value)) return not_grouped(i + 1, of.name(), *column);
      shown_.push_back(listed_[i]);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::span<const parser::expression* const> by() const { return by_; }
  [[nodiscard]] std::span<const titled_expression> shown() const { return shown_; }

 private:
  /// `e` may be a place in the list, or an alias of it.
  std::optional<error> add_group(const parser::expression& e, const parser::subscribe_statement& s, const table& of) {
    bool out_of_list = false;
    const parser::expression* by = &e;
    if (const auto place = listed_expression(e, &s.columns, out_of_list)) {
      by = &made_.emplace_back(*place);
    } else if (e.op == parser::operation::column && !of.find_column(e.text)) {
      const auto item = std::ranges::find(s.columns.items, e.text, &parser::select_item::alias);
      if (item != s.columns.items.end()) by = item->value;
    }
    if (out_of_list) return unknown_place(e.text, "group statement");
    const auto same = [&](const titled_expression& t) { return *t.value == *by; };
    const auto listed = std::ranges::find_if(listed_, same);
    by_.push_back(by);
    shown_.push_back({by, listed != listed_.end() ? listed->title : by->source});
    return std::nullopt;
  }

  /// A column outside of aggregates that does not belong to the group.
  [[nodiscard]] std::optional<std::string_view> ungrouped(const parser::expression& e) const {
    if (e.op == parser::operation::aggregate) return std::nullopt;
    if (std::ranges::any_of(by_, [&](const parser::expression* by) { return *by == e; })) return std::nullopt;
    if (e.op == parser::operation::column) return e.text;
    for (const parser::expression* operand : e.operands) {
      if (const auto column = ungrouped(*operand)) return column;
    }
    return std::nullopt;
  }

  std::deque<parser::expression> made_;
  std::vector<titled_expression> listed_;
  std::vector<const parser::expression*> by_;
  std::vector<titled_expression> shown_;
};

void add_columns(std::vector<column_index>& to, const sql::bound_expression& e) {
  to.insert(to.end(), e.columns().begin(), e.columns().end());
}

void sort_out(std::vector<column_index>& columns) {
  std::ranges::sort(columns);
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
}

}  // namespace

std::optional<error> live_groups::make(const parser::subscribe_statement& s, const table& t,
                                       std::unique_ptr<row_filter> filter, std::string_view filter_text,
                                       std::unique_ptr<live_query>& out) {
  if (!s.order_by.empty()) return subscribe_ordered_groups();
  std::unique_ptr<live_groups> made(new live_groups(s, std::move(filter), filter_text));
  if (auto failed = made->bind_statement(s, t, false)) return failed;
  const auto by_time = [](const sql::bound_expression& e) { return e.depends_on_time(); };
  const auto argument_by_time = [](const sql::aggregate_call& c) {
    return !c.counts_rows && c.argument.depends_on_time();
  };
  if (std::ranges::any_of(made->by_, by_time) || std::ranges::any_of(made->shown_, by_time) ||
      std::ranges::any_of(made->aggregates_, argument_by_time)) {
    return subscribe_by_time();
  }
  for (const std::string& title : made->titles_) made->key_.append("\n").append(title);
  out = std::move(made);
  return std::nullopt;
}

std::optional<error> live_groups::bind_statement(const parser::subscribe_statement& s, const table& t,
                                                 bool unknown_is_null) {
  group_list list;
  if (auto failed = list.read(s, t)) return failed;
  sql::name_scope names{.of = &t, .unknown_is_null = unknown_is_null};
  std::vector<sql::bound_expression> by;
  std::vector<sql::bound_expression> shown;
  std::vector<sql::aggregate_call> aggregates;
  for (const parser::expression* e : list.by()) {
    if (auto failed = sql::bound_expression::bind(*e, names, by.emplace_back())) return failed;
  }
  names.aggregates = &aggregates;
  for (const titled_expression& one : list.shown()) {
    if (auto failed = sql::bound_expression::bind(*one.value, names, shown.emplace_back())) return failed;
  }
  by_ = std::move(by);
  shown_ = std::move(shown);
  aggregates_ = std::move(aggregates);
  find_columns_read();
  if (!titles_.empty()) return std::nullopt;
  for (const titled_expression& one : list.shown()) titles_.emplace_back(one.title);
  title_views_.assign(titles_.begin(), titles_.end());
  for (std::size_t i = 0; i < titles_.size(); ++i) columns_.push_back(static_cast<column_index>(i + 1));
  return std::nullopt;
}

void live_groups::find_columns_read() {
  columns_sample_.clear();
  for (const sql::bound_expression& e : shown_) add_columns(columns_sample_, e);
  sort_out(columns_sample_);
  columns_read_ = columns_sample_;
  for (const sql::bound_expression& e : by_) add_columns(columns_read_, e);
  for (const sql::aggregate_call& call : aggregates_) {
    if (!call.counts_rows) add_columns(columns_read_, call.argument);
  }
  sort_out(columns_read_);
}

void live_groups::touch(group& g) {
  if (!std::exchange(g.touched, true)) touched_.push_back(&g);
}

void live_groups::reset(group& g) const {
  g.rows = 0;
  g.aggregates.clear();
  for (const sql::aggregate_call& call : aggregates_) g.aggregates.emplace_back(call.kind, call.distinct);
}

live_groups::group& live_groups::group_at(std::string_view key) {
  const auto it = groups_.find(key);
  if (it != groups_.end()) return **it;
  auto made = std::make_unique<group>();
  made->number = ++groups_made_;
  made->key = key;
  reset(*made);
  return **groups_.insert(std::move(made)).first;
}

void live_groups::clear() {
  members_.clear();
  for (const auto& g : groups_) {
    reset(*g);
    touch(*g);
  }
  if (by_.empty()) touch(group_at({}));
}

std::string_view live_groups::key_of(row_view row, sql::evaluation& e) {
  key_bytes_.clear();
  for (const sql::bound_expression& by : by_) {
    e.begin();
    sql::append_identity_key(key_bytes_, by.evaluate({.row = row}, e));
  }
  return key_bytes_;
}

std::string live_groups::sample_of(row_view row) const {
  std::vector<value> values(columns_sample_.empty() ? 1 : columns_sample_.back() + 1);
  for (const column_index column : columns_sample_) {
    if (column != id_column) values[column] = row.at(column);
  }
  std::string sample;
  encode_row(row.position(), values, sample);
  return sample;
}

void live_groups::add(row_view row, sql::evaluation& e) {
  group& g = group_at(key_of(row, e));
  touch(g);
  if (g.rows++ == 0) g.sample = sample_of(row);
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    e.begin();
    const sql::aggregate_call& call = aggregates_[i];
    g.aggregates[i].add(call.counts_rows ? sql::datum::integer(1) : call.argument.evaluate({.row = row}, e));
  }
}

void live_groups::remove(row_view row, sql::evaluation& e) {
  group& g = group_at(key_of(row, e));
  touch(g);
  --g.rows;
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    e.begin();
    const sql::aggregate_call& call = aggregates_[i];
    g.aggregates[i].remove(call.counts_rows ? sql::datum::integer(1) : call.argument.evaluate({.row = row}, e));
  }
}

/// Whether the row is counted as it was before.
bool live_groups::is_member(row_position position, row_view before, std::int64_t now_us,
                            sql::work_budget& budget) const {
  if (filter_ && filter_->depends_on_time()) return members_.contains(position);
  return before.data() != nullptr && matches(before, now_us, budget);
}

void live_groups::change(const row_change& c, std::int64_t now_us, sql::work_budget& budget) {
  const bool was = is_member(c.position, c.before, now_us, budget);
  const bool is = c.after.data() != nullptr && matches(c.after, now_us, budget);
  if (was && is && !differ(columns_read_, c.before, c.after)) return;
  computation computed(now_us, budget);
  if (was) remove(c.before, computed.e);
  if (is) add(c.after, computed.e);
  if (!filter_ || !filter_->depends_on_time()) return;
  if (is) {
    members_.insert(c.position);
  } else {
    members_.erase(c.position);
  }
}

std::string live_groups::compute(const group& g, sql::work_budget& budget) const {
  computation computed(0, budget);
  sql::evaluation& e = computed.e;
  std::vector<sql::datum> results;
  for (const live_aggregate& a : g.aggregates) results.push_back(a.result(e));
  const row_view sample = g.rows > 0 ? row_view(g.sample.data()) : row_view();
  std::vector<value> values(1);
  std::size_t bytes = 0;
  for (const sql::bound_expression& shown : shown_) {
    e.begin();
    const value v = sql::value_of(e, shown.evaluate({.row = sample, .aggregates = results}, e));
    // Thousands of expressions may give one column's text. A row that is too large takes all the steps that are left.
    const std::size_t size = v ? v->size() : 0;
    bytes += size;
    const bool fits = e.spend(bytes > told_bytes_max ? UINT64_MAX : size / sql::evaluation::bytes_per_step);
    values.push_back(fits ? v : value{});
  }
  std::string row;
  encode_row(static_cast<row_position>(g.number), values, row);
  return row;
}

void live_groups::sort_touched() {
  std::ranges::sort(touched_, {}, &group::number);
}

void live_groups::settle(sql::work_budget& budget) {
  sort_touched();
  for (group* g : std::exchange(touched_, {})) {
    g->touched = false;
    if (g->rows == 0 && !by_.empty()) {
      groups_.erase(groups_.find(std::string_view(g->key)));
    } else {
      g->told = compute(*g, budget);
    }
  }
}

void live_groups::tell(const statement_result&, sql::work_budget& budget, std::vector<event>& out) {
  gone_.clear();
  sort_touched();
  std::vector<event> added;
  std::vector<event> updated;
  for (group* g : std::exchange(touched_, {})) {
    g->touched = false;
    if (g->rows == 0 && !by_.empty()) {
      if (!g->told.empty()) {
        gone_.push_back(std::move(g->told));
        send(event_action::remove, row_view(gone_.back().data()), columns_, out);
      }
      groups_.erase(groups_.find(std::string_view(g->key)));
      continue;
    }
    std::string now = compute(*g, budget);
    if (now == g->told) continue;
    const bool is_new = g->told.empty();
    g->told = std::move(now);
    send(is_new ? event_action::add : event_action::update, row_view(g->told.data()), columns_,
         is_new ? added : updated);
  }
  out.insert(out.end(), added.begin(), added.end());
  out.insert(out.end(), updated.begin(), updated.end());
}

void live_groups::show(std::vector<row_view>& out) const {
  std::vector<const group*> groups;
  for (const auto& g : groups_) groups.push_back(g.get());
  std::ranges::sort(groups, {}, &group::number);
  for (const group* g : groups) out.push_back(row_view(g->told.data()));
}

}  // namespace pubsubsql::storage::matching
