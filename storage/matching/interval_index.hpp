#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/functional/function_ref.h>

#include "storage/matching/filtered_group.hpp"

namespace pubsubsql::storage::matching {

/// From where to where, in bytes that compare as values do; an end that is missing is open.
struct key_interval {
  struct end {
    std::string_view key;
    bool inclusive = false;
  };
  std::optional<end> lower = {};
  std::optional<end> upper = {};
};

/// The intervals of one column that groups of subscriptions wait for, found by a value that lies in them.
///
/// A priority search tree (E. M. McCreight, "Priority Search Trees", SIAM J. Comput. 14(2), 1985): a search tree over
/// the lower ends which is at the same time a tournament over the upper ones, so that finding k of n intervals takes
/// O(log n + k) steps, one-sided or two-sided. (H. Edelsbrunner's interval trees, 1980, find as fast, but have to be
/// rebuilt as ends come and go; Hanson's IBS-trees and interval skip lists, used for the same purpose in
/// "A Predicate Matching Algorithm for Database Rule Systems", SIGMOD 1990, need O(n log n) memory.) It is balanced as
/// a treap (R. Seidel, C. R. Aragon, "Randomized Search Trees", Algorithmica 16, 1996), where the expected number of
/// rotations is below two for each change, so that a change takes O(log n) steps, too.
///
/// Invariants:
///  1. Every node is one interval. Nodes are in order of their lower ends, then of their numbers, and a heap by what is
///     mixed from their numbers.
///  2. Each interval is held by one node on the way from the root to its own, or else rests in its own.
///  3. No interval that is held or rests below a node, or rests in it, ends after the one which that node holds. A node
///     that holds none has none below.
///  4. Nodes lie in one array without gaps, 64 bytes each; keys of up to 15 bytes for both ends are in the node.
class interval_index {
 public:
  interval_index() = default;

  /// `number`: those of intervals with equal ends tell them apart. `ask`: see visit().
  void insert(const key_interval& i, std::uint64_t number, filtered_group& owner, bool ask);

  /// REQUIRES: insert() was called with the same.
  void erase(const key_interval& i, std::uint64_t number);

  /// Calls `visitor` with the owner of each interval that the value lies in, in no special order, and with whether
  /// owners have to be asked if they really want it.
  void visit(std::string_view key, absl::FunctionRef<void(filtered_group&, bool)> visitor) const;

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] bool empty() const { return nodes_.empty(); }

 private:
  using place = std::uint32_t;
  static constexpr place none = UINT32_MAX;

  struct node {
    std::string keys;  // the lower end's, then the upper end's
    std::uint64_t number = 0;
    filtered_group* owner = nullptr;
    place left = none;
    place right = none;
    place held = none;
    std::uint32_t lower_bytes : 27 = 0;
    std::uint32_t lower_inclusive : 1 = 0;
    std::uint32_t has_upper : 1 = 0;
    std::uint32_t upper_inclusive : 1 = 0;
    std::uint32_t ask : 1 = 0;
    std::uint32_t rests : 1 = 0;

    [[nodiscard]] std::string_view lower() const { return std::string_view(keys).substr(0, lower_bytes); }
    [[nodiscard]] std::string_view upper() const { return std::string_view(keys).substr(lower_bytes); }
    [[nodiscard]] bool starts_before(std::string_view key) const;
    [[nodiscard]] bool ends_after(std::string_view key) const;
  };
  static_assert(sizeof(node) == 64);

  [[nodiscard]] static node make_node(const key_interval& i, std::uint64_t number);
  [[nodiscard]] static int order(const node& a, const node& b);
  [[nodiscard]] static bool ends_later(const node& a, const node& b);
  [[nodiscard]] bool outranks(place a, place b) const;
  [[nodiscard]] place& child_towards(place of, const node& n);

  void hold(place at, place interval);
  void refill(place at);
  void exchange_slots(place upper, place lower);
  [[nodiscard]] place rotate_left(place at);
  [[nodiscard]] place rotate_right(place at);
  [[nodiscard]] place insert_below(place at, place made);
  [[nodiscard]] place sink(place at);
  void release(place interval);
  void move_last_to(place hole);
  void visit(place at, std::string_view key, absl::FunctionRef<void(filtered_group&, bool)> visitor) const;

  std::vector<node> nodes_;
  place root_ = none;
};

}  // namespace pubsubsql::storage::matching
