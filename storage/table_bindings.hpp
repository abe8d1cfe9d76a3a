#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "parser/ast.hpp"
#include "storage/outcome.hpp"
#include "storage/row.hpp"
#include "storage/subscriptions.hpp"
#include "storage/table_description.hpp"

namespace pubsubsql::storage {

class table;

/// One binding of a table: rows that come into it and meet the predicate are copied into the queue.
struct binding {
  binding_description what;
  std::uint64_t number = 0;  ///< rises with each binding that is made; 0: it was there when the server started
  /// Rows that it has copied since the server started. Read by others than the table's thread.
  std::shared_ptr<std::atomic<std::uint64_t>> copied;
};

/// The condition as it stands behind `where`; empty: there is none.
[[nodiscard]] std::string text_of(const std::optional<parser::condition>& where);

/// What is bound to one table. The predicates are looked up as those of subscriptions are, so that a row costs what the
/// bindings that it meets cost, hardly more however many there are.
///
/// Belongs to its table, which tells matcher() of its columns.
class table_bindings {
 public:
  /// The table must outlive this, or be exchanged by move_to().
  explicit table_bindings(const table& of) : matcher_(of) {}
  table_bindings(const table_bindings&) = delete;
  table_bindings& operator=(const table_bindings&) = delete;

  /// In the order in which they were made.
  [[nodiscard]] std::span<const binding> all() const { return all_; }
  [[nodiscard]] bool empty() const { return all_.empty(); }

  /// Puts a binding at a place among them. Returns what is wrong with its predicate, if anything; nothing is changed
  /// then. REQUIRES: place <= all().size().
  [[nodiscard]] std::optional<error> insert(std::size_t place, binding b, const table& of);
  /// REQUIRES: place < all().size().
  void erase(std::size_t place);

  /// It counts as made later. REQUIRES: place < all().size().
  void renumber(std::size_t place, std::uint64_t number) { all_[place].number = number; }

  /// Appends the queues that a row goes to, each once, in the order of their names, and adds 1 to `met` at the place of
  /// each binding that it meets. When nothing is left of the budget some are missing. REQUIRES: met.size() ==
  /// all().size().
  void find_queues(row_view row, std::int64_t now_us, sql::work_budget& budget, std::vector<std::string_view>& out,
                   std::vector<std::uint64_t>& met);

  /// Who is to be told what becomes of the table's columns.
  [[nodiscard]] subscriptions& matcher() { return matcher_; }

 private:
  std::vector<binding> all_;
  std::vector<std::uint64_t> keys_;                        // of all_, in the matcher
  absl::flat_hash_map<std::uint64_t, std::size_t> place_;  // by key
  std::uint64_t last_key_ = 0;
  subscriptions matcher_;
  std::vector<event> matched_;  // scratch
};

}  // namespace pubsubsql::storage
