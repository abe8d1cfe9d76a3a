// What a statement may see and write of the rows, where the caller's rights hold for some of them only.

#include <algorithm>

#include "parser/keywords.hpp"
#include "storage/access/statement_needs.hpp"
#include "storage/errors.hpp"
#include "storage/executor.hpp"

namespace pubsubsql::storage {

namespace {

using parser::right;
using parser::right_set;

/// Of a statement that writes rows: whether it shows them.
bool has_reply_rows(const parser::statement_body& body) {
  if (const auto* s = std::get_if<parser::insert_statement>(&body)) return s->rows.returning.has_value();
  if (const auto* s = std::get_if<parser::push_statement>(&body)) return s->rows.returning.has_value();
  if (const auto* s = std::get_if<parser::update_statement>(&body)) return s->returning.has_value();
  return false;
}

bool writes_rows(const parser::statement_body& body) {
  return std::holds_alternative<parser::insert_statement>(body) ||
         std::holds_alternative<parser::push_statement>(body) || std::holds_alternative<parser::update_statement>(body);
}

/// Copies expressions of a subscription, which outlives its statement, with the user's name instead of current_user().
class user_namer {
 public:
  user_namer(std::string_view user, parser::statement_arena& arena) : user_(user), arena_(arena) {}

  [[nodiscard]] parser::expression* copy(const parser::expression& e) {
    parser::expression* const made = parser::copy_node(e, arena_, [this](const auto& o) { return copy(o); });
    if (e.op == parser::operation::call && parser::equals_keyword(e.text, "current_user")) {
      *made = {.op = parser::operation::text, .text = user_};
    }
    return made;
  }

  void rename(parser::subscribe_statement& s) {
    if (s.where && s.where->predicate != nullptr) s.where->predicate = copy(*s.where->predicate);
    for (parser::select_item& item : s.columns.items) item.value = copy(*item.value);
    for (parser::expression*& e : s.group_by) e = copy(*e);
    for (parser::order_item& item : s.order_by) item.value = copy(*item.value);
  }

 private:
  std::string_view user_;
  parser::statement_arena& arena_;
};

void add_columns(const parser::expression& e, std::vector<std::string>& out) {
  if (e.op == parser::operation::column) out.emplace_back(e.text);
  for (const parser::expression* operand : e.operands) add_columns(*operand, out);
}

}  // namespace

void executor::forget_guards() {
  has_guards_ = false;
  guarded_.clear();
  guard_memory_.reset();
  row_guards_ = {};
}

bool executor::is_guarded(std::string_view table, right_set rights) const {
  if (!has_row_filters()) return false;
  const access::user_rights::of_table& of = who_.user->on(table);
  for (std::size_t i = 0; i < of.rows.size(); ++i) {
    if (rights.has(static_cast<right>(i)) && of.rows[i] != nullptr) return true;
  }
  return false;
}

parser::expression* executor::guard_node(parser::expression e, std::span<parser::expression* const> operands) {
  std::pmr::memory_resource& memory = *guard_memory_.resource();
  if (!operands.empty()) {
    auto* const copied =
        static_cast<parser::expression**>(memory.allocate(operands.size_bytes(), alignof(parser::expression*)));
    std::ranges::copy(operands, copied);
    e.operands = {copied, operands.size()};
  }
  return new (memory.allocate(sizeof e, alignof(parser::expression))) parser::expression(e);
}

/// What rows have to meet first, and then `where`: so nothing is computed for a row that is not to be seen.
std::optional<parser::condition> executor::guarded_condition(std::string_view table, right_set rights,
                                                             const std::optional<parser::condition>& where) {
  using parser::operation;
  std::vector<parser::expression*> all;
  const access::user_rights::of_table& of = who_.user->on(table);
  for (std::size_t i = 0; i < of.rows.size(); ++i) {
    if (rights.has(static_cast<right>(i)) && of.rows[i] != nullptr) all.push_back(guard_node(*of.rows[i], {}));
  }
  if (where && where->predicate != nullptr) {
    all.push_back(where->predicate);
  } else if (where) {
    parser::expression* const sides[] = {
        guard_node({.op = operation::column, .text = where->column, .source = where->column}, {}),
        guard_node({.op = where->value.is_null ? operation::null : operation::text, .text = where->value.text}, {})};
    all.push_back(guard_node({.op = operation::equal}, sides));
  }
  parser::condition out{.column = {}, .value = {}};
  out.predicate = all.size() == 1 ? all.front() : guard_node({.op = operation::logical_and}, all);
  return out;
}

const std::optional<parser::condition>& executor::guard(std::string_view table, right_set rights,
                                                        const std::optional<parser::condition>& where) {
  if (!is_guarded(table, rights)) return where;
  has_guards_ = true;
  return guarded_.emplace_back(guarded_condition(table, rights, where));
}

executor::failure executor::find_end(const table& t, parser::queue_end end, right_set rights,
                                     std::optional<row_number>& out) {
  if (!is_guarded(t.name(), rights)) {
    if (t.row_count() > 0) out = t.end_row(end);
    return std::nullopt;
  }
  row_search search;
  const row_choice choice{.where = guard(t.name(), rights, std::nullopt)};
  if (auto failed = search.bind(t, choice, scope_of(&t))) return failed;
  sql::evaluation e(row_memory_, who_.now_us, &budget_);
  search.visit(e, row_memory_, [&](row_number row, row_view) {
    out = row;
    return end == parser::queue_end::back;
  });
  if (e.failure()) return to_error(*e.failure());
  return std::nullopt;
}

executor::failure executor::meets(const table& t, right r, row_view row, bool& out) {
  out = true;
  if (!has_row_filters()) return std::nullopt;
  const parser::expression* const rows = who_.user->on(t.name()).rows_of(r);
  if (rows == nullptr) return std::nullopt;
  std::optional<sql::bound_expression>& bound = row_guards_[static_cast<std::size_t>(r)];
  if (!bound) {
    has_guards_ = true;
    sql::name_scope names = scope_of(&t);
    if (auto failed = sql::bound_expression::bind(*rows, names, bound.emplace())) return failed;
  }
  sql::evaluation e(row_memory_, who_.now_us, &budget_);
  out = bound->is_true({.row = row}, e);
  if (e.failure()) return to_error(*e.failure());
  return std::nullopt;
}

/// What a store made of rows that were allowed is not asked again: it is so already.
executor::failure executor::check_written_rows(const parser::statement_body& body) {
  if (!has_row_filters() || !writes_rows(body) || who_.corrections != nullptr) return std::nullopt;
  const bool shows = has_reply_rows(body);
  for (const change& c : log_.changes()) {
    if (c.kind != change_kind::insert_row && c.kind != change_kind::update_row) continue;
    const right written = c.kind == change_kind::insert_row ? right::insert : right::update;
    for (const right r : {written, right::select}) {
      if (r == right::select && !shows) continue;
      bool met = false;
      if (auto failed = meets(*log_.about(), r, c.after, met)) return failed;
      if (!met) return row_not_granted(who_.user->name(), log_.about()->name(), r);
    }
  }
  return std::nullopt;
}

parser::subscribe_statement executor::guarded_subscription(const parser::subscribe_statement& s) {
  has_guards_ = true;
  parser::subscribe_statement own = s;
  if (is_guarded(s.table, {right::subscribe})) own.where = guarded_condition(s.table, {right::subscribe}, s.where);
  user_namer(who_.user->name(), guard_memory_).rename(own);
  return own;
}

executor::failure executor::subscribe_guarded(const parser::subscribe_statement& s) {
  std::vector<std::string> needed;
  if (is_guarded(s.table, {right::subscribe})) {
    const parser::expression& rows = *who_.user->on(s.table).rows_of(right::subscribe);
    add_columns(rows, needed);
    const table* const t = find_table(s.table);
    if (t == nullptr) return unknown_table(s.table);
    sql::name_scope names = scope_of(t);
    sql::bound_expression strict;
    if (auto failed = sql::bound_expression::bind(rows, names, strict)) return failed;
  }
  return subscribe(guarded_subscription(s), needed);
}

}  // namespace pubsubsql::storage
