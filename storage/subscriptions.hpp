#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "parser/ast.hpp"
#include "storage/change_history.hpp"
#include "storage/matching/filtered_group.hpp"
#include "storage/matching/filtered_groups.hpp"
#include "storage/matching/live_queries.hpp"
#include "storage/matching/match_budget.hpp"
#include "storage/outcome.hpp"
#include "storage/row.hpp"
#include "storage/text_hash.hpp"
#include "storage/told_rights.hpp"

namespace pubsubsql::storage {

class table;

/// Who subscribes to what in one table, and which of them a changed row concerns.
///
/// Subscriptions with the same filter and the same columns form a group. A change costs what its matching subscriptions
/// cost, hardly more however many there are. The groups of `column = text` and all columns, the most common ones, are
/// found by one look-up per column that any of them names; the others by matching/predicate_index.hpp. Groups and first
/// rows are kept in matching/live_queries.hpp, and every change goes to each of them.
///
/// A filter names its columns: they may be such as the table does not have yet, and are NULL until then.
class subscriptions {
 public:
  /// The table must outlive the subscriptions, unless they are moved to another one before.
  explicit subscriptions(const table& of);
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

  /// Any other predicate, all columns or some of them.
  struct predicate {
    std::unique_ptr<matching::row_filter> filter;  ///< nullptr: every row matches
    std::string canonical_text;                    ///< the same for filters that are the same
    /// Names, without `id` where that is shown; nothing: all columns.
    std::optional<std::span<const std::string_view>> columns = {};
  };

  /// Returns the columns of its events, unless these are all columns; valid until the table's columns change.
  /// REQUIRES: target.pubsubid is not in use.
  std::optional<std::span<const column_index>> add(const event_target& target, predicate p);

  /// A subscription to groups or to first rows. Returns the query that it shares with others who ask for the same,
  /// which shows what there is. REQUIRES: target.pubsubid is not in use.
  /// What nothing is left of the budget for it does not show all.
  const matching::live_query& add(const event_target& target, std::unique_ptr<matching::live_query> made,
                                  std::int64_t now_us, sql::work_budget& budget);

  /// From now on the events of this subscription say which row they are about. REQUIRES: there is such a subscription.
  void key_events(std::uint64_t pubsubid);

  /// What one subscription asks for. Valid until subscriptions or columns change.
  struct definition {
    std::optional<filter> equality = {};          ///< `column = text`
    std::optional<column_index> column = {};      ///< of the equality, if the table has it
    const matching::row_filter* where = nullptr;  ///< any other predicate
    matching::column_list* list = nullptr;        ///< nullptr: all columns, or those of `live`
    const matching::live_query* live = nullptr;   ///< groups, or first rows
  };
  /// REQUIRES: there is such a subscription.
  [[nodiscard]] definition definition_of(std::uint64_t pubsubid) const;
  /// The same, and a live query shows the rows that there are, unless nothing is left of the budget.
  [[nodiscard]] definition refresh(std::uint64_t pubsubid, std::int64_t now_us, sql::work_budget& budget);

  /// One subscription, for a listing.
  struct entry {
    event_target target;
    std::uint64_t events = 0;  ///< since it was made
  };
  [[nodiscard]] std::vector<entry> entries() const;

  /// REQUIRES: there is such a subscription.
  void remove(std::uint64_t pubsubid);

  /// Ends some of one subscriber's subscriptions. As many steps as there are of those and of others with the same
  /// filters, together. REQUIRES: each is a subscription of that subscriber, and the list has all it has here.
  void remove_all(subscriber_id subscriber, std::span<const std::uint64_t> pubsubids);

  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] bool has(std::uint64_t pubsubid) const { return by_id_.contains(pubsubid); }

  /// By which rights users were told of positions. Made when it is first asked for.
  [[nodiscard]] told_rights& rights();

  /// The table has got a column.
  void column_added(std::string_view name, column_index column);
  // The table is about to lose a column, and has lost it.
  void column_leaves(column_index column);
  void column_left();
  /// Before a statement drops a column: notes which rows match the filters that read it, at that time, for
  /// on_dropped_column(). When nothing is left of the budget the column must stay.
  void column_is_dropped(column_index column, std::int64_t now_us, sql::work_budget& budget);
  /// The table's columns, or their types, are others than before.
  void columns_changed();

  /// Rows are as they were before statements that were taken back, whose events nobody was sent.
  void rows_taken_back() {
    if (live_) live_->rows_taken_back();
  }

  /// They are those of another table now, which has the name.
  void move_to(const table& t);

  /// The changes that follow are those of another statement, made at that time (microseconds since 1970).
  /// `row_steps_max`: see matching::match_budget.
  void begin_statement(std::int64_t now_us, std::uint64_t row_steps_max) {
    ++statement_;
    now_us_ = now_us;
    budget_.begin(row_steps_max);
  }
  /// The same of one that pays for matching by itself.
  void begin_statement(std::int64_t now_us, sql::work_budget& budget) {
    ++statement_;
    now_us_ = now_us;
    budget_.begin(budget);
  }

  /// Those that have cost too much since the last call: they are told nothing any more, and have to be ended.
  [[nodiscard]] std::vector<matching::match_budget::costly> take_over() { return budget_.take_over(); }
  [[nodiscard]] bool has_over() const { return budget_.has_over(); }

  // Each appends the events of one changed row in the order in which they are to be sent. They are valid until
  // begin_statement().

  void on_insert(row_view row, std::span<const column_index> all, std::vector<event>& out);
  /// A row that is in no table: groups and first rows are never told of it.
  void on_publish(row_view row, std::span<const column_index> all, std::vector<event>& out);
  void on_delete(row_view row, std::span<const column_index> all, std::vector<event>& out);
  /// `assigned` are the updated columns; `sent` is what an update event shows: `id` and then those.
  void on_update(row_view before, row_view after, std::span<const column_index> assigned,
                 std::span<const column_index> sent, std::span<const column_index> all, std::vector<event>& out);

  /// The column of column_is_dropped() has gone: rows leave and enter the filters that read it. `all` as above.
  void on_dropped_column(std::span<const column_index> all, std::vector<event>& out);

  /// Appends the events that a subscription would have got for changes of the past, in order; they have no targets.
  /// Valid until begin_statement(), and as long as the changes. When nothing is left of the budget some are missing.
  /// REQUIRES: it is one to rows; none of the table's columns has been dropped since, nor its primary key changed.
  void replay(std::uint64_t pubsubid, change_history::reader changes, sql::work_budget& budget,
              std::vector<event>& out);

  /// Appends what a statement came to for groups and first rows: behind the events of its rows.
  void on_statement(std::span<const change> changes, std::span<const column_index> sent,
                    std::span<const column_index> all, std::vector<event>& out) {
    if (live_) tell_live(changes, sent, all, out);
  }

 private:
  using group = matching::subscription_group;
  using filtered_group = matching::filtered_group;
  using column_filters = matching::column_filters;
  using filtered_groups = matching::filtered_groups;

  static void send_removed(std::span<filtered_group* const> groups, row_view before, row_view after,
                           std::span<const column_index> all, std::vector<event>& out);
  static void send_filtered(std::span<filtered_group* const> groups, event_action action, row_view row,
                            std::span<const column_index> all, std::vector<event>& out);
  void send_updated(std::span<filtered_group* const> groups, row_view before, row_view after,
                    std::span<const column_index> assigned, std::span<const column_index> sent,
                    std::vector<event>& out);
  static void send(group* g, event_action action, row_view row, std::span<const column_index> columns,
                   std::vector<event>& out);
  void send_to_all(event_action action, row_view row, std::span<const column_index> columns, std::vector<event>& out);
  void on_whole_row(event_action action, row_view row, std::span<const column_index> all, std::vector<event>& out);
  /// The groups of a column that does not compare texts any more are found as those of other predicates are.
  void read_as_predicates(column_filters& f);
  void move_targets(const group& from, const parser::condition& where);
  void send_moved(filtered_group& g, std::span<const row_number> matched_before, std::span<const column_index> all,
                  std::vector<event>& out);
  column_filters& filters_of(std::string_view column, std::optional<column_index> index);
  void tell_live(std::span<const change> changes, std::span<const column_index> sent, std::span<const column_index> all,
                 std::vector<event>& out);
  [[nodiscard]] std::span<const column_index> columns_then(const definition& d, const past_change& c) const;
  [[nodiscard]] std::span<const column_index> columns_sent(std::span<const column_index> assigned);
  void replay_update(const definition& d, const past_change& c, sql::work_budget& budget, std::vector<event>& out);
  void join(group* g, const event_target& target);
  void forget(std::uint64_t pubsubid);
  void drop_if_empty(group* g);

  const table* table_;
  std::unique_ptr<group> everything_;                  // all rows and all columns
  text_map<std::unique_ptr<column_filters>> filters_;  // by the name of the column
  std::vector<column_filters*> active_;                // those whose column the table has
  std::unique_ptr<filtered_groups> filtered_;          // nullptr: there are none
  std::unique_ptr<matching::live_queries> live_;       // nullptr: there are none
  std::unique_ptr<told_rights> rights_;                // nullptr: no user has asked for positions
  absl::flat_hash_map<std::uint64_t, group*> by_id_;
  /// How many events the group had got before the subscription; 0 is left out.
  absl::flat_hash_map<std::uint64_t, std::uint64_t> events_before_;
  std::uint64_t statement_ = 0;
  std::int64_t now_us_ = 0;
  matching::match_budget budget_;

  /// Rows that match a group's filter while its column is still there.
  struct matched_rows {
    group* of;
    std::vector<row_number> rows;
  };
  std::vector<matched_rows> matched_before_drop_;

  /// The columns of an update event that is replayed.
  struct replayed_update {
    std::vector<column_index> assigned;
    std::vector<column_index> sent;
  };
  std::deque<replayed_update> replayed_updates_;
};

}  // namespace pubsubsql::storage
