#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/functional/function_ref.h>

#include "storage/matching/access_path.hpp"
#include "storage/matching/filtered_group.hpp"
#include "storage/matching/interval_index.hpp"
#include "storage/matching/match_budget.hpp"
#include "storage/matching/row_reader.hpp"
#include "storage/row.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::matching {

/// Which of many predicates a row satisfies, without asking each of them.
///
/// Predicates are sorted by what they demand, as in the discrimination networks of rule systems (E. N. Hanson et al.,
/// "A Predicate Matching Algorithm for Database Rule Systems", SIGMOD 1990) and in filters of documents (T. W. Yan,
/// H. Garcia-Molina, "Index Structures for Selective Dissemination of Information Under the Boolean Model", TODS 19(2),
/// 1994): first by the values that columns must be equal to, one column after the other, each step a hash look-up;
/// below that by one range, in a tree of intervals; what is demanded beyond is asked of the few that remain. So a row
/// costs a look-up for each set of columns that predicates name together, and a step for each predicate that its access
/// path leads to. (F. Fabret et al., "Filtering Algorithms and Implementation for Very Fast Publish/Subscribe Systems",
/// SIGMOD 2001, choose by statistics which equalities to use; here all of them are, so none need be kept.) Predicates
/// that demand nothing an index could use are asked for every row.
///
/// In a column without a type, a bound that looks like a number compares by number with values that do, and as text
/// with others; other bounds always compare as text. So ranges are kept in up to three trees, see column_ranges.
class predicate_index {
 public:
  explicit predicate_index(const table& of) : table_(&of), row_(of) {}

  void insert(filtered_group& g);
  /// REQUIRES: insert(g) was called, and its filter has not been bound since.
  void erase(filtered_group& g);
  /// Forgets all groups, whatever their filters are bound to.
  void clear() { root_ = {}; }
  /// The table is another one from now on; clear() has to follow.
  void move_to(const table& t) {
    table_ = &t;
    row_.move_to(t);
  }

  /// Calls `visitor` once for each group whose predicate the row satisfies, and which is not over.
  void find(row_view row, std::int64_t now_us, match_budget& budget, absl::FunctionRef<void(filtered_group&)> visitor);

 private:
  struct member {
    std::uint64_t number = 0;
    filtered_group* group = nullptr;
    bool ask = false;
    bool operator<(const member& other) const { return number < other.number; }
  };
  struct column_values;
  struct column_ranges;
  /// What is left when some columns have certain values.
  struct level {
    absl::btree_set<member> members;  // that demand no more which an index knows
    std::vector<std::unique_ptr<column_values>> values;
    std::vector<std::unique_ptr<column_ranges>> ranges;

    level();
    ~level();
    level(level&&) noexcept;
    level& operator=(level&&) noexcept;
    [[nodiscard]] bool empty() const { return members.empty() && values.empty() && ranges.empty(); }
  };
  struct column_values {
    column_index column = 0;
    text_map<level> by_text;
    std::unique_ptr<level> null;
  };
  struct column_ranges {
    column_index column = 0;
    interval_index keys;              // by order key; without a type: bounds that are numbers, for values that are
    interval_index texts;             // without a type: other bounds
    interval_index numbers_as_texts;  // without a type: bounds that are numbers, for values that are not
    [[nodiscard]] bool empty() const { return keys.empty() && texts.empty(); }
  };
  struct search {
    row_reader& row;
    std::int64_t now_us;
    match_budget& budget;
    std::uint64_t number;
    absl::FunctionRef<void(filtered_group&)> visitor;
  };

  /// A path with what is left of its equalities below a level.
  struct step {
    std::span<const access_path::equality> equalities;
    const std::optional<column_atom>& range;
    member of;
  };

  void change_paths(filtered_group& g, bool there);
  void insert_below(level& l, const step& s) const;
  void erase_below(level& l, const step& s) const;
  void change_range(column_ranges& r, const column_atom& a, const member& m, bool there) const;
  static void find_below(const level& l, const search& s);
  static void find_in_ranges(const column_ranges& r, const search& s);
  static void report(filtered_group& g, bool ask, const search& s);
  [[nodiscard]] static bool matches(filtered_group& g, const search& s);

  const table* table_;
  row_reader row_;
  level root_;
  std::uint64_t searches_ = 0;
};

}  // namespace pubsubsql::storage::matching
