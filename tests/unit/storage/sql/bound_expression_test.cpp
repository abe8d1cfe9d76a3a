#include "storage/sql/bound_expression.hpp"

#include <deque>
#include <initializer_list>
#include <string>
#include <vector>

#include "storage/table.hpp"
#include "tests/unit/storage/sql/support.hpp"

using namespace pubsubsql::storage;
using namespace pubsubsql::storage::sql;
using pubsubsql::parser::expression;
using pubsubsql::parser::operation;

namespace {

/// Trees as the parser makes them.
class tree {
 public:
  expression* leaf(operation op, std::string_view text) {
    return &nodes_.emplace_back(expression{.op = op, .text = text});
  }
  expression* text(std::string_view t) { return leaf(operation::text, t); }
  expression* number(std::string_view t) { return leaf(operation::number, t); }
  expression* column(std::string_view t) { return leaf(operation::column, t); }
  expression* null() { return leaf(operation::null, {}); }
  expression* node(operation op, std::initializer_list<expression*> operands, bool negated = false,
                   std::string_view text = {}) {
    lists_.emplace_back(operands);
    return &nodes_.emplace_back(expression{.op = op, .negated = negated, .text = text, .operands = lists_.back()});
  }
  /// `column op 'text'`, as in most conditions.
  expression* compare(std::string_view name, operation op, std::string_view t) {
    return node(op, {column(name), text(t)});
  }

 private:
  std::deque<expression> nodes_;
  std::deque<std::vector<expression*>> lists_;
};

column_facts facts(std::string_view type) {
  return {.type = std::string(type), .nullable = true, .default_text = {}, .extra = {}};
}

/// Untyped columns a and b; the others are called as their types.
class fixture {
 public:
  table t{table_description{.name = "T",
                            .columns = {{.name = "a"},
                                        {.name = "b"},
                                        {.name = "int", .facts = facts("int")},
                                        {.name = "decimal", .facts = facts("decimal(10,2)")},
                                        {.name = "varchar", .facts = facts("varchar(20)")},
                                        {.name = "datetime", .facts = facts("datetime")},
                                        {.name = "enum", .facts = facts("enum('low','high')")},
                                        {.name = "double", .facts = facts("double")},
                                        {.name = "char", .facts = facts("char(5)")}}}};
  tree make;
  bench_evaluation bench;

  /// By column: a, b, int, decimal, varchar, datetime, enum, double, char.
  row_view row(const std::vector<value>& values) {
    std::vector<value> all = {std::nullopt};
    all.insert(all.end(), values.begin(), values.end());
    return t.insert(pubsubsql::parser::queue_end::back, all);
  }

  bound_expression bound(const expression* e) {
    bound_expression out;
    name_scope names{.of = &t};
    const auto failed = bound_expression::bind(*e, names, out);
    REQUIRE_MESSAGE(!failed, (failed ? failed->message : ""));
    return out;
  }
  int failure(const expression* e) {
    bound_expression out;
    name_scope names{.of = &t};
    const auto failed = bound_expression::bind(*e, names, out);
    return failed ? failed->mysql_code : 0;
  }
  std::string result(const expression* e, row_view r) {
    evaluation fresh(bench.memory, bench.e.now_us());
    const bound_expression be = bound(e);  // a datum may point into its constants
    return shown_datum(fresh, be.evaluate({.row = r}, fresh));
  }
  bool matches(const expression* e, row_view r) { return bound(e).is_true({.row = r}, bench.e); }

  /// The conjunctions in one line.
  std::string analysed(const expression* e) {
    std::string out;
    for (const conjunction& c : bound(e).conjunctions()) {
      if (!out.empty()) out += " | ";
      for (const column_atom& a : c.atoms) {
        if (!out.empty() && !out.ends_with(' ')) out += ' ';
        out += std::string(t.column_name(a.column));
        if (a.demands == column_atom::kind::is_null) out += " is null";
        if (a.demands == column_atom::kind::is_not_null) out += " is not null";
        for (const std::string& v : a.values) out += " '" + v + "'";
        if (a.lower) out += (a.lower->inclusive ? " >= " : " > ") + a.lower->text;
        if (a.upper) out += (a.upper->inclusive ? " <= " : " < ") + a.upper->text;
      }
      if (!c.complete) out += " +";
    }
    return out;
  }
};

}  // namespace

TEST_CASE("bound expression: constants take the form of the column beside them") {
  fixture f;
  const row_view r = f.row({"10", "x", "10", "1.50", "10", "2026-01-02 00:00:00", "high", "0.1", "ab"});
  CHECK(f.matches(f.make.compare("a", operation::greater, "9"), r));
  CHECK(!f.matches(f.make.compare("a", operation::equal, "10.0"), r));
  CHECK(f.matches(f.make.compare("b", operation::greater, "9"), r));
  CHECK(f.matches(f.make.compare("int", operation::equal, "10.0"), r));
  CHECK(f.matches(f.make.compare("int", operation::greater, "9.5"), r));
  CHECK(f.matches(f.make.compare("decimal", operation::equal, "1.5"), r));
  CHECK(!f.matches(f.make.compare("varchar", operation::greater, "9"), r));
  CHECK(f.matches(f.make.compare("datetime", operation::equal, "2026-1-2"), r));
  CHECK(f.matches(f.make.compare("datetime", operation::less, "2026-01-02 00:00:00.5"), r));
  CHECK(f.matches(f.make.compare("datetime", operation::less_equal, "2026-01-02"), r));
  CHECK(!f.matches(f.make.compare("datetime", operation::greater, "20260102"), r));
  CHECK(f.matches(f.make.compare("datetime", operation::not_equal, "2026-01-01"), r));
  CHECK(f.matches(f.make.compare("enum", operation::equal, "2"), r));
  CHECK(f.matches(f.make.compare("enum", operation::equal, "high"), r));
  CHECK(f.matches(f.make.compare("double", operation::equal, "0.10"), r));
  CHECK(f.matches(f.make.compare("char", operation::equal, "ab  "), r));
  CHECK(f.matches(f.make.compare("id", operation::equal, "0"), r));
  CHECK(!f.matches(f.make.compare("id", operation::equal, "x"), r));
  CHECK(f.matches(f.make.compare("int", operation::null_safe_equal, "10"), r));
}

TEST_CASE("bound expression: results and their types") {
  fixture f;
  const row_view r = f.row({"10", "x", "7", "1.50", "text", std::nullopt, "low", "0.1", "ab"});
  tree& m = f.make;
  struct example {
    const expression* e;
    std::string_view result;
    std::string_view type;
  };
  const std::vector<example> examples = {
      {m.node(operation::add, {m.column("int"), m.number("1")}), "8", "bigint"},
      {m.node(operation::add, {m.column("a"), m.number("1")}), "11", "double"},
      {m.node(operation::multiply, {m.column("decimal"), m.number("2")}), "3.00", "decimal(65,2)"},
      {m.node(operation::divide, {m.column("int"), m.number("2")}), "3.5000", "decimal(65,4)"},
      {m.node(operation::integer_divide, {m.column("int"), m.number("2")}), "3", "bigint"},
      {m.node(operation::add, {m.number("1"), m.number("2")}), "3", "bigint"},
      {m.node(operation::concatenate, {m.column("varchar"), m.text("!")}), "text!", "longtext"},
      {m.node(operation::call, {m.column("varchar")}, false, "UPPER"), "TEXT", "longtext"},
      {m.node(operation::call, {m.column("datetime"), m.text("never")}, false, "ifnull"), "never", "longtext"},
      {m.node(operation::call, {}, false, "now"), "2026-01-02 03:04:05", "datetime"},
      {m.node(operation::is_null, {m.column("datetime")}), "1", "int"},
      {m.node(operation::negate, {m.column("int")}), "-7", "bigint"},
      {m.node(operation::greater, {m.node(operation::multiply, {m.column("int"), m.number("2")}), m.text("13")}), "1",
       "int"},
      {m.column("id"), "0", "bigint"},
      {m.null(), "NULL", ""},
  };
  for (const auto& [e, expected, type] : examples) {
    CHECK(f.result(e, r) == expected);
    CHECK(to_text(f.bound(e).type()) == type);
  }
}

TEST_CASE("bound expression: logic, lists, ranges, patterns") {
  fixture f;
  const row_view r = f.row({"10", "x", "7", "1.50", "text", std::nullopt, "low", "0.1", "ab"});
  tree& m = f.make;
  const auto one_of = [&](std::string_view name, std::initializer_list<std::string_view> items, bool negated) {
    std::vector<expression*> operands = {m.column(name)};
    for (const std::string_view item : items) operands.push_back(item == "null" ? m.null() : m.text(item));
    expression* e = m.node(operation::in_list, {m.column(name), m.text("")}, negated);
    static std::deque<std::vector<expression*>> kept;
    e->operands = kept.emplace_back(std::move(operands));
    return e;
  };
  CHECK(f.result(one_of("a", {"9", "10"}, false), r) == "1");
  CHECK(f.result(one_of("a", {"9", "10.0"}, false), r) == "0");
  CHECK(f.result(one_of("a", {"9", "null"}, false), r) == "NULL");
  CHECK(f.result(one_of("a", {"9", "null"}, true), r) == "NULL");
  CHECK(f.result(one_of("int", {"9", "7.0"}, false), r) == "1");
  CHECK(f.result(one_of("datetime", {"2026-01-01"}, false), r) == "NULL");
  CHECK(f.result(m.node(operation::between, {m.column("a"), m.text("9"), m.text("11")}), r) == "1");
  CHECK(f.result(m.node(operation::between, {m.column("int"), m.text("8"), m.text("11")}, true), r) == "1");
  CHECK(f.result(m.node(operation::like, {m.column("varchar"), m.text("te%")}), r) == "1");
  CHECK(f.result(m.node(operation::like, {m.column("varchar"), m.text("te|%"), m.text("|")}), r) == "0");
  CHECK(f.result(m.node(operation::logical_and,
                        {m.compare("datetime", operation::equal, "2026-01-01"), m.compare("a", operation::equal, "x")}),
                 r) == "0");
  CHECK(f.result(m.node(operation::logical_or,
                        {m.compare("datetime", operation::equal, "2026-01-01"), m.compare("a", operation::equal, "x")}),
                 r) == "NULL");
  CHECK(f.result(m.node(operation::is_true, {m.column("datetime")}, true), r) == "1");
}

TEST_CASE("bound expression: what is wrong is told when it is bound") {
  fixture f;
  tree& m = f.make;
  CHECK(f.failure(m.column("nowhere")) == 1054);
  CHECK(f.failure(m.node(operation::call, {}, false, "nothing")) == 1305);
  CHECK(f.failure(m.node(operation::call, {}, false, "abs")) == 1582);
  CHECK(f.failure(m.node(operation::aggregate, {m.column("a")}, false, "sum")) == 1111);
  CHECK(f.failure(m.node(operation::like, {m.column("a"), m.text("x"), m.text("ab")})) == 1210);
  CHECK(f.failure(m.node(operation::call, {m.column("a")}, false, "values")) == 1305);
}

TEST_CASE("bound expression: what fails for a row fails when it is computed") {
  fixture f;
  tree& m = f.make;
  const expression* e = m.node(operation::add, {m.number("9223372036854775807"), m.number("1")});
  CHECK(f.result(e, {}).starts_with("1690 "));
  CHECK(!f.bound(e).is_true({}, f.bench.e));
  CHECK(f.bench.e.failure()->code == 1690);
}

TEST_CASE("bound expression: other values than the row's, values offered, aggregates, aliases") {
  fixture f;
  tree& m = f.make;
  const row_view r = f.row({"10", "x"});
  const std::vector<value> values = {std::nullopt, "11"};
  const std::vector<value> offered = {std::nullopt, "12"};
  std::vector<aggregate_call> calls;
  name_scope names{.of = &f.t, .aggregates = &calls, .offers_values = true};
  const auto bound = [&](const expression* e) {
    bound_expression out;
    REQUIRE(!bound_expression::bind(*e, names, out));
    return out;
  };
  evaluation& e = f.bench.e;
  CHECK(shown_datum(e, bound(m.column("a")).evaluate({.row = r, .values = values}, e)) == "11");
  CHECK(shown_datum(e, bound(m.column("b")).evaluate({.row = r, .values = values}, e)) == "x");
  const expression* given = m.node(operation::call, {m.column("a")}, false, "values");
  CHECK(shown_datum(e, bound(given).evaluate({.row = r, .offered = offered}, e)) == "12");

  const expression* sum = m.node(operation::aggregate, {m.column("int")}, false, "SUM");
  const bound_expression twice =
      bound(m.node(operation::add, {const_cast<expression*>(sum), const_cast<expression*>(sum)}));
  CHECK(calls.size() == 1);
  CHECK(calls.front().kind == aggregate_kind::sum);
  const std::vector<datum> results = {datum::integer(4)};
  CHECK(shown_datum(e, twice.evaluate({.row = r, .aggregates = results}, e)) == "8");

  pubsubsql::parser::projection list;
  list.items.push_back({.value = m.node(operation::add, {m.column("a"), m.number("5")}), .alias = "b"});
  names.aliases = &list;
  CHECK(shown_datum(e, bound(m.column("b")).evaluate({.row = r}, e)) == "x");
  names.aliases_first = true;
  CHECK(shown_datum(e, bound(m.column("b")).evaluate({.row = r}, e)) == "15");
}

TEST_CASE("bound expression: subqueries are constants") {
  fixture f;
  tree& m = f.make;
  const pubsubsql::parser::select_statement inner{};
  inner_results results;
  results.emplace_back(&inner, inner_result{.types = {type_of("int")}, .rows = {{"7"}, {std::nullopt}}});
  name_scope names{.of = &f.t, .inner = &results};
  const row_view r = f.row({"7", "x", "7"});
  expression* in = m.node(operation::in_subquery, {m.column("int")});
  in->subquery = &inner;
  bound_expression out;
  REQUIRE(!bound_expression::bind(*in, names, out));
  CHECK(out.is_true({.row = r}, f.bench.e));
  expression* scalar = m.leaf(operation::subquery, {});
  scalar->subquery = &inner;
  const auto failed = bound_expression::bind(*scalar, names, out);
  REQUIRE(failed);
  CHECK(failed->mysql_code == 1242);
  results.front().second.rows.pop_back();
  REQUIRE(!bound_expression::bind(*scalar, names, out));
  CHECK(shown_datum(f.bench.e, out.evaluate({}, f.bench.e)) == "7");
}

TEST_CASE("bound expression: what indexes can use of a predicate") {
  fixture f;
  tree& m = f.make;
  struct example {
    const expression* e;
    std::string_view expected;
  };
  const auto compare = [&](std::string_view name, operation op, std::string_view t) { return m.compare(name, op, t); };
  using enum operation;
  const std::vector<example> examples = {
      {compare("a", equal, "10"), "a '10'"},
      {compare("a", greater, "10"), "a > 10"},
      {compare("int", equal, "10.0"), "int '10'"},
      {compare("int", equal, "10.5"), ""},
      {compare("int", less_equal, "10.5"), "int <= 10.5"},
      {compare("int", equal, "x"), ""},
      {compare("decimal", equal, "1.5"), "decimal '1.50'"},
      {compare("datetime", greater, "2026-1-2"), "datetime > 2026-01-02 00:00:00"},
      {compare("enum", equal, "2"), "enum 'high'"},
      {compare("enum", greater, "low"), ""},
      {compare("double", equal, "0.10"), "double '0.1'"},
      {compare("id", equal, "5"), "id '5'"},
      {compare("a", not_equal, "5"), ""},
      {m.node(logical_not, {compare("a", less, "5")}), "a >= 5"},
      {m.node(equal, {m.number("5"), m.column("int")}), "int '5'"},
      {m.node(less, {m.number("5"), m.column("int")}), "int > 5"},
      {m.node(equal, {m.column("a"), m.number("5")}), "a >= 5 <= 5"},
      {m.node(is_null, {m.column("a")}), "a is null"},
      {m.node(is_null, {m.column("a")}, true), "a is not null"},
      {m.node(between, {m.column("int"), m.text("1"), m.text("3")}), "int >= 1 <= 3"},
      {m.node(in_list, {m.column("int"), m.text("1"), m.text("3"), m.text("1.0"), m.null()}), "int '1' '3'"},
      {m.node(in_list, {m.column("a"), m.text("y"), m.text("x")}), "a 'x' 'y'"},
      {m.node(in_list, {m.column("a"), m.text("y")}, true), ""},
      {m.node(like, {m.column("varchar"), m.text("ab%")}), "varchar >= ab < ac"},
      {m.node(like, {m.column("varchar"), m.text("ab_c%")}), "varchar >= ab < ac +"},
      {m.node(like, {m.column("a"), m.text("1%")}), ""},
      {m.node(like, {m.column("a"), m.text("ab")}), "a 'ab'"},
      {m.node(logical_and, {compare("a", equal, "1"), compare("int", greater, "2"), compare("int", less, "9"),
                            compare("int", greater, "3")}),
       "a '1' int > 3 < 9"},
      {m.node(logical_and, {compare("a", equal, "1"), compare("b", not_equal, "2")}), "a '1' +"},
      {m.node(logical_or, {compare("a", equal, "1"), compare("a", equal, "2")}), "a '1' '2'"},
      {m.node(logical_or, {compare("a", equal, "1"), compare("int", less, "2")}), "a '1' | int < 2"},
      {m.node(logical_or, {compare("a", equal, "1"), compare("b", not_equal, "2")}), ""},
      {m.node(logical_and,
              {m.node(logical_or, {compare("a", equal, "1"), compare("int", less, "2")}), compare("b", equal, "3")}),
       "a '1' b '3' | int < 2 b '3'"},
      {m.node(greater, {m.column("a"), m.column("b")}), ""},
      {m.node(greater, {m.node(add, {m.column("a"), m.number("1")}), m.text("5")}), ""},
  };
  for (const auto& [e, expected] : examples) CHECK(f.analysed(e) == expected);
}

TEST_CASE("bound expression: what it reads, and when two are the same") {
  fixture f;
  tree& m = f.make;
  const bound_expression e =
      f.bound(m.node(operation::logical_and,
                     {m.compare("b", operation::equal, "1"),
                      m.node(operation::greater, {m.column("datetime"), m.node(operation::call, {}, false, "NOW")})}));
  CHECK(std::vector<column_index>(e.columns().begin(), e.columns().end()) == std::vector<column_index>{2, 6});
  CHECK(e.depends_on_time());
  CHECK(!e.as_column());
  CHECK(f.bound(m.column("b")).as_column() == 2);
  CHECK(bound_expression::of_column(f.t, 2).canonical_text() == "`b`");
  const auto text = [&](const expression* of) { return f.bound(of).canonical_text(); };
  CHECK(text(m.compare("int", operation::equal, "5.0")) ==
        text(m.node(operation::equal, {m.number("5"), m.column("int")})));
  CHECK(text(m.compare("a", operation::equal, "5")) != text(m.compare("a", operation::equal, "5.0")));
  CHECK(text(m.node(operation::call, {m.column("a")}, false, "LOWER")) ==
        text(m.node(operation::call, {m.column("a")}, false, "lower")));

  name_scope names{.of = &f.t, .unknown_is_null = true};
  bound_expression out;
  REQUIRE(!bound_expression::bind(*m.compare("later", operation::equal, "1"), names, out));
  CHECK(out.canonical_text() == "(`later` = '1')");
  CHECK(!out.is_true({.row = f.row({"1"})}, f.bench.e));
}
