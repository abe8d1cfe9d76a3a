#include "storage/row_search.hpp"

namespace pubsubsql::storage {

std::optional<error> row_search::bind(const table& t, const row_choice& choice, sql::name_scope names) {
  table_ = &t;
  filtered_ = choice.where.has_value();
  if (filtered_) {
    if (auto failed = sql::bound_expression::bind(*choice.where, names, predicate_)) return failed;
    any_of_ = predicate_.conjunctions();
  }
  if (choice.order_by == nullptr) return std::nullopt;
  names.aliases = choice.list;
  names.aliases_first = true;
  if (auto failed = order_.bind(*choice.order_by, choice.limit, choice.list, names)) return failed;
  order_columns_ = order_.columns();
  return std::nullopt;
}

access_path row_search::path() const {
  const bool sorts = order_columns_.empty() && order_.has_keys();
  return {*table_,
          {.any_of = any_of_,
           .filtered = filtered_,
           .order = order_columns_,
           .limit = sorts ? std::nullopt : order_.wanted()}};
}

void row_search::find(sql::evaluation& e, std::pmr::monotonic_buffer_resource& memory, std::vector<row_number>& out) {
  const access_path by = path();
  if (order_.is_trivial()) {
    return visit_by(by, e, memory, [&](row_number row, row_view) {
      out.push_back(row);
      return true;
    });
  }
  if (comes_ordered(by)) order_.comes_ordered();
  visit_by(by, e, memory, [&](row_number row, row_view r) {
    order_.add(row, {.row = r}, e);
    return !order_.has_enough();
  });
  order_.take(out);
}

}  // namespace pubsubsql::storage
