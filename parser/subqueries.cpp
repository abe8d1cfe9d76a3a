#include "parser/subqueries.hpp"

namespace pubsubsql::parser {

namespace {

class collector {
 public:
  collector(std::vector<const select_statement*>& out, subquery_order order) : out_(out), order_(order) {}

  void operator()(const insert_statement& s) {
    rows(s.rows);
    assignments(s.updates);
    if (s.query != nullptr) inner(*s.query);
  }
  void operator()(const push_statement& s) { rows(s.rows); }
  void operator()(const publish_statement& s) { rows(s.rows); }
  void operator()(const bind_statement& s) { where(s.where); }
  void operator()(const select_statement& s) {
    list(s.columns);
    where(s.where);
    for (const expression* e : s.group_by) walk(e);
    walk(s.having);
    order(s.order_by);
  }
  void operator()(const update_statement& s) {
    assignments(s.set);
    where(s.where);
    order(s.order_by);
    if (s.returning) list(*s.returning);
  }
  void operator()(const delete_statement& s) {
    where(s.where);
    order(s.order_by);
    if (s.returning) list(*s.returning);
  }
  void operator()(const lease_statement& s) { where(s.where); }
  void operator()(const subscribe_statement& s) {
    list(s.columns);
    where(s.where);
    for (const expression* e : s.group_by) walk(e);
    order(s.order_by);
  }
  void operator()(const explain_statement& s) { std::visit(*this, s.of); }
  template <typename Other>
  void operator()(const Other&) {}

 private:
  void inner(const select_statement& s) {
    if (order_ == subquery_order::outer_first) out_.push_back(&s);
    (*this)(s);
    if (order_ == subquery_order::inner_first) out_.push_back(&s);
  }
  void walk(const expression* e) {
    if (e == nullptr) return;
    for (const expression* operand : e->operands) walk(operand);
    if (e->subquery != nullptr) inner(*e->subquery);
  }
  void value(const literal& l) { walk(l.computed); }
  void where(const std::optional<condition>& c) {
    if (c) walk(c->predicate);
  }
  void list(const projection& p) {
    for (const select_item& item : p.items) walk(item.value);
  }
  void order(const order_list& items) {
    for (const order_item& item : items) walk(item.value);
  }
  void assignments(const std::pmr::vector<assignment>& set) {
    for (const assignment& a : set) value(a.value);
  }
  void rows(const row_source& s) {
    for (const literal& l : s.values) value(l);
    if (s.returning) list(*s.returning);
  }

  std::vector<const select_statement*>& out_;
  subquery_order order_;
};

}  // namespace

void subqueries_of(const statement_body& body, std::vector<const select_statement*>& out, subquery_order order) {
  std::visit(collector(out, order), body);
}

}  // namespace pubsubsql::parser
