// Statements that declare: tables, columns, indexes.

#include <algorithm>
#include <charconv>
#include <utility>

#include "parser/keywords.hpp"
#include "parser/statement_parser.hpp"

namespace pubsubsql::parser {

bool statement_parser::key(statement_body& out) {
  auto& s = out.emplace<key_statement>();
  return table_name(s.table) && column_name(s.column) && end("end of statement");
}

bool statement_parser::tag(statement_body& out) {
  auto& s = out.emplace<tag_statement>();
  return table_name(s.table) && column_name(s.column) && end("end of statement");
}

bool statement_parser::acknowledgement(ack_mode& out) {
  for (const auto& [word, mode] :
       {std::pair{"memory", ack_mode::memory}, std::pair{"committed", ack_mode::committed}}) {
    if (!scanner_.accept_keyword(word)) continue;
    out = mode;
    return true;
  }
  return fail("`memory` or `committed`");
}

bool statement_parser::alter_set(statement_body& out, std::string_view table) {
  if (scanner_.accept_keyword("history")) {
    auto& s = out.emplace<alter_history_statement>(alter_history_statement{.table = table});
    return symbol('=', "`=`") && history(s.history) && end("end of statement");
  }
  auto& s = out.emplace<alter_ack_statement>(alter_ack_statement{.table = table});
  return keyword("ack", "`ack` or `history`") && symbol('=', "`=`") && acknowledgement(s.ack) &&
         end("end of statement");
}

bool statement_parser::history(std::optional<history_setting>& out) {
  if (scanner_.accept_keyword("default")) return true;
  history_setting& h = out.emplace();
  if (scanner_.accept_keyword("on")) return true;
  if (scanner_.accept_keyword("off")) {
    h.on = false;
    return true;
  }
  std::string_view digits;
  while (scanner_.accept_number(digits)) {
    std::uint64_t number = 0;
    const char* const last = digits.data() + digits.size();
    const auto [stop, problem] = std::from_chars(digits.data(), last, number);
    if (problem != std::errc{} || stop != last) return fail("a whole number before `bytes` or `seconds`");
    if (!h.bytes && scanner_.accept_keyword("bytes")) {
      h.bytes = number;
    } else if (!h.seconds && scanner_.accept_keyword("seconds")) {
      h.seconds = number;
    } else {
      return fail(h.bytes ? "`seconds`" : h.seconds ? "`bytes`" : "`bytes` or `seconds`");
    }
  }
  return h.bytes || h.seconds || fail("`on`, `off`, `default`, or how much as in `1000000 bytes 60 seconds`");
}

bool statement_parser::alter(statement_body& out) {
  if (scanner_.accept_keyword("user")) return create_user(out, true);
  std::string_view table;
  if (!keyword("table", "`table` or `user`") || !table_name(table)) return false;
  if (scanner_.accept_keyword("set")) return alter_set(out, table);
  if (scanner_.accept_keyword("add")) return alter_add(out, table);
  if (scanner_.accept_keyword("drop")) return alter_drop(out, table);
  return fail("`add`, `drop` or `set`");
}

bool statement_parser::alter_add(statement_body& out, std::string_view table) {
  if (index_follows()) {
    auto& s = out.emplace<create_index_statement>(
        create_index_statement{.table = table, .index = no_index(index_type::plain)});
    return index(s.index) && end("end of statement");
  }
  scanner_.accept_keyword("column");
  auto& s = out.emplace<add_column_statement>();
  s.table = table;
  return column(s.column, s.index) && end("an attribute of the column or end of statement");
}

bool statement_parser::alter_drop(statement_body& out, std::string_view table) {
  const std::size_t before = scanner_.offset();
  const auto takes = [&](std::string_view word) {
    if (!scanner_.accept_keyword(word)) return false;
    if (!scanner_.at_end()) return true;
    scanner_.rewind(before);  // a column of that name
    return false;
  };
  if (takes("primary")) {
    out = drop_index_statement{.table = table, .index = "PRIMARY"};
    return keyword("key", "`key`") && end("end of statement");
  }
  if (takes("index") || takes("key")) {
    auto& s = out.emplace<drop_index_statement>(drop_index_statement{.table = table, .index = {}});
    return (scanner_.accept_name(s.index) || fail("the name of an index")) && end("end of statement");
  }
  takes("column");
  auto& s = out.emplace<drop_column_statement>(drop_column_statement{.table = table, .column = {}});
  return column_name(s.column) && end("end of statement");
}

// Create, drop, truncate

bool statement_parser::accept_condition(std::string_view second, std::string_view third) {
  const std::size_t before = scanner_.offset();
  if (scanner_.accept_keyword("if") && scanner_.accept_keyword(second) &&
      (third.empty() || scanner_.accept_keyword(third))) {
    return true;
  }
  scanner_.rewind(before);
  return false;
}

bool statement_parser::create(statement_body& out) {
  if (scanner_.accept_keyword("table")) return create_table(out);
  if (scanner_.accept_keyword("index")) return create_index(out, index_type::plain);
  if (scanner_.accept_keyword("user")) return create_user(out, false);
  if (scanner_.accept_keyword("queue")) return create_queue(out);
  if (!scanner_.accept_keyword("unique")) return fail("`table`, `queue`, `index`, `unique index` or `user`");
  return keyword("index", "`index`") && create_index(out, index_type::unique);
}

bool statement_parser::create_index(statement_body& out, index_type type) {
  auto& s = out.emplace<create_index_statement>(create_index_statement{.table = {}, .index = no_index(type)});
  return (scanner_.accept_name(s.index.name) || fail("the name of an index")) && keyword("on", "`on`") &&
         table_name(s.table) && index_columns(s.index) && end("end of statement");
}

bool statement_parser::drop(statement_body& out) {
  if (scanner_.accept_keyword("index")) return drop_index(out);
  if (scanner_.accept_keyword("user")) return drop_user(out);
  if (scanner_.accept_keyword("prepare")) return deallocate(out);
  if (scanner_.accept_keyword("subscription")) return drop_subscription(out);
  auto& s = out.emplace<drop_table_statement>();
  s.is_queue = scanner_.accept_keyword("queue");
  if (!s.is_queue && !keyword("table", "`table`, `queue`, `index`, `subscription`, `user` or `prepare`")) return false;
  s.if_exists = accept_condition("exists", {});
  return table_name(s.table) && end("end of statement");
}

bool statement_parser::drop_index(statement_body& out) {
  auto& s = out.emplace<drop_index_statement>();
  return (scanner_.accept_name(s.index) || fail("the name of an index")) && keyword("on", "`on`") &&
         table_name(s.table) && end("end of statement");
}

bool statement_parser::drop_subscription(statement_body& out) {
  auto& s = out.emplace<drop_subscription_statement>();
  if (!subscription_name(s.name)) return false;
  if (scanner_.accept_keyword("on") && !table_name(s.table)) return false;
  return end("end of statement");
}

bool statement_parser::truncate(statement_body& out) {
  const std::size_t before = scanner_.offset();
  if (scanner_.accept_keyword("table") && scanner_.at_end()) scanner_.rewind(before);
  return table_name(out.emplace<truncate_statement>().table) && end("end of statement");
}

bool statement_parser::create_table(statement_body& out) {
  return columns_and_indexes(out.emplace<create_table_statement>(no_table())) && table_options();
}

create_table_statement statement_parser::no_table() {
  return {.if_not_exists = false,
          .table = {},
          .columns = list_of<column_definition>(),
          .indexes = list_of<index_definition>()};
}

bool statement_parser::columns_and_indexes(create_table_statement& out) {
  out.if_not_exists = accept_condition("not", "exists");
  if (!table_name(out.table) || !symbol('(', "`(` and columns")) return false;
  do {
    if (!table_element(out)) return false;
  } while (scanner_.accept(','));
  return symbol(')', "an attribute of the column, `,` or `)`");
}

bool statement_parser::table_element(create_table_statement& out) {
  if (!part()) return false;
  if (index_follows()) return index(out.indexes.emplace_back(no_index(index_type::plain)));
  std::optional<index_definition> beside;
  if (!column(out.columns.emplace_back(), beside)) return false;
  if (beside) out.indexes.push_back(std::move(*beside));
  return true;
}

bool statement_parser::table_options() {
  // What they say about the storage of a table has no meaning here.
  static constexpr std::string_view options[] = {"engine", "charset", "collate", "comment"};
  while (!scanner_.at_end()) {
    scanner_.accept(',');
    scanner_.accept_keyword("default");
    bool known = accept_words({"character", "set"}) || accept_words({"auto_increment"}) || accept_words({"row_format"});
    for (const std::string_view option : options) known = known || scanner_.accept_keyword(option);
    if (!known) return fail("`engine`, `default charset`, `collate`, `comment` or end of statement");
    scanner_.accept('=');
    literal ignored;
    if (!plain_value(ignored)) return false;
  }
  return true;
}

// Columns

bool statement_parser::column(column_definition& out, std::optional<index_definition>& index) {
  if (!column_name(out.name)) return false;
  if (!attribute_follows() && !scanner_.peek_word().empty() && !column_type(out.type)) return false;
  return column_attributes(out, index);
}

bool statement_parser::attribute_follows() const {
  static constexpr std::string_view words[] = {"not", "null",  "default", "auto_increment", "primary", "unique",
                                               "key", "index", "comment", "collate",        "charset"};
  const std::string_view word = scanner_.peek_word();
  return std::ranges::any_of(words, [&](std::string_view w) { return equals_keyword(word, w); });
}

bool statement_parser::column_type(std::string_view& out) {
  const std::size_t start = scanner_.offset();
  std::string_view ignored;
  scanner_.accept_name(ignored);
  if (!scanner_.accept_keyword("precision")) scanner_.accept_keyword("varying");
  if (scanner_.accept('(')) {
    do {
      if (!scanner_.accept_number(ignored) && !scanner_.accept_text(ignored)) return fail("a number or a text");
    } while (scanner_.accept(','));
    if (!symbol(')', "`,` or `)`")) return false;
  }
  while (scanner_.accept_keyword("unsigned") || scanner_.accept_keyword("signed") ||
         scanner_.accept_keyword("zerofill")) {
  }
  out = scanner_.source_from(start);
  return true;
}

bool statement_parser::column_attributes(column_definition& out, std::optional<index_definition>& index) {
  bool found = true;
  while (found) {
    found = false;
    if (!column_attribute(out, index, found) || (!found && !ignored_column_attribute(found))) return false;
  }
  return true;
}

bool statement_parser::column_attribute(column_definition& out, std::optional<index_definition>& index, bool& found) {
  found = true;
  const auto indexed = [&](index_type type) {
    index.emplace(no_index(type)).columns.push_back(out.name);
    return true;
  };
  if (scanner_.accept_keyword("not")) {
    out.not_null = true;
    return keyword("null", "`null`");
  }
  if (scanner_.accept_keyword("null")) return true;
  if (scanner_.accept_keyword("default")) return default_value(out.default_value.emplace());
  if (accept_words({"auto_increment"})) {
    out.auto_increment = true;
    return true;
  }
  if (scanner_.accept_keyword("primary")) return keyword("key", "`key`") && indexed(index_type::primary);
  if (scanner_.accept_keyword("unique")) {
    scanner_.accept_keyword("key");
    return indexed(index_type::unique);
  }
  if (scanner_.accept_keyword("key")) return indexed(index_type::primary);  // as in MySQL
  if (scanner_.accept_keyword("index")) return indexed(index_type::plain);
  found = false;
  return true;
}

bool statement_parser::ignored_column_attribute(bool& found) {
  found = scanner_.accept_keyword("comment") || scanner_.accept_keyword("collate") ||
          scanner_.accept_keyword("charset") || accept_words({"character", "set"});
  literal ignored;
  return !found || plain_value(ignored);
}

// Indexes

bool statement_parser::index_follows() const {
  scanner ahead = scanner_;
  std::string_view name;
  const auto is_next = [&](std::string_view word) { return equals_keyword(ahead.peek_word(), word); };
  if (ahead.accept_keyword("constraint")) {
    if (!is_next("primary") && !is_next("unique") && !ahead.accept_name(name)) return false;
    if (!is_next("primary") && !is_next("unique")) return false;
  }
  if (ahead.accept_keyword("primary")) return ahead.accept_keyword("key") && ahead.stands_at('(');
  const bool is_unique = ahead.accept_keyword("unique");
  if (!ahead.accept_keyword("key") && !ahead.accept_keyword("index") && !is_unique) return false;
  // Otherwise it is a column of that name, as in `key varchar(10)`.
  if (!ahead.stands_at('(') && !ahead.accept_name(name)) return false;
  return ahead.accept('(') && ahead.accept_name(name);
}

bool statement_parser::index(index_definition& out) {
  if (scanner_.accept_keyword("constraint") && !scanner_.keyword_follows("primary") &&
      !scanner_.keyword_follows("unique")) {
    scanner_.accept_name(out.name);
  }
  if (scanner_.accept_keyword("primary")) {
    out.type = index_type::primary;
    out.name = {};
    return keyword("key", "`key`") && index_columns(out);
  }
  if (scanner_.accept_keyword("unique")) out.type = index_type::unique;
  if (!scanner_.accept_keyword("key")) scanner_.accept_keyword("index");
  if (!scanner_.stands_at('(')) scanner_.accept_name(out.name);
  return index_columns(out);
}

bool statement_parser::index_columns(index_definition& out) {
  if (!symbol('(', "`(` and column names")) return false;
  do {
    if (!column_name(out.columns.emplace_back()) || !part()) return false;
    // An index is read in both directions.
    if (!scanner_.accept_keyword("asc")) scanner_.accept_keyword("desc");
  } while (scanner_.accept(','));
  if (!symbol(')', "`,` or `)`")) return false;
  if (!scanner_.accept_keyword("using")) return true;
  return scanner_.accept_keyword("btree") || scanner_.accept_keyword("hash") || fail("`btree` or `hash`");
}

}  // namespace pubsubsql::parser
