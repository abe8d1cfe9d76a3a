#pragma once

#include <initializer_list>
#include <string_view>

#include "parser/ast.hpp"
#include "parser/parser.hpp"
#include "parser/scanner.hpp"

namespace pubsubsql::parser {

/// What all rules of the grammar share. A rule returns whether it was met; the first that is not sets error(), and all
/// above it return at once.
class basic_parser {
 public:
  /// `bound` has the values of the statement's `?`; nullptr: it may have none. REQUIRES: `bound` outlives the parser.
  basic_parser(std::string_view sql, statement_arena& arena, placeholders* bound = nullptr)
      : scanner_(sql, arena, bound), arena_(arena) {}

  /// REQUIRES: a rule was not met.
  [[nodiscard]] const syntax_error& error() const { return error_; }

 protected:
  bool fail(std::string_view expected);
  /// Says what was expected instead, if the rule just failed right at `start`: then it did not even begin.
  bool rename_failure(std::size_t start, std::string_view expected);
  bool keyword(std::string_view word, std::string_view expected);
  bool symbol(char c, std::string_view expected);
  bool table_name(std::string_view& out);
  bool column_name(std::string_view& out);
  /// A value that is no expression.
  bool plain_value(literal& out);
  /// A text in quotes, or a `?` that stands for one.
  bool accept_text(std::string_view& out);
  /// After a quoted value: that it does not run into something else.
  bool ends_properly(const literal& taken, std::size_t start);
  bool end(std::string_view expected);
  /// To be called for each part of the tree (see statement_arena).
  bool part() { return arena_.add_part() || too_many_parts(); }
  /// Takes these words if all of them stand next, in any case; they may hold `_`.
  bool accept_words(std::initializer_list<std::string_view> words);

  // Lists must be made with the arena's memory: assigning one later would keep the memory it was made with.
  [[nodiscard]] name_list names() { return name_list(arena_.resource()); }
  template <typename Item>
  [[nodiscard]] std::pmr::vector<Item> list_of() {
    return std::pmr::vector<Item>(arena_.resource());
  }
  [[nodiscard]] projection no_columns() { return {.all = false, .names = names(), .items = list_of<select_item>()}; }

  scanner scanner_;
  statement_arena& arena_;
  syntax_error error_;

 private:
  bool too_many_parts();
};

}  // namespace pubsubsql::parser
