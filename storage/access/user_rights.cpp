#include "storage/access/user_rights.hpp"

#include <atomic>
#include <utility>

#include "parser/parser.hpp"

namespace pubsubsql::access {

namespace {

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

bool are_same(const parser::expression* a, const parser::expression* b) {
  return parser::equal_or_both_missing(a, b);
}

}  // namespace

user_rights::parsed_grant::parsed_grant(const std::string& text)
    : tree(std::get<parser::grant_statement>(parser::parse(text, arena)->body)) {}

user_rights::user_rights(std::string name, std::vector<std::string> grants, std::uint64_t identity)
    : name_(std::move(name)), identity_(identity), serial_(next_serial()), grants_(std::move(grants)) {
  for (const std::string& text : grants_) {
    const parser::grant_statement& g = parsed_.emplace_back(text).tree;
    is_admin_ = is_admin_ || g.rights.has(parser::right::admin);
    has_row_filters_ = has_row_filters_ || g.where.has_value();
    if (!g.table.empty()) tables_.try_emplace(std::string(g.table));
  }
  for (auto& [table, of] : tables_) collect(table, of);
  collect({}, others_);
}

/// What the grants on `table` and on all tables come to.
void user_rights::collect(std::string_view table, of_table& out) {
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    const auto r = static_cast<parser::right>(i);
    bool all_rows = false;
    std::vector<parser::expression*> conditions;
    for (const parsed_grant& g : parsed_) {
      if (!g.tree.rights.has(r) || (!g.tree.table.empty() && g.tree.table != table)) continue;
      out.rights.add(r);
      if (g.tree.where) {
        conditions.push_back(expression_of(*g.tree.where));
      } else {
        all_rows = true;
      }
    }
    if (!all_rows && !conditions.empty()) out.rows[i] = any_of(std::move(conditions));
  }
}

const parser::expression* user_rights::any_of(std::vector<parser::expression*> conditions) {
  if (conditions.size() == 1) return conditions.front();
  const std::vector<parser::expression*>& kept = operands_.emplace_back(std::move(conditions));
  return make({.op = parser::operation::logical_or, .operands = kept});
}

parser::expression* user_rights::expression_of(const parser::condition& c) {
  using parser::operation;
  if (c.predicate != nullptr) return c.predicate;
  parser::expression* const column = make({.op = operation::column, .text = c.column, .source = c.column});
  parser::expression* const value = make({.op = c.value.is_null ? operation::null : operation::text,
                                          .text = c.value.is_null ? std::string_view() : c.value.text});
  const std::vector<parser::expression*>& kept = operands_.emplace_back(std::vector{column, value});
  return make({.op = operation::equal, .operands = kept});
}

parser::expression* user_rights::make(parser::expression e) {
  return &made_.emplace_back(e);
}

const user_rights::of_table& user_rights::on(std::string_view table) const {
  const auto it = tables_.find(table);
  return it == tables_.end() ? others_ : it->second;
}

bool user_rights::has_same(const user_rights& other, std::string_view table, parser::right r) const {
  const of_table& mine = on(table);
  const of_table& its = other.on(table);
  return mine.rights.has(r) == its.rights.has(r) && are_same(mine.rows_of(r), its.rows_of(r));
}

}  // namespace pubsubsql::access
