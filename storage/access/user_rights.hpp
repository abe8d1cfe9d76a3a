#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"

namespace pubsubsql::access {

/// What one user may do, as it is at one time: made once, never changed, shared by threads. What is granted on a table
/// and what is granted on all tables add up.
class user_rights {
 public:
  /// What is allowed with one table. For a right that is granted, `rows` has what a row must meet, so that it holds for
  /// it; nullptr: it holds for every row.
  struct of_table {
    parser::right_set rights;
    std::array<const parser::expression*, parser::right_names.size()> rows{};

    [[nodiscard]] const parser::expression* rows_of(parser::right r) const { return rows[static_cast<std::size_t>(r)]; }
  };

  /// `grants`: grant statements for this user, as parser::print() writes them. `identity`: as in user_list.
  user_rights(std::string name, std::vector<std::string> grants, std::uint64_t identity = 0);
  user_rights(const user_rights&) = delete;
  user_rights& operator=(const user_rights&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Of the user, as in user_list: other rights of the same user have the same one.
  [[nodiscard]] std::uint64_t identity() const { return identity_; }
  /// Never given to another one in this process.
  [[nodiscard]] std::uint64_t serial() const { return serial_; }
  [[nodiscard]] bool is_admin() const { return is_admin_; }
  [[nodiscard]] const std::vector<std::string>& grants() const { return grants_; }

  /// Valid as long as this.
  [[nodiscard]] const of_table& on(std::string_view table) const;

  /// Whether any right holds for some rows only.
  [[nodiscard]] bool has_row_filters() const { return has_row_filters_; }

  /// Whether the other user has the same right on the table, and for the same rows.
  [[nodiscard]] bool has_same(const user_rights& other, std::string_view table, parser::right r) const;

 private:
  struct parsed_grant {
    explicit parsed_grant(const std::string& text);
    parser::statement_arena arena;
    parser::grant_statement tree;
  };

  void collect(std::string_view table, of_table& out);
  [[nodiscard]] const parser::expression* any_of(std::vector<parser::expression*> conditions);
  [[nodiscard]] parser::expression* expression_of(const parser::condition& c);
  [[nodiscard]] parser::expression* make(parser::expression e);

  std::string name_;
  std::uint64_t identity_;
  std::uint64_t serial_;
  std::vector<std::string> grants_;
  std::deque<parsed_grant> parsed_;
  std::deque<parser::expression> made_;
  std::deque<std::vector<parser::expression*>> operands_;
  std::map<std::string, of_table, std::less<>> tables_;  // those that a grant names
  of_table others_;
  bool is_admin_ = false;
  bool has_row_filters_ = false;
};

/// A user's rights, shared by those who act for him; nullptr: there are no users, and everybody may do everything.
using shared_rights = std::shared_ptr<const user_rights>;

}  // namespace pubsubsql::access
