#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pubsubsql::cli {

/// What the server was last seen to have: tables and, of those that were asked about, columns.
class catalog {
 public:
  /// Replaces the list of tables. Columns of tables that are still there are kept.
  void set_tables(const std::vector<std::string>& tables);
  void set_columns(const std::string& table, std::vector<std::string> columns);
  void clear() { tables_.clear(); }

  /// Forgets which columns there are, because a statement may have added some.
  void forget_columns();

  [[nodiscard]] const std::map<std::string, std::vector<std::string>>& tables() const { return tables_; }

 private:
  std::map<std::string, std::vector<std::string>> tables_;
};

/// The tables of the catalog that a text names.
[[nodiscard]] std::vector<std::string> tables_named(const catalog& known, std::string_view text);

/// What may stand where the cursor is, sorted: `before` is everything from the begin of the statement or command up to
/// the word being typed, `word` what there is of that word. Keywords take the case of the word.
[[nodiscard]] std::vector<std::string> candidates(const catalog& known, std::string_view before, std::string_view word);

}  // namespace pubsubsql::cli
