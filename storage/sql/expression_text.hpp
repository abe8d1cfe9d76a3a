#pragma once

#include <string>
#include <string_view>

#include "parser/parser.hpp"

namespace pubsubsql::storage::sql {

/// An expression that is kept as its text, as the default of a column is.
class expression_text {
 public:
  explicit expression_text(std::string_view text);
  expression_text(const expression_text&) = delete;
  expression_text& operator=(const expression_text&) = delete;

  /// Names that stand alone are columns. nullptr: the text is no expression. It lives as long as this.
  [[nodiscard]] const parser::expression* get() const { return expression_; }
  /// For what is to live as long.
  [[nodiscard]] parser::statement_arena& arena() { return arena_; }

 private:
  std::string sql_;
  parser::statement_arena arena_;
  const parser::expression* expression_ = nullptr;
};

}  // namespace pubsubsql::storage::sql
