// Subscriptions that were made: what they ask for, and what they would begin with now.

#include <string>
#include <utility>
#include <variant>

#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "parser/result.hpp"
#include "storage/errors.hpp"
#include "storage/executor.hpp"
#include "storage/matching/column_list.hpp"
#include "storage/matching/live_query.hpp"
#include "storage/matching/row_filter.hpp"

namespace pubsubsql::storage {

namespace {

/// Takes the subscribe statement out of what parser::parse() returned for a text that was one once.
const parser::subscribe_statement& subscribe_of(const result<parser::statement, parser::syntax_error>& parsed) {
  return std::get<parser::subscribe_statement>(parsed->body);
}

}  // namespace

table* executor::table_of(subscriber_id subscriber, std::uint64_t pubsubid) const {
  const auto mine = by_subscriber_.find(subscriber);
  if (mine == by_subscriber_.end()) return nullptr;
  const auto it = mine->second.find(pubsubid);
  return it == mine->second.end() ? nullptr : it->second;
}

const outcome& executor::show_again(subscriber_id subscriber, std::uint64_t pubsubid, std::int64_t now_us,
                                    bool tells_positions) {
  begin();
  who_ = {.subscriber = subscriber, .pubsubid = pubsubid, .now_us = now_us};
  table& t = *table_of(subscriber, pubsubid);
  failure failed = find_again(t, pubsubid);
  if (failed) {
    outcome_ = {};
    outcome_.failure = std::move(failed);
    return outcome_;
  }
  outcome_.kind = reply_kind::subscribed;
  outcome_.pubsubid = pubsubid;
  outcome_.snapshot = true;
  outcome_.tells_positions = tells_positions;
  outcome_.position = t.sequence();
  return outcome_;
}

executor::failure executor::find_again(table& t, std::uint64_t pubsubid) {
  const subscriptions::definition d = t.subscribers().refresh(pubsubid, who_.now_us, budget_);
  if (auto failed = check_steps()) return failed;
  outcome_.columns = t.all_columns();
  if (d.live != nullptr) {
    d.live->show(data_);
    outcome_.about = &t;
    outcome_.action = "subscribe";
    outcome_.rows = data_.size();
    outcome_.data = data_;
    outcome_.columns = d.live->columns();
    outcome_.titles = d.live->titles();
    return check_result();
  }
  if (d.equality) {
    if (d.column && d.equality->text) t.find_equal(*d.column, *d.equality->text, found_);
  } else {
    t.find_all(found_);
  }
  if (d.where != nullptr) {
    if (auto failed = keep_matching(t, *d.where)) return failed;
  }
  if (d.list != nullptr) outcome_.columns = d.list->columns();
  return show_rows(t, "subscribe");
}

/// Leaves out those of the rows found that do not match.
executor::failure executor::keep_matching(const table& t, const matching::row_filter& filter) {
  std::erase_if(found_, [&](row_number row) {
    return budget_.steps_left == 0 || !filter.matches(t.get(row), who_.now_us, budget_);
  });
  return check_steps();
}

/// Of what does not fail by itself when there are no steps left.
executor::failure executor::check_steps() const {
  if (budget_.steps_left > 0) return std::nullopt;
  return to_error(sql::too_many_steps(limits_.statement_steps_max));
}

void executor::note_costly(table& t) {
  if (!t.subscribers().has_over()) return;
  for (const auto& [target, steps] : t.subscribers().take_over()) {
    costly_.push_back({.target = target, .table = std::string(t.name()), .steps = steps});
  }
}

std::vector<costly_subscription> executor::end_costly() {
  for (const costly_subscription& c : costly_) drop_subscription(c.target.subscriber, c.target.pubsubid);
  return std::exchange(costly_, {});
}

std::string executor::statement_of(const table& t, std::uint64_t pubsubid) {
  const subscriptions::definition d = t.subscribers().definition_of(pubsubid);
  parser::statement_arena arena;
  const auto whole = parser::parse(d.live != nullptr ? d.live->statement() : "subscribe * from t", arena);
  parser::statement s;
  auto& body = s.body.emplace<parser::subscribe_statement>(subscribe_of(whole));
  body.skip = false;
  body.table = t.name();
  if (d.list != nullptr) {
    body.columns.all = false;
    for (const std::string& name : d.list->names()) body.columns.names.push_back(name);
    if (d.list->names().empty()) body.columns.names.push_back("id");
  }
  parser::statement_arena filter_arena;
  if (d.where != nullptr) {
    const auto filter = parser::parse(d.where->statement(), filter_arena);
    body.where = subscribe_of(filter).where;
    return parser::print(s);
  }
  if (d.equality) {
    const value& text = d.equality->text;
    body.where.emplace();
    body.where->column = d.equality->column;
    body.where->value = {.text = text.value_or(std::string_view()), .is_null = !text};
  }
  return parser::print(s);
}

}  // namespace pubsubsql::storage
