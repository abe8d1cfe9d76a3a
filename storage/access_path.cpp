// Which way is the cheapest.

#include "storage/access_path.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace pubsubsql::storage {

namespace {

// Of the rows there are, those that are taken to meet an atom or a predicate.
constexpr double equal_share = 0.1;
constexpr double range_share = 1.0 / 3;
constexpr double not_null_share = 0.9;
constexpr double predicate_share = 0.5;

// What it costs to look at a row, compared with one of a scan.
constexpr double tag_row_cost = 1.2;
constexpr double index_row_cost = 2;
// To put one into an order, times the logarithm of their number: into the order wanted, and into table order.
constexpr double sort_cost = 0.5;
constexpr double position_sort_cost = 0.1;

/// Rows in a range are counted so far.
constexpr std::size_t counted_max = 100;

double share_of(const column_atom& a) {
  switch (a.demands) {
    case column_atom::kind::equal:
      return std::min(equal_share * static_cast<double>(a.values.size()), predicate_share);
    case column_atom::kind::range:
      return a.lower && a.upper ? range_share * range_share : range_share;
    case column_atom::kind::is_null:
      return equal_share;
    case column_atom::kind::is_not_null:
      return not_null_share;
  }
  return 1;
}

double sorting(double rows) {
  return rows * std::log2(rows + 2);
}

/// A bound that is written as an id is; others do not narrow anything.
std::optional<std::uint64_t> id_bound(const std::optional<column_atom::bound>& b) {
  if (!b) return std::nullopt;
  std::uint64_t id = 0;
  const char* const end = b->text.data() + b->text.size();
  const auto [read, problem] = std::from_chars(b->text.data(), end, id);
  if (problem != std::errc{} || read != end || id >= INT64_MAX) return std::nullopt;
  return id;
}

}  // namespace

std::string_view name_of(access_kind kind) {
  switch (kind) {
    case access_kind::constant:
      return "const";
    case access_kind::ref:
      return "ref";
    case access_kind::range:
      return "range";
    case access_kind::index:
      return "index";
    case access_kind::index_merge:
      return "index_merge";
    case access_kind::all:
      return "ALL";
  }
  return "";
}

access_path::access_path(const table& t, const access_request& request)
    : table_(t), request_(request), order_(effective_order()) {
  if (request.any_of.size() == 1) {
    parts_.push_back(best_part(request.any_of.front().atoms, true));
  } else {
    parts_.push_back(best_part({}, true));
    if (request.any_of.size() > 1) add_merge();
  }
  ordered_ = order_.empty() || (parts_.size() == 1 && parts_.front().ordered);
}

/// A column that equals one value orders nothing, and nothing is left to order behind the id.
std::vector<order_column> access_path::effective_order() const {
  std::vector<order_column> order;
  const auto is_fixed = [this](column_index column) {
    return request_.any_of.size() == 1 && std::ranges::any_of(request_.any_of.front().atoms, [&](const column_atom& a) {
             return a.column == column && a.demands == column_atom::kind::equal && a.values.size() == 1;
           });
  };
  for (const order_column& wanted : request_.order) {
    if (is_fixed(wanted.column)) continue;
    order.push_back(wanted);
    if (wanted.column == id_column) break;
  }
  return order;
}

/// A row that several conjunctions lead to is looked at once.
void access_path::add_merge() {
  std::vector<part> merged;
  double cost = 0;
  double rows = 0;
  for (const conjunction& c : request_.any_of) {
    part& p = merged.emplace_back(best_part(c.atoms, false));
    if (p.from == source::scan) return;
    cost += p.cost;
    rows += p.rows;
  }
  if (!order_.empty()) cost += sort_cost * sorting(rows);
  if (cost < parts_.front().cost) parts_ = std::move(merged);
}

access_path::part access_path::best_part(std::span<const column_atom> atoms, bool alone) const {
  for (const column_atom& a : atoms) {
    if (auto p = equal(a); p && p->kind == access_kind::constant) return *std::move(p);
  }
  part best = scan(atoms, alone);
  const auto consider = [&](part candidate, const column_atom* used) {
    double share = 1;
    for (const column_atom& a : atoms) {
      const bool in_ranges = std::ranges::find(candidate.found.used, &a) != candidate.found.used.end();
      if (&a != used && !in_ranges) share *= share_of(a);
    }
    add_cost(candidate, share, alone);
    if (candidate.cost < best.cost) best = std::move(candidate);
  };
  for (const column_atom& a : atoms) {
    if (auto p = equal(a)) consider(*std::move(p), &a);
    if (auto p = id_range(a, alone)) consider(*std::move(p), &a);
  }
  for (const auto& index : table_.ordered_indexes()) {
    part p = by_index(*index, atoms, alone);
    if (p.ordered || !p.found.used.empty()) consider(std::move(p), nullptr);
  }
  return best;
}

/// `share`: of the part's rows that meet the atoms it makes no use of.
void access_path::add_cost(part& p, double share, bool alone) const {
  if (request_.filtered) share *= predicate_share;
  const bool in_order = order_.empty() ? is_in_table_order(p) : p.ordered;
  double looked_at = p.rows;
  if (alone && in_order && request_.limit) {
    looked_at = std::min(looked_at, static_cast<double>(*request_.limit) / share);
  }
  const double row_cost = p.from == source::index ? index_row_cost : p.from == source::tag ? tag_row_cost : 1;
  p.cost = looked_at * row_cost;
  if (!p.ordered && !is_in_table_order(p)) p.cost += position_sort_cost * sorting(p.rows);
  if (alone && !order_.empty() && !p.ordered) p.cost += sort_cost * sorting(p.rows * share);
}

access_path::part access_path::scan(std::span<const column_atom> atoms, bool alone) const {
  part p;
  p.rows = static_cast<double>(table_.row_count());
  if (alone && orders_by_id()) {
    p.kind = access_kind::index;
    p.ordered = true;
    p.descending = order_.front().descending;
    p.columns = {id_column};
  }
  double share = 1;
  for (const column_atom& a : atoms) share *= share_of(a);
  add_cost(p, share, alone);
  return p;
}

std::optional<access_path::part> access_path::equal(const column_atom& a) const {
  if (a.demands != column_atom::kind::equal) return std::nullopt;
  const index_kind index = table_.index_of(a.column);
  if (index == index_kind::none) return std::nullopt;
  part p;
  p.atom = &a;
  p.columns = {a.column};
  p.rows = static_cast<double>(a.values.size());
  const bool one_value = a.values.size() == 1;
  if (index == index_kind::key) {
    p.from = a.column == id_column ? source::ids : source::key;
    p.kind = one_value ? access_kind::constant : access_kind::range;
    p.ordered = one_value;
  } else {
    p.from = source::tag;
    p.kind = one_value ? access_kind::ref : access_kind::range;
    std::size_t rows = 0;
    for (const std::string& text : a.values) {
      if (const auto* positions = table_.tagged(a.column)->find(text)) rows += positions->size();
    }
    p.rows = static_cast<double>(rows);
  }
  return p;
}

/// Only while no row was pushed to the front: those stand in the order of falling ids.
bool access_path::orders_by_id() const {
  return order_.size() == 1 && order_.front().column == id_column &&
         (table_.row_count() == 0 || table_.directory().front().position >= 0);
}

std::optional<access_path::part> access_path::id_range(const column_atom& a, bool alone) const {
  if (a.column != id_column || a.demands != column_atom::kind::range) return std::nullopt;
  const auto lower = id_bound(a.lower);
  const auto upper = id_bound(a.upper);
  if (!lower && !upper) return std::nullopt;
  part p;
  p.from = source::id_range;
  p.kind = access_kind::range;
  p.columns = {id_column};
  if (lower) p.first_id = a.lower->inclusive ? *lower : *lower + 1;
  // One before the first is written as an empty range.
  if (upper && *upper == 0 && !a.upper->inclusive) p.first_id = INT64_MAX;
  if (upper) p.last_id = a.upper->inclusive || *upper == 0 ? *upper : *upper - 1;
  const std::uint64_t end = std::min(p.last_id, table_.next_id());
  const std::uint64_t ids = p.first_id <= end ? end - p.first_id + 1 : 0;
  p.rows = static_cast<double>(std::min<std::uint64_t>(ids, table_.row_count()));
  if (alone && orders_by_id()) {
    p.ordered = true;
    p.descending = order_.front().descending;
  }
  return p;
}

access_path::part access_path::by_index(const ordered_index& index, std::span<const column_atom> atoms,
                                        bool alone) const {
  part p;
  p.from = source::index;
  p.index = &index;
  p.found = find_ranges(index, atoms);
  p.ordered = alone && !order_.empty() && meet_order(p);
  const bool whole = p.found.depth == index.columns().size();
  const auto finds_null = [](const column_atom* a) { return a->demands == column_atom::kind::is_null; };
  if (p.found.used.empty()) {
    p.kind = access_kind::index;
    p.columns.assign(index.columns().begin(), index.columns().begin() + static_cast<std::ptrdiff_t>(p.order_columns));
    p.rows = static_cast<double>(index.size());
    return p;
  }
  p.kind = !p.found.only_equal ? access_kind::range : access_kind::ref;
  if (p.found.only_equal && whole && index.unique() && std::ranges::none_of(p.found.used, finds_null)) {
    p.kind = access_kind::constant;
  }
  p.columns.assign(index.columns().begin(), index.columns().begin() + static_cast<std::ptrdiff_t>(p.found.depth));
  std::size_t counted = 0;
  for (const key_range& r : p.found.ranges) {
    if (counted >= counted_max) break;
    counted += index.count(r, counted_max - counted);
  }
  p.rows = static_cast<double>(counted);
  if (counted >= counted_max) {
    auto guessed = static_cast<double>(index.size());
    for (const column_atom* a : p.found.used) guessed *= share_of(*a);
    p.rows = std::max(p.rows, guessed);
  }
  return p;
}

/// Whether the index gives the order wanted. Its first columns that have one value each may be passed over.
bool access_path::meet_order(part& p) const {
  const auto columns = p.index->columns();
  std::size_t at = 0;
  std::optional<bool> descending;
  for (const order_column& wanted : order_) {
    while (at < p.found.fixed && columns[at] != wanted.column) ++at;
    if (at == columns.size() || columns[at] != wanted.column) return false;
    if (at++ < p.found.fixed) continue;
    if (descending && *descending != wanted.descending) return false;
    descending = wanted.descending;
  }
  at = std::max(at, p.found.fixed);
  // Rows that are equal in the order wanted have to be in one range, to be given in table order.
  if (p.found.ranges.size() > 1 && at < p.found.depth) return false;
  p.order_columns = at;
  p.descending = descending.value_or(false);
  return true;
}

access_kind access_path::kind() const {
  return parts_.size() > 1 ? access_kind::index_merge : parts_.front().kind;
}

std::string access_path::key_name(const part& p) const {
  if (p.columns.empty()) return {};
  if (p.from == source::index) return std::string(p.index->name());
  const auto primary = table_.primary_key();
  const bool is_primary = primary.size() == 1 && primary.front() == p.columns.front();
  if (is_primary || p.columns.front() == id_column) return "PRIMARY";
  return std::string(table_.column_name(p.columns.front()));
}

std::string access_path::key_names() const {
  std::string names;
  for (const part& p : parts_) {
    if (!names.empty()) names += ',';
    names += key_name(p);
  }
  return names;
}

std::uint64_t access_path::rows() const {
  double rows = 0;
  for (const part& p : parts_) rows += p.rows;
  return static_cast<std::uint64_t>(std::min(rows, static_cast<double>(table_.row_count())));
}

std::string access_path::describe() const {
  std::string line(name_of(kind()));
  if (const std::string keys = key_names(); !keys.empty()) line += " " + keys;
  if (const auto columns = key_columns(); parts_.size() == 1 && !columns.empty()) {
    line += " (";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string_view name = columns[i] == id_column ? "id" : table_.column_name(columns[i]);
      line.append(i == 0 ? "" : ", ").append(name);
    }
    line += ")";
  }
  const std::uint64_t estimated = rows();
  return line + ", " + std::to_string(estimated) + (estimated == 1 ? " row" : " rows");
}

}  // namespace pubsubsql::storage
