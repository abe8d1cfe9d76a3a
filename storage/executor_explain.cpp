// How statements find their rows, and subscriptions the changes that concern them.

#include <algorithm>
#include <string>

#include "storage/access/statement_needs.hpp"
#include "storage/errors.hpp"
#include "storage/executor.hpp"
#include "storage/matching/access_path.hpp"
#include "storage/row_search.hpp"
#include "storage/subscription_filter.hpp"

namespace pubsubsql::storage {

namespace {

void append_word(std::string& out, std::string_view word) {
  if (word.empty()) return;
  if (!out.empty()) out += ", ";
  out += word;
}

}  // namespace

executor::failure executor::run(const parser::explain_statement& s) {
  return std::visit([this](const auto& of) { return explain(of); }, s.of);
}

executor::failure executor::explain(const parser::select_statement& s) {
  if (s.table.empty()) {
    explained_.push_back({.extra = "no table"});
    return show_explained();
  }
  const auto& where = guard(s.table, {parser::right::select}, s.where);
  return explain_search(s.table, {.where = where, .order_by = &s.order_by, .limit = s.limit, .list = &s.columns},
                        !s.group_by.empty() ? "grouping"
                        : s.distinct        ? "distinct"
                                            : "");
}

executor::failure executor::explain(const parser::update_statement& s) {
  const auto& where = guard(s.table, access::finding_rights(s), s.where);
  return explain_search(s.table, {.where = where, .order_by = &s.order_by, .limit = s.limit}, "");
}

executor::failure executor::explain(const parser::delete_statement& s) {
  const auto& where = guard(s.table, access::finding_rights(s), s.where);
  return explain_search(s.table, {.where = where, .order_by = &s.order_by, .limit = s.limit}, "");
}

executor::failure executor::explain(const parser::subscribe_statement& s) {
  const table* t = find_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  outcome_.about = t;
  const std::optional<parser::condition> where = who_.user == nullptr ? s.where : guarded_subscription(s).where;
  const bool groups = !s.group_by.empty() || !s.columns.items.empty();
  const bool is_live = groups || s.limit;
  const std::string more = groups ? "grouping" : s.limit ? "first " + std::to_string(s.limit->count) : "";
  if (is_live) {
    explained_.push_back({.table = s.table, .type = "every", .extra = "each change, " + more});
    if (where) append_word(explained_.back().extra, "where");
  } else if (auto failed = explain_matching(*t, where)) {
    return failed;
  }
  if (s.skip) return show_explained();
  return explain_search(s.table, {.where = where}, more.empty() ? "rows at the start" : "rows at the start, " + more);
}

/// How a change is found to concern the subscription: a line for each kind of path that leads to it.
executor::failure executor::explain_matching(const table& t, const std::optional<parser::condition>& where) {
  if (!where) {
    explained_.push_back({.table = t.name(), .type = "every", .extra = "each change"});
    return std::nullopt;
  }
  std::unique_ptr<subscription_filter> filter;
  if (auto failed = subscription_filter::make(*where, {}, t, filter)) return failed;
  for (const matching::access_path& path : matching::access_paths_of(filter->conjunctions())) {
    explained_row line{.table = t.name(), .extra = path.ask ? "each change, where" : "each change"};
    for (const auto& e : path.equalities) append_word(line.key_columns, t.column_name(e.column));
    if (path.range) append_word(line.key_columns, t.column_name(path.range->column));
    if (!path.equalities.empty()) line.type = "hash";
    if (path.range) append_word(line.type, "range");
    if (line.type.empty()) line.type = "every";
    if (std::ranges::find(explained_, line) == explained_.end()) explained_.push_back(std::move(line));
  }
  return std::nullopt;
}

/// `more`: what is done with the rows besides.
executor::failure executor::explain_search(std::string_view table_name, const row_choice& choice,
                                           std::string_view more) {
  const table* t = find_table(table_name);
  if (t == nullptr) return unknown_table(table_name);
  row_search search;
  row_choice by_column = choice;
  if (!more.empty()) by_column.order_by = nullptr;  // the order is that of the result, not of rows
  if (auto failed = search.bind(*t, by_column, scope_of(t))) return failed;
  const access_path path = search.path();
  explained_row& line = explained_.emplace_back();
  outcome_.about = t;
  line.table = t->name();
  line.type = name_of(path.kind());
  line.key = path.key_names();
  for (const column_index column : path.key_columns()) append_word(line.key_columns, t->column_name(column));
  // How many rows an index counts would tell of rows that the caller may not see.
  if (!has_row_filters()) line.rows = std::to_string(path.rows());
  line.extra = more;
  if (search.is_filtered()) append_word(line.extra, "where");
  if (search.order().has_keys()) append_word(line.extra, search.comes_ordered(path) ? "order of the key" : "sort");
  if (choice.limit) append_word(line.extra, "limit");
  return show_explained();
}

executor::failure executor::show_explained() {
  static constexpr std::string_view columns[] = {"table", "type", "key", "key_columns", "rows", "extra"};
  const auto text = [](std::string_view s) { return s.empty() ? value{} : value{s}; };
  listing_.clear();
  for (const explained_row& r : explained_) {
    listing_.insert(listing_.end(),
                    {text(r.table), text(r.type), text(r.key), text(r.key_columns), text(r.rows), text(r.extra)});
  }
  outcome_.kind = reply_kind::listing;
  outcome_.action = "explain";
  outcome_.rows = explained_.size();
  outcome_.listing_columns = columns;
  outcome_.listing_rows = listing_;
  return std::nullopt;
}

}  // namespace pubsubsql::storage
