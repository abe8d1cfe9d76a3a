#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "server/reply_encoder.hpp"
#include "storage/outcome.hpp"

namespace pubsubsql::server {

/// Events that wait for one connection, folded: for each row of a subscription what leads from the state that the
/// subscriber knows to the latest one.
///
///     known before   events                   comes to
///     no             add, update, ...         add (or insert) with the latest values
///     no             add, ..., remove         nothing
///     yes            update, update, ...      update of all columns that were updated, with the latest values
///     yes            ..., remove (or delete)  remove (or delete)
///     yes            remove, ..., add         update of all columns; the two, when the columns are others since
///
/// What was published is a row of its own each time, so that all of it stays, in its order.
///
/// A row keeps the place of its last event among the others. Sans-io; used by its worker's thread only.
///
/// Invariants:
///  1. rows_ has one entry for each row, and by_row_ finds it.
///  2. An entry whose row the subscriber does not know is an add or an insert.
class row_conflater {
 public:
  row_conflater() = default;
  row_conflater(const row_conflater&) = delete;
  row_conflater& operator=(const row_conflater&) = delete;

  /// Takes the rows of an event. Returns how many events have become superfluous by it, those taken now included.
  /// REQUIRES: the event says which rows it is about.
  std::size_t fold(std::uint64_t pubsubid, const encoded_event& e);

  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Whether it has rows of that subscription.
  [[nodiscard]] bool holds(std::uint64_t pubsubid) const { return counts_.contains(pubsubid); }

  /// The memory that it uses, about.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Takes the event that is to be sent next and sets `out` to it, without `parts`; returns its pubsubid. REQUIRES: not
  /// empty().
  std::uint64_t take_first(encoded_event& out);

  /// That subscription has ended.
  void forget(std::uint64_t pubsubid);

 private:
  /// The columns of an event.
  struct shape {
    std::string columns;                  ///< as encoded_event has them
    std::vector<std::string_view> names;  ///< of them: JSON strings
  };
  /// What it takes to bring the values of an update into a row of another shape.
  struct merge_plan {
    std::shared_ptr<const shape> merged;
    std::vector<std::size_t> source;  ///< by column of `merged`: its place in the update, or `not_updated`
  };
  struct waiting_row {
    std::uint64_t pubsubid = 0;
    storage::row_position row = 0;
    storage::event_action action{};
    bool is_known = false;
    std::shared_ptr<const shape> columns;
    std::string values;  ///< ["0","101"]
    /// A remove that has to be sent before.
    struct removal {
      storage::event_action action{};
      std::shared_ptr<const shape> columns;
      std::string values;
    };
    std::unique_ptr<removal> before;
  };
  using row_list = std::list<waiting_row>;
  using row_key = std::pair<std::uint64_t, storage::row_position>;  // pubsubid and row

  void fold_row(std::uint64_t pubsubid, storage::row_position row, storage::event_action action,
                std::string_view values, const std::shared_ptr<const shape>& columns);
  void enter(waiting_row& w, storage::event_action action, std::string_view values,
             const std::shared_ptr<const shape>& columns);
  void update(waiting_row& w, std::string_view values, const std::shared_ptr<const shape>& columns);
  void take_out(row_list::iterator at);
  [[nodiscard]] static std::size_t events_of(const waiting_row& w) { return w.before ? 2 : 1; }
  [[nodiscard]] static std::size_t bytes_of(const waiting_row& w);
  [[nodiscard]] std::shared_ptr<const shape> shape_of(std::string_view columns);
  [[nodiscard]] const merge_plan& plan_of(const std::shared_ptr<const shape>& held,
                                          const std::shared_ptr<const shape>& updated);
  void forget_shapes();

  row_list rows_;  // in the order to be sent
  absl::flat_hash_map<row_key, row_list::iterator> by_row_;
  absl::flat_hash_map<std::uint64_t, std::size_t> counts_;  // of rows_, by pubsubid; never 0
  absl::flat_hash_map<std::string_view, std::shared_ptr<const shape>>
      shapes_;  // by their columns; while there are rows
  absl::flat_hash_map<std::pair<const shape*, const shape*>, merge_plan> plans_;
  std::size_t events_ = 0;  // that rows_ comes to
  std::size_t bytes_ = 0;
};

}  // namespace pubsubsql::server
