#include "storage/matching/live_query.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "parser/parser.hpp"
#include "parser/print.hpp"

namespace pubsubsql::storage::matching {

const row_change* statement_result::find(row_position position) const {
  const auto at = std::ranges::lower_bound(rows, position, {}, &row_change::position);
  return at != rows.end() && at->position == position ? &*at : nullptr;
}

live_query::live_query(const parser::subscribe_statement& s, std::unique_ptr<row_filter> filter,
                       std::string_view filter_text)
    : filter_(std::move(filter)) {
  is_live = true;
  parser::statement without_where;
  auto& body = without_where.body.emplace<parser::subscribe_statement>(s);
  body.skip = true;
  body.table = "t";
  body.where.reset();
  body.on_slow.reset();
  statement_ = parser::print(without_where);
  key_ = statement_;
  if (filter_) key_.append("\nwhere ").append(filter_text);

  names_.assign(s.columns.names.begin(), s.columns.names.end());
  for (const parser::select_item& item : s.columns.items) add_names(*item.value);
  for (const parser::expression* e : s.group_by) add_names(*e);
  for (const parser::order_item& item : s.order_by) add_names(*item.value);
}

void live_query::add_names(const parser::expression& e) {
  if (e.op == parser::operation::column) names_.emplace_back(e.text);
  for (const parser::expression* operand : e.operands) add_names(*operand);
}

bool live_query::reads(std::string_view name, column_index column) const {
  if (std::ranges::find(names_, name) != names_.end()) return true;
  return filter_ && (std::ranges::binary_search(filter_->columns(), column) ||
                     std::ranges::find(filter_->missing(), name) != filter_->missing().end());
}

void live_query::bind(const table& t) {
  if (filter_) filter_->bind(t);
  parser::statement_arena arena;
  const auto parsed = parser::parse(statement_, arena);
  // What could be read and bound once can be again: names that are gone are NULL.
  static_cast<void>(bind_statement(std::get<parser::subscribe_statement>(parsed->body), t, true));
}

void live_query::send(event_action action, row_view row, std::span<const column_index> columns,
                      std::vector<event>& out) {
  ++events;
  out.push_back(
      {.action = action, .is_keyed = is_keyed, .columns = columns, .row = row, .titles = titles(), .targets = targets});
}

}  // namespace pubsubsql::storage::matching
