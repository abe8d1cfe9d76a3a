#include "storage/access/statement_needs.hpp"

#include <algorithm>
#include <variant>

#include "parser/keywords.hpp"
#include "parser/parser.hpp"
#include "parser/subqueries.hpp"

namespace pubsubsql::access {

namespace {

using parser::right;
using parser::right_set;

/// Whether an expression reads the row that is there. `values(c)` is of the row that is to be inserted.
bool reads_columns(const parser::expression& e) {
  if (e.op == parser::operation::column) return true;
  if (e.op == parser::operation::call && parser::equals_keyword(e.text, "values")) return false;
  return std::ranges::any_of(e.operands, [](const parser::expression* operand) { return reads_columns(*operand); });
}

bool reads_columns(const std::pmr::vector<parser::assignment>& set) {
  return std::ranges::any_of(
      set, [](const parser::assignment& a) { return a.value.computed != nullptr && reads_columns(*a.value.computed); });
}

/// Those of statements about no table are none, unless they are the administrator's.
class collector {
 public:
  explicit collector(statement_needs& out) : out_(out) {}

  void operator()(const parser::insert_statement& s) {
    right_set rights{right::insert};
    if (s.on_duplicate == parser::duplicate_rule::replace) rights.add(right::delete_rows);
    if (s.on_duplicate == parser::duplicate_rule::update) rights.add(right::update);
    if (s.rows.returning || reads_columns(s.updates)) rights.add(right::select);
    add(s.rows.table, rights);
  }
  void operator()(const parser::push_statement& s) {
    right_set rights{right::insert};
    if (s.rows.returning) rights.add(right::select);
    add(s.rows.table, rights);
  }
  void operator()(const parser::publish_statement& s) { add(s.rows.table, {right::insert}); }
  // Whoever may read the queue sees the rows of the table from then on.
  void operator()(const parser::bind_statement& s) {
    add(s.table, {right::create, right::select});
    add(s.queue, {right::insert});
  }
  void operator()(const parser::unbind_statement& s) { create(s.table); }
  void operator()(const parser::select_statement& s) {
    if (!s.table.empty()) add(s.table, {right::select});
  }
  void operator()(const parser::peek_statement& s) { add(s.table, {right::select}); }
  void operator()(const parser::update_statement& s) { add(s.table, finding_rights(s)); }
  void operator()(const parser::delete_statement& s) { add(s.table, finding_rights(s)); }
  void operator()(const parser::pop_statement& s) { add(s.table, finding_rights(s)); }
  void operator()(const parser::truncate_statement& s) { add(s.table, {right::delete_rows}); }
  void operator()(const parser::subscribe_statement& s) { add(s.table, {right::subscribe}); }
  void operator()(const parser::describe_statement& s) { add(s.table, {}); }
  void operator()(const parser::unsubscribe_statement& s) { add(s.table, {}); }
  void operator()(const parser::explain_statement& s) { std::visit(*this, s.of); }

  void operator()(const parser::key_statement& s) { create(s.table); }
  void operator()(const parser::tag_statement& s) { create(s.table); }
  void operator()(const parser::alter_ack_statement& s) { create(s.table); }
  void operator()(const parser::alter_history_statement& s) { create(s.table); }
  void operator()(const parser::create_table_statement& s) { create(s.table); }
  void operator()(const parser::create_queue_statement& s) {
    create(s.definition.table);
    if (!s.dead_letter.empty()) create(s.dead_letter);  // which has rows that nobody inserts
  }
  void operator()(const parser::lease_statement& s) { lease(s.table); }
  void operator()(const parser::ack_statement& s) { lease(s.table); }
  void operator()(const parser::nack_statement& s) { lease(s.table); }
  void operator()(const parser::renew_statement& s) { lease(s.table); }
  void operator()(const parser::acknowledge_statement& s) { add(s.table, {right::subscribe}); }
  void operator()(const parser::drop_table_statement& s) { create(s.table); }
  void operator()(const parser::add_column_statement& s) { create(s.table); }
  void operator()(const parser::drop_column_statement& s) { create(s.table); }
  void operator()(const parser::create_index_statement& s) { create(s.table); }
  void operator()(const parser::drop_index_statement& s) { create(s.table); }

  // What anybody may; and what is decided by whom it is about, where it is run
  void operator()(const parser::status_statement&) {}
  void operator()(const parser::close_statement&) {}
  void operator()(const parser::show_tables_statement&) {}
  /// Bindings are shown as far as one may see their tables.
  void operator()(const parser::show_statement& s) {
    out_.admin = s.what != parser::server_listing::queues && s.what != parser::server_listing::bindings;
  }
  void operator()(const parser::begin_statement&) {}
  void operator()(const parser::commit_statement&) {}
  void operator()(const parser::rollback_statement&) {}
  void operator()(const parser::auth_statement&) {}
  void operator()(const parser::create_user_statement&) {}
  void operator()(const parser::show_grants_statement&) {}
  // What is executed needs its own, and is asked about it then.
  void operator()(const parser::prepare_statement&) {}
  void operator()(const parser::execute_statement&) {}
  void operator()(const parser::deallocate_statement&) {}
  // Whoever made it may drop it.
  void operator()(const parser::drop_subscription_statement&) {}

  /// All others.
  template <typename Other>
  void operator()(const Other&) {
    out_.admin = true;
  }

 private:
  void add(std::string_view table, right_set rights) { out_.tables.push_back({.table = table, .rights = rights}); }
  void create(std::string_view table) { add(table, {right::create}); }
  void lease(std::string_view queue) { add(queue, leasing_rights); }

  statement_needs& out_;
};

}  // namespace

right_set finding_rights(const parser::update_statement& s) {
  right_set rights{right::update};
  if (s.where || !s.order_by.empty() || s.returning || reads_columns(s.set)) rights.add(right::select);
  return rights;
}

right_set finding_rights(const parser::delete_statement& s) {
  right_set rights{right::delete_rows};
  if (s.where || !s.order_by.empty() || s.returning) rights.add(right::select);
  return rights;
}

right_set finding_rights(const parser::pop_statement& s) {
  right_set rights{right::delete_rows};
  if (s.columns) rights.add(right::select);
  return rights;
}

void needs_of(const parser::statement& s, statement_needs& out) {
  out.tables.clear();
  out.admin = false;
  std::visit(collector(out), s.body);
  std::vector<const parser::select_statement*> inner;
  parser::subqueries_of(s.body, inner, parser::subquery_order::outer_first);
  for (const parser::select_statement* i : inner) {
    if (!i->table.empty()) out.tables.push_back({.table = i->table, .rights = {right::select}});
  }
}

std::optional<denial> find_denial(const statement_needs& needs, const user_rights& user) {
  if (needs.admin && !user.is_admin()) return denial{.table = {}, .what = right::admin};
  for (const table_need& need : needs.tables) {
    const right_set has = user.on(need.table).rights;
    if (need.rights.empty() && has.empty()) return denial{.table = need.table, .what = std::nullopt};
    for (std::size_t i = 0; i < parser::right_names.size(); ++i) {
      const auto r = static_cast<right>(i);
      if (need.rights.has(r) && !has.has(r)) return denial{.table = need.table, .what = r};
    }
  }
  return std::nullopt;
}

}  // namespace pubsubsql::access
