#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "storage/access_path.hpp"
#include "storage/sql/bound_expression.hpp"

namespace pubsubsql::storage {

/// The expression of the select list that a number by itself stands for behind `order by` and `group by`, counted from
/// 1; nothing: it stands for itself. There is none such when `out_of_list` is set.
[[nodiscard]] std::optional<parser::expression> listed_expression(const parser::expression& by,
                                                                  const parser::projection* list, bool& out_of_list);

/// Appends what an item is sorted by where `order by` names this expression.
void append_sort_key(std::string& out, const sql::bound_expression& by, bool descending,
                     const sql::expression_input& in, sql::evaluation& e);

/// `order by` and `limit`: takes items one by one and gives those asked for in order. Items that are equal stay in the
/// order in which they came. With a limit it holds little more than that many.
class row_order {
 public:
  /// A number by itself is a place in the select list, from 1: `list`, if there is one.
  [[nodiscard]] std::optional<error> bind(const parser::order_list& by, const std::optional<parser::row_limit>& limit,
                                          const parser::projection* list, sql::name_scope& names);

  /// Whether anything is to be done: without order and limit all items are wanted as they come.
  [[nodiscard]] bool is_trivial() const { return keys_.empty() && !limit_; }
  [[nodiscard]] bool has_keys() const { return !keys_.empty(); }
  /// Whether no further item can be among those asked for.
  [[nodiscard]] bool has_enough() const { return keys_.empty() && limit_ && entries_.size() >= most(); }

  /// The columns that it orders by; empty when it orders by anything else, or not.
  [[nodiscard]] std::vector<order_column> columns() const;
  /// How many items are wanted, those skipped included.
  [[nodiscard]] std::optional<std::uint64_t> wanted() const;
  /// Items come in the order already.
  void comes_ordered() { keys_.clear(); }

  void add(std::uint32_t item, const sql::expression_input& in, sql::evaluation& e);
  /// The items asked for, in order. Ends the taking.
  void take(std::vector<std::uint32_t>& out);

 private:
  struct key {
    sql::bound_expression value;
    bool descending = false;
  };
  struct entry {
    std::string key;
    std::uint32_t item;
    std::uint64_t number;  // of its coming
    bool operator<(const entry& other) const {
      const int order = key.compare(other.key);
      return order != 0 ? order < 0 : number < other.number;
    }
  };
  [[nodiscard]] std::uint64_t most() const { return wanted().value_or(UINT64_MAX); }
  std::size_t keep_first(std::size_t count);

  std::vector<key> keys_;
  std::optional<parser::row_limit> limit_;
  std::vector<entry> entries_;
  std::uint64_t came_ = 0;
};

}  // namespace pubsubsql::storage
