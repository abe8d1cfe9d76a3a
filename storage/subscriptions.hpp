#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "storage/outcome.hpp"
#include "storage/row.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage {

/// Who subscribes to what in one table, and which of them a changed row concerns.
///
/// Subscriptions with the same filter form a group. Finding the groups of a changed row takes one look-up per filtered
/// column, however many groups exist; a change then costs what its matching subscriptions cost.
///
/// A filter names its column: it may be one the table does not have yet, and matches nothing until then.
class subscriptions {
 public:
  subscriptions();
  ~subscriptions();
  subscriptions(const subscriptions&) = delete;
  subscriptions& operator=(const subscriptions&) = delete;

  /// `column = text`; NULL equals nothing.
  struct filter {
    std::string_view column;
    value text;
  };

  /// `column` is the filter's column if the table has it. REQUIRES: target.pubsubid is not in use.
  void add(const event_target& target, const std::optional<filter>& f, std::optional<column_index> column);

  /// REQUIRES: there is such a subscription.
  void remove(std::uint64_t pubsubid);

  /// Ends some of one subscriber's subscriptions. As many steps as there are of those and of others with the same
  /// filters, together. REQUIRES: each is a subscription of that subscriber, and the list has all it has here.
  void remove_all(subscriber_id subscriber, std::span<const std::uint64_t> pubsubids);

  [[nodiscard]] std::size_t size() const { return by_id_.size(); }

  /// The table got a column, or lost its last one again.
  void column_added(std::string_view name, column_index column);
  void column_removed(column_index column);

  /// Appends the events of one changed row in the order in which they are to be sent.
  void on_insert(row_view row, std::span<const column_index> all, std::vector<event>& out) const;
  void on_delete(row_view row, std::span<const column_index> all, std::vector<event>& out) const;
  /// `assigned` are the updated columns; `sent` is what an update event shows: `id` and then those.
  void on_update(row_view before, row_view after, std::span<const column_index> assigned,
                 std::span<const column_index> sent, std::span<const column_index> all, std::vector<event>& out) const;

 private:
  struct column_filters;
  struct group;

  static void send(const group* g, event_action action, row_view row, std::span<const column_index> columns,
                   std::vector<event>& out);
  void send_to_all(event_action action, row_view row, std::span<const column_index> columns,
                   std::vector<event>& out) const;
  void on_whole_row(event_action action, row_view row, std::span<const column_index> all,
                    std::vector<event>& out) const;
  column_filters& filters_of(std::string_view column, std::optional<column_index> index);
  void drop_if_empty(group* g);

  std::unique_ptr<group> everything_;                  // subscriptions without a filter
  text_map<std::unique_ptr<column_filters>> filters_;  // by the name of the column
  std::vector<column_filters*> active_;                // those whose column the table has
  absl::flat_hash_map<std::uint64_t, group*> by_id_;
};

}  // namespace pubsubsql::storage
