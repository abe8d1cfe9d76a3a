#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include "parser/expression.hpp"

/// What several statements consist of. As with the statements themselves, every string_view points into the statement's
/// text or into its statement_arena.
namespace pubsubsql::parser {

/// Memory of one statement's tree: vectors and unescaped strings. Common statements fit the inline part, so parsing
/// them allocates nothing. Not movable (the tree points into it); reset() makes it ready for the next statement.
class statement_arena {
 public:
  statement_arena() = default;
  /// For the statement of a client: one tree may have so many parts, which are its names and the nodes of its
  /// expressions. The values of rows are none.
  explicit statement_arena(std::size_t parts_max) : parts_max_(parts_max) {}
  statement_arena(const statement_arena&) = delete;
  statement_arena& operator=(const statement_arena&) = delete;

  [[nodiscard]] std::pmr::memory_resource* resource() { return &resource_; }

  /// Counts one part more. Returns whether the tree may have it.
  [[nodiscard]] bool add_part() { return ++parts_ <= parts_max_; }
  [[nodiscard]] std::size_t parts_max() const { return parts_max_; }

  /// Frees everything at once. REQUIRES: no tree made with this arena is used any more.
  void reset() {
    resource_.release();
    parts_ = 0;
  }

 private:
  std::size_t parts_max_ = SIZE_MAX;
  std::size_t parts_ = 0;
  alignas(std::max_align_t) std::byte inline_[2048];
  std::pmr::monotonic_buffer_resource resource_{inline_, sizeof inline_};
};

/// A copy of a node in the arena's memory, each operand replaced by what `copy_operand` makes of it.
template <typename CopyOperand>
[[nodiscard]] expression* copy_node(const expression& e, statement_arena& arena, CopyOperand&& copy_operand) {
  std::pmr::polymorphic_allocator<> memory(arena.resource());
  auto* const made = memory.new_object<expression>(e);
  if (e.operands.empty()) return made;
  expression** const operands = memory.allocate_object<expression*>(e.operands.size());
  std::ranges::transform(e.operands, operands, [&](const expression* o) { return copy_operand(*o); });
  made->operands = {operands, e.operands.size()};
  return made;
}

using name_list = std::pmr::vector<std::string_view>;

/// A value as the server understands it: quoting undone, or NULL (the bare word `null` in any case), or what an
/// expression gives: `computed`; then it is neither of the others.
struct literal {
  std::string_view text;
  bool is_null = false;
  expression* computed = nullptr;
  bool is_default = false;  ///< the bare word `default`; `text` has it, too

  bool operator==(const literal& other) const {
    return text == other.text && is_null == other.is_null && is_default == other.is_default &&
           equal_or_both_missing(computed, other.computed);
  }
};

using literal_list = std::pmr::vector<literal>;

/// What follows `where`: `column = value`, the form most often used, or else any `predicate`; then the others are
/// empty.
struct condition {
  std::string_view column;
  literal value;  ///< not computed
  expression* predicate = nullptr;

  bool operator==(const condition& other) const {
    return column == other.column && value == other.value && equal_or_both_missing(predicate, other.predicate);
  }
};

/// One column of a select list.
struct select_item {
  expression* value = nullptr;
  std::string_view alias = {};  ///< empty: none

  bool operator==(const select_item& other) const { return alias == other.alias && *value == *other.value; }
};

/// A select list: `*` alone (all is set), or nothing but columns in the order written (names), or anything else
/// (items). Only one of the three is there.
struct projection {
  bool all = false;
  name_list names;
  std::pmr::vector<select_item> items = {};

  bool operator==(const projection&) const = default;
};

struct order_item {
  expression* value = nullptr;
  bool descending = false;

  bool operator==(const order_item& other) const { return descending == other.descending && *value == *other.value; }
};

using order_list = std::pmr::vector<order_item>;

/// `limit count [offset n]`.
struct row_limit {
  std::uint64_t count = 0;
  std::uint64_t offset = 0;

  bool operator==(const row_limit&) const = default;
};

/// Expressions one after the other, as behind `group by`.
struct expression_list : std::pmr::vector<expression*> {
  using vector::vector;
  bool operator==(const expression_list& other) const;
};

/// `column = value` of an update's `set`.
struct assignment {
  std::string_view column;
  literal value;

  bool operator==(const assignment&) const = default;
};

/// Which end of a table used as a double-ended queue.
enum class queue_end : std::uint8_t { back, front };

/// When the reply to a change of a table, and its events, leave: at once, or when a store has committed the change.
enum class ack_mode : std::uint8_t { memory, committed };

/// What `insert` and `push` have in common: `into T [(columns)] values (...), (...) [returning ...]`.
/// `values` holds the rows one after the other; its size is a multiple of `width`, and not zero. With `columns`,
/// `width` is their number.
struct row_source {
  std::string_view table;
  name_list columns;  ///< empty: all columns that the table shows
  std::size_t width = 0;
  literal_list values;
  std::optional<projection> returning;

  bool operator==(const row_source& other) const {
    return table == other.table && columns == other.columns && (!columns.empty() || width == other.width) &&
           values == other.values && returning == other.returning;
  }
};

/// What happens to a row whose unique value another row has.
enum class duplicate_rule : std::uint8_t { refuse, ignore, replace, update };

}  // namespace pubsubsql::parser
