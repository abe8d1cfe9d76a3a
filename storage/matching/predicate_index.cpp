#include "storage/matching/predicate_index.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/matching/column_keys.hpp"
#include "storage/shrink.hpp"

namespace pubsubsql::storage::matching {

namespace {

/// So many conjunctions a predicate has at most.
constexpr std::uint64_t conjunctions_max = 16;

/// What there is for one column, or where to put it.
template <typename Entries>
auto find_column(Entries& entries, column_index column) {
  return std::ranges::lower_bound(entries, column, {}, [](const auto& entry) { return entry->column; });
}

template <typename Entry>
Entry& find_or_add(std::vector<std::unique_ptr<Entry>>& entries, column_index column) {
  auto at = find_column(entries, column);
  if (at == entries.end() || (*at)->column != column) {
    at = entries.insert(at, std::make_unique<Entry>());
    (*at)->column = column;
  }
  return **at;
}

void change_interval(interval_index& index, const key_interval& i, std::uint64_t number, filtered_group& g, bool ask,
                     bool there) {
  if (there) {
    index.insert(i, number, g, ask);
  } else {
    index.erase(i, number);
  }
}

}  // namespace

predicate_index::level::level() = default;
predicate_index::level::~level() = default;
predicate_index::level::level(level&&) noexcept = default;
predicate_index::level& predicate_index::level::operator=(level&&) noexcept = default;

void predicate_index::insert(filtered_group& g) {
  change_paths(g, true);
}

void predicate_index::erase(filtered_group& g) {
  change_paths(g, false);
}

void predicate_index::change_paths(filtered_group& g, bool there) {
  if (!g.filter) {
    const member m{.number = g.number * conjunctions_max, .group = &g, .ask = false};
    if (there) {
      root_.members.insert(m);
    } else {
      root_.members.erase(m);
    }
    return;
  }
  for (const access_path& p : access_paths_of(g.filter->conjunctions())) {
    const step s{.equalities = p.equalities,
                 .range = p.range,
                 .of = {.number = g.number * conjunctions_max + p.conjunction, .group = &g, .ask = p.ask}};
    if (there) {
      insert_below(root_, s);
    } else {
      erase_below(root_, s);
    }
  }
}

void predicate_index::insert_below(level& l, const step& s) const {
  if (!s.equalities.empty()) {
    const access_path::equality& first = s.equalities.front();
    column_values& values = find_or_add(l.values, first.column);
    if (!first.text && !values.null) values.null = std::make_unique<level>();
    level& below = first.text ? values.by_text[*first.text] : *values.null;
    return insert_below(below, {.equalities = s.equalities.subspan(1), .range = s.range, .of = s.of});
  }
  if (s.range) {
    change_range(find_or_add(l.ranges, s.range->column), *s.range, s.of, true);
  } else {
    l.members.insert(s.of);
  }
}

void predicate_index::erase_below(level& l, const step& s) const {
  if (!s.equalities.empty()) {
    const access_path::equality& first = s.equalities.front();
    const auto at = find_column(l.values, first.column);
    column_values& values = **at;
    const step rest{.equalities = s.equalities.subspan(1), .range = s.range, .of = s.of};
    if (first.text) {
      const auto it = values.by_text.find(*first.text);
      erase_below(it->second, rest);
      if (it->second.empty()) values.by_text.erase(it);
      shrink_if_sparse(values.by_text);
    } else {
      erase_below(*values.null, rest);
      if (values.null->empty()) values.null.reset();
    }
    if (values.by_text.empty() && !values.null) l.values.erase(at);
    return;
  }
  if (s.range) {
    const auto at = find_column(l.ranges, s.range->column);
    change_range(**at, *s.range, s.of, false);
    if ((*at)->empty()) l.ranges.erase(at);
  } else {
    l.members.erase(s.of);
  }
}

void predicate_index::change_range(column_ranges& r, const column_atom& a, const member& m, bool there) const {
  std::string keys[2];
  bool are_keys[2] = {true, true};
  const std::optional<column_atom::bound>* const bounds[2] = {&a.lower, &a.upper};
  for (std::size_t i = 0; i < 2; ++i) {
    if (*bounds[i]) are_keys[i] = append_key(keys[i], *table_, a.column, (*bounds[i])->text);
  }
  const auto end = [&](std::size_t i, bool as_text) -> std::optional<key_interval::end> {
    const std::optional<column_atom::bound>& b = *bounds[i];
    if (!b) return std::nullopt;
    return key_interval::end{.key = as_text ? b->text : keys[i], .inclusive = b->inclusive};
  };
  if (are_keys[0] && are_keys[1]) {
    change_interval(r.keys, {.lower = end(0, false), .upper = end(1, false)}, m.number, *m.group, m.ask, there);
    if (!is_untyped(*table_, a.column)) return;
    change_interval(r.numbers_as_texts, {.lower = end(0, true), .upper = end(1, true)}, m.number, *m.group, m.ask,
                    there);
    return;
  }
  // Where one bound is a number and the other one is not, values that are numbers compare with each in its own way: the
  // index takes the one that is always a text, and the predicate is asked.
  key_interval texts;
  const bool ask = m.ask || (a.lower && are_keys[0]) || (a.upper && are_keys[1]);
  if (!are_keys[0]) texts.lower = end(0, true);
  if (!are_keys[1]) texts.upper = end(1, true);
  change_interval(r.texts, texts, m.number, *m.group, ask, there);
}

void predicate_index::report(filtered_group& g, bool ask, const search& s) {
  if (std::exchange(g.met, s.number) == s.number) return;
  if (!g.is_over && (!ask || matches(g, s))) s.visitor(g);
}

bool predicate_index::matches(filtered_group& g, const search& s) {
  const bool matches = g.filter->matches(s.row.row(), s.now_us, s.budget.start());
  return s.budget.charge(g) && matches;
}

void predicate_index::find_in_ranges(const column_ranges& r, const search& s) {
  const value text = s.row.text(r.column);
  if (!text) return;
  const auto visit = [&](filtered_group& g, bool ask) { report(g, ask, s); };
  const auto key = s.row.key(r.column, *text);
  if (key) {
    r.keys.visit(*key, visit);
  } else {
    r.numbers_as_texts.visit(*text, visit);
  }
  r.texts.visit(*text, visit);
}

void predicate_index::find_below(const level& l, const search& s) {
  for (const member& m : l.members) report(*m.group, m.ask, s);
  for (const auto& values : l.values) {
    const value text = s.row.text(values->column);
    if (text) {
      const auto it = values->by_text.find(*text);
      if (it != values->by_text.end()) find_below(it->second, s);
    } else if (values->null) {
      find_below(*values->null, s);
    }
  }
  for (const auto& ranges : l.ranges) find_in_ranges(*ranges, s);
}

void predicate_index::find(row_view row, std::int64_t now_us, match_budget& budget,
                           absl::FunctionRef<void(filtered_group&)> visitor) {
  row_.start(row);
  find_below(root_, {.row = row_, .now_us = now_us, .budget = budget, .number = ++searches_, .visitor = visitor});
}

}  // namespace pubsubsql::storage::matching
