// Queries, and the parts that other statements have in common with them.

#include <algorithm>
#include <charconv>

#include "parser/keywords.hpp"
#include "parser/statement_parser.hpp"

namespace pubsubsql::parser {

namespace {

/// Words that go on with a query or a statement, so that no alias without `as` is called so.
bool may_be_alias(std::string_view word) {
  static constexpr std::string_view never[] = {"from", "where",     "group", "having", "order", "limit", "for",
                                               "on",   "returning", "union", "into",   "lock",  "as"};
  return std::ranges::none_of(never, [&](std::string_view w) { return equals_keyword(word, w); });
}

bool is_bare_column(const select_item& i) {
  return i.alias.empty() && i.value->op == operation::column;
}

/// Whether a bare word is no column where a column's name would do.
bool is_constant(std::string_view word) {
  return equals_keyword(word, "null") || equals_keyword(word, "true") || equals_keyword(word, "false") ||
         is_function_without_parentheses(word);
}

}  // namespace

// Lists

bool statement_parser::column_list(name_list& out) {
  do {
    std::string_view name;
    if (!scanner_.accept_name(name)) return fail(out.empty() ? "`*` or a column name" : "a column name");
    if (!part()) return false;
    out.push_back(name);
  } while (scanner_.accept(','));
  return true;
}

bool statement_parser::columns(projection& out) {
  out.all = scanner_.accept('*');
  return out.all || column_list(out.names);
}

bool statement_parser::is_list_end(list_end behind) const {
  return behind == list_end::from ? scanner_.keyword_follows("from") : scanner_.at_end();
}

bool statement_parser::select_list(projection& out, list_end behind) {
  if (scanner_.accept('*')) {
    if (!scanner_.stands_at(',')) {
      out.all = true;
      return true;
    }
    scanner_.accept(',');
    if (!part()) return false;
    out.items.push_back({.value = new_expression({.op = operation::all_columns, .source = "*"})});
  }
  do {
    const std::size_t start = scanner_.offset();
    if (out.items.empty()) {
      std::string_view name;
      const bool is_quoted = scanner_.stands_at('`');
      if (scanner_.accept_name(name) && (is_quoted || !is_constant(name)) &&
          (scanner_.stands_at(',') || is_list_end(behind))) {
        if (!part()) return false;
        out.names.push_back(name);
        continue;
      }
      scanner_.rewind(start);
    }
    const bool first = out.items.empty() && out.names.empty();
    for (const std::string_view name : out.names) {
      out.items.push_back({.value = new_expression({.op = operation::column, .text = name, .source = name})});
    }
    out.names.clear();
    if (!select_item_of(out)) return rename_failure(start, first ? "`*` or a column name" : "a column name");
  } while (scanner_.accept(','));
  if (out.items.empty() || !std::ranges::all_of(out.items, is_bare_column)) return true;
  for (const select_item& i : out.items) out.names.push_back(i.value->text);
  out.items.clear();
  return true;
}

bool statement_parser::select_item_of(projection& out) {
  if (scanner_.stands_at('*')) {
    scanner_.accept('*');
    if (!part()) return false;
    out.items.push_back({.value = new_expression({.op = operation::all_columns, .source = "*"})});
    return true;
  }
  const std::size_t start = scanner_.offset();
  select_item i;
  if (!expression_of(i.value)) return false;
  i.value->source = scanner_.source_from(start);
  if (!alias(i)) return false;
  out.items.push_back(i);
  return true;
}

bool statement_parser::alias(select_item& out) {
  if (scanner_.accept_keyword("as")) {
    const bool found = scanner_.stands_at('\'') ? scanner_.accept_text(out.alias) : scanner_.accept_name(out.alias);
    return (found && !out.alias.empty()) || fail("another name");
  }
  if (scanner_.stands_at('`')) return scanner_.accept_name(out.alias) || fail("another name");
  const std::string_view word = scanner_.peek_word();
  // After a bare `from`, which reads as a column, something was left out.
  const bool is_from = out.value->op == operation::column && equals_keyword(out.value->source, "from");
  if (!word.empty() && !is_from && may_be_alias(word)) scanner_.accept_name(out.alias);
  return true;
}

bool statement_parser::modifier(std::string_view word) {
  const std::size_t before = scanner_.offset();
  if (!scanner_.accept_keyword(word)) return false;
  static constexpr std::string_view after_columns = ",+/%|=<>!";
  bool is_column = scanner_.at_end() || scanner_.keyword_follows("as") ||
                   std::ranges::any_of(after_columns, [&](char c) { return scanner_.stands_at(c); });
  if (!is_column && scanner_.keyword_follows("from")) {
    // `from` may be the column behind the word, then there is another one, or a comma.
    const std::size_t from = scanner_.offset();
    scanner_.accept_keyword("from");
    const bool from_is_column = scanner_.stands_at(',') || scanner_.keyword_follows("from");
    scanner_.rewind(from);
    is_column = !from_is_column;
  }
  if (is_column) scanner_.rewind(before);
  return !is_column;
}

// Parts

bool statement_parser::from_table(std::string_view& table, std::string_view expected) {
  return keyword("from", expected) && table_name(table);
}

bool statement_parser::where(std::optional<condition>& out) {
  return !scanner_.accept_keyword("where") || condition_of(out);
}

bool statement_parser::parse_condition(std::optional<condition>& out) {
  return condition_of(out) && end("an operator or the end of the condition");
}

bool statement_parser::condition_of(std::optional<condition>& out) {
  const std::size_t start = scanner_.offset();
  condition c;
  if (scanner_.accept_name(c.column) && scanner_.accept('=')) {
    const std::size_t value_start = scanner_.offset();
    const operand_kind taken = scanner_.accept_operand(c.value, character::arithmetic);
    if (taken == operand_kind::none) return fail("a value");
    const bool goes_on =
        taken == operand_kind::expression ||
        (!scanner_.at_end() && (scanner_.operator_follows(character::comparison) || scanner_.keyword_follows("and") ||
                                scanner_.keyword_follows("or") || scanner_.keyword_follows("xor")));
    if (!goes_on) {
      out = c;
      return ends_properly(c.value, value_start);
    }
  }
  scanner_.rewind(start);
  return predicate(out.emplace());
}

bool statement_parser::predicate(condition& out) {
  const std::size_t start = scanner_.offset();
  if (!expression_of(out.predicate)) return rename_failure(start, "a column name");
  const expression& e = *out.predicate;
  if (e.op == operation::column) return fail("`=`");
  if (e.op != operation::equal || e.operands[0]->op != operation::column) return true;
  const expression& compared = *e.operands[1];
  if (compared.op == operation::null || (compared.op == operation::text && compared.alone)) {
    out = {.column = e.operands[0]->text,
           .value = {.text = compared.text, .is_null = compared.op == operation::null},
           .predicate = nullptr};
  }
  return true;
}

bool statement_parser::group_by(expression_list& out) {
  if (!scanner_.accept_keyword("group")) return true;
  if (!keyword("by", "`by`")) return false;
  do {
    const std::size_t start = scanner_.offset();
    if (!expression_of(out.emplace_back())) return rename_failure(start, "a column name");
  } while (scanner_.accept(','));
  return true;
}

bool statement_parser::order_by(order_list& out) {
  if (!scanner_.accept_keyword("order")) return true;
  if (!keyword("by", "`by`")) return false;
  do {
    const std::size_t start = scanner_.offset();
    order_item& i = out.emplace_back();
    if (!expression_of(i.value)) return rename_failure(start, "a column name");
    i.descending = scanner_.accept_keyword("desc");
    if (!i.descending) scanner_.accept_keyword("asc");
  } while (scanner_.accept(','));
  return true;
}

bool statement_parser::row_count(std::uint64_t& out) {
  const std::size_t start = scanner_.offset();
  std::string_view digits;
  bound_value given;
  // 1 is right wherever a number may stand.
  if (scanner_.accept_placeholder(given)) digits = given.is == bound_value::kind::missing ? "1" : given.text;
  if (!digits.empty() || scanner_.accept_number(digits)) {
    const char* const last = digits.data() + digits.size();
    const auto [stop, problem] = std::from_chars(digits.data(), last, out);
    if (problem == std::errc{} && stop == last) return true;
  }
  scanner_.rewind(start);
  return fail("a number of rows");
}

bool statement_parser::limit(std::optional<row_limit>& out) {
  if (!scanner_.accept_keyword("limit")) return true;
  return row_count(out.emplace().count);
}

bool statement_parser::limit_of_query(std::optional<row_limit>& out) {
  if (!limit(out)) return false;
  if (!out) return true;
  if (scanner_.accept(',')) {
    out->offset = out->count;
    return row_count(out->count);
  }
  return !scanner_.accept_keyword("offset") || row_count(out->offset);
}

bool statement_parser::row_locks() {
  // Statements are atomic, so these words have nothing left to do.
  if (scanner_.accept_keyword("for")) {
    if (!scanner_.accept_keyword("update") && !scanner_.accept_keyword("share")) return fail("`update` or `share`");
    if (scanner_.accept_keyword("skip")) return keyword("locked", "`locked`");
    scanner_.accept_keyword("nowait");
    return true;
  }
  if (!scanner_.accept_keyword("lock")) return true;
  return keyword("in", "`in share mode`") && keyword("share", "`share mode`") && keyword("mode", "`mode`");
}

// Select

bool statement_parser::query(select_statement& out) {
  out.distinct = modifier("distinct");
  if (!select_list(out.columns, list_end::from)) return false;
  if (!out.columns.items.empty() && !scanner_.keyword_follows("from")) {
    const auto takes_table = [](const select_item& i) {
      return i.value->op == operation::all_columns || i.value->op == operation::column;
    };
    const bool may_end = scanner_.at_end() || scanner_.stands_at(')');
    if (may_end && std::ranges::none_of(out.columns.items, takes_table)) return true;
  }
  if (!from_table(out.table, out.columns.all ? "`from`" : "`,` or `from`") || !where(out.where)) return false;
  if (!group_by(out.group_by)) return false;
  if (scanner_.accept_keyword("having") && !expression_of(out.having)) return false;
  if (!order_by(out.order_by) || !row_locks() || !limit_of_query(out.limit)) return false;
  return row_locks();
}

bool statement_parser::select(statement_body& out) {
  auto& s = out.emplace<select_statement>(no_query());
  if (!query(s)) return false;
  const bool may_have_where = !s.where && s.is_plain() && !s.table.empty();
  return end(may_have_where ? "`where` or end of statement" : "end of statement");
}

}  // namespace pubsubsql::parser
