// Statements that change rows.

#include <string>
#include <utility>

#include "parser/keywords.hpp"
#include "parser/statement_parser.hpp"

namespace pubsubsql::parser {

row_source statement_parser::no_rows() {
  return {.table = {}, .columns = names(), .width = 0, .values = list_of<literal>(), .returning = {}};
}

// Insert, replace, push

bool statement_parser::value_row(row_source& out) {
  if (!symbol('(', "`(`")) return false;
  const bool counts = out.width > 0;
  const auto counted = [&] { return std::to_string(out.width) + " values, one for each column"; };
  for (std::size_t n = 0; !counts || n < out.width; ++n) {
    if (n > 0 && !scanner_.accept(',')) {
      if (counts) return fail("`,` and a value: " + counted());
      out.width = n;
      return symbol(')', "`,` or `)`");
    }
    if (!value(out.values.emplace_back())) return false;
  }
  return scanner_.accept(')') || fail("`)` after " + counted());
}

bool statement_parser::value_rows(row_source& out) {
  do {
    if (!value_row(out)) return false;
  } while (scanner_.accept(','));
  return true;
}

bool statement_parser::source(row_source& out) {
  if (!keyword("into", "`into`") || !table_name(out.table)) return false;
  if (!scanner_.accept('(')) return true;
  do {
    std::string_view name;
    if (!column_name(name) || !part()) return false;
    out.columns.push_back(name);
  } while (scanner_.accept(','));
  out.width = out.columns.size();
  return symbol(')', "`,` or `)`");
}

bool statement_parser::insert_rows(insert_statement& out) {
  if (!source(out.rows)) return false;
  if (scanner_.accept_keyword("select")) {
    out.rows.width = 0;
    select_statement* const from = new_query();
    out.query = from;
    return query(*from) && on_duplicate(out) && returning(out.rows.returning) &&
           end("`on duplicate key update`, `returning` or end of statement");
  }
  if (!keyword("values", out.rows.columns.empty() ? "`(` and column names, `values` or `select`" : "`values`")) {
    return false;
  }
  out.rows.values.reserve(out.rows.width);
  return value_rows(out.rows) && on_duplicate(out) && returning(out.rows.returning) &&
         end("`,` and more values, `returning` or end of statement");
}

bool statement_parser::on_duplicate(insert_statement& out) {
  if (out.on_duplicate != duplicate_rule::refuse || !scanner_.accept_keyword("on")) return true;
  out.on_duplicate = duplicate_rule::update;
  return keyword("duplicate", "`duplicate key update`") && keyword("key", "`key update`") &&
         keyword("update", "`update`") && assignments(out.updates);
}

bool statement_parser::insert(statement_body& out) {
  auto& s = out.emplace<insert_statement>(insert_statement{.rows = no_rows(), .updates = list_of<assignment>()});
  if (scanner_.accept_keyword("ignore")) s.on_duplicate = duplicate_rule::ignore;
  return insert_rows(s);
}

bool statement_parser::replace(statement_body& out) {
  return insert_rows(out.emplace<insert_statement>(
      insert_statement{.rows = no_rows(), .on_duplicate = duplicate_rule::replace, .updates = list_of<assignment>()}));
}

bool statement_parser::push(statement_body& out) {
  auto& s = out.emplace<push_statement>(push_statement{.end = end_of_queue(), .rows = no_rows()});
  if (!source(s.rows)) return false;
  return keyword("values", s.rows.columns.empty() ? "`(` and column names or `values`" : "`values`") &&
         value_rows(s.rows) && optional_duration("delay", s.delay) && returning(s.rows.returning) &&
         end("`,` and more values, `delay`, `returning` or end of statement");
}

bool statement_parser::publish(statement_body& out) {
  auto& s = out.emplace<publish_statement>(publish_statement{.rows = no_rows()});
  if (!source(s.rows)) return false;
  if (!keyword("values", s.rows.columns.empty() ? "`(` and column names or `values`" : "`values`")) return false;
  s.rows.values.reserve(s.rows.width);
  return value_rows(s.rows) && end("`,` and more values or end of statement");
}

// Update, delete

bool statement_parser::assignments(std::pmr::vector<assignment>& out) {
  do {
    assignment a;
    if (!column_name(a.column) || !part() || !symbol('=', "`=`") || !value(a.value)) return false;
    out.push_back(a);
  } while (scanner_.accept(','));
  return true;
}

bool statement_parser::returning(std::optional<projection>& out) {
  if (!scanner_.accept_keyword("returning")) return true;
  out.emplace(no_columns());
  return select_list(*out, list_end::statement);
}

update_statement statement_parser::no_update() {
  return {.table = {},
          .set = list_of<assignment>(),
          .where = {},
          .returning = {},
          .order_by = list_of<order_item>(),
          .limit = {}};
}

bool statement_parser::update(statement_body& out) {
  return update_parts(out.emplace<update_statement>(no_update()));
}

bool statement_parser::update_parts(update_statement& out) {
  return table_name(out.table) && keyword("set", "`set`") && assignments(out.set) && where(out.where) &&
         order_by(out.order_by) && limit(out.limit) && returning(out.returning) &&
         end(out.where ? "`returning` or end of statement" : "`,`, `where`, `returning` or end of statement");
}

delete_statement statement_parser::no_delete() {
  return {.table = {}, .where = {}, .returning = {}, .order_by = list_of<order_item>(), .limit = {}};
}

bool statement_parser::delete_rows(statement_body& out) {
  return delete_parts(out.emplace<delete_statement>(no_delete()));
}

bool statement_parser::delete_parts(delete_statement& out) {
  return from_table(out.table, "`from`") && where(out.where) && order_by(out.order_by) && limit(out.limit) &&
         returning(out.returning) &&
         end(out.where ? "`returning` or end of statement" : "`where`, `returning` or end of statement");
}

// Queues

queue_end statement_parser::end_of_queue() {
  // `front` and `back` may be columns as well; a direction is never followed by a comma.
  const std::size_t before = scanner_.offset();
  for (const auto& [word, direction] : {std::pair{"front", queue_end::front}, std::pair{"back", queue_end::back}}) {
    if (!scanner_.accept_keyword(word)) continue;
    if (!scanner_.accept(',')) return direction;
    scanner_.rewind(before);
  }
  return queue_end::back;
}

bool statement_parser::pop_without_columns(pop_statement& out) {
  // `from` may be a column as well: `pop from from T`, `pop from, c from T`.
  const std::size_t before = scanner_.offset();
  if (scanner_.accept_keyword("from")) {
    const bool column = equals_keyword(scanner_.peek_word(), "from");
    if (scanner_.accept_name(out.table) && (!column || scanner_.at_end())) return true;
  }
  scanner_.rewind(before);
  return false;
}

bool statement_parser::pop(statement_body& out) {
  if (lease_follows()) return lease(out);
  auto& s = out.emplace<pop_statement>();
  s.end = end_of_queue();
  if (!pop_without_columns(s)) {
    s.columns.emplace(no_columns());
    if (!columns(*s.columns) || !from_table(s.table, s.columns->all ? "`from`" : "`,` or `from`")) return false;
  }
  return end("end of statement");
}

bool statement_parser::peek(statement_body& out) {
  auto& s = out.emplace<peek_statement>(peek_statement{.end = end_of_queue(), .columns = no_columns(), .table = {}});
  return columns(s.columns) && from_table(s.table, s.columns.all ? "`from`" : "`,` or `from`") &&
         end("end of statement");
}

}  // namespace pubsubsql::parser
