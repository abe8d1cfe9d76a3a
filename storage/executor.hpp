#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "parser/ast.hpp"
#include "storage/database.hpp"
#include "storage/limits.hpp"
#include "storage/outcome.hpp"
#include "storage/query.hpp"
#include "storage/row_search.hpp"
#include "storage/sql/bound_expression.hpp"
#include "storage/statement_log.hpp"
#include "storage/table.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage {

/// Runs statements against the tables of one database. Each `run` overload fills the outcome and says what went wrong,
/// if anything; execute() then undoes all of it, or derives the events.
///
/// The members after `outcome_` are scratch: what the outcome's views point to, kept from statement to statement so
/// that a statement allocates nothing once warm.
class executor {
 public:
  explicit executor(const limits& l) : limits_(l) {}

  [[nodiscard]] const outcome& execute(const parser::statement& s, const database::caller& who);
  [[nodiscard]] std::optional<error> select_inner(const parser::statement& s, const database::caller& who,
                                                  sql::inner_result& out);
  void prefetch(std::span<const database::expected_statement> next);
  void undo(std::string_view table, std::span<const change> changes);
  [[nodiscard]] const outcome& repair(std::string_view table, const table_differences& d,
                                      const table_description* outside);
  [[nodiscard]] std::optional<error> check_repair(std::string_view table, const table_differences& d,
                                                  const table_description* outside);
  [[nodiscard]] const outcome& make_table(std::string_view name, std::int64_t now_us);
  void pin(std::string_view table, bool pinned);
  void begin_numbers_after(std::uint64_t number) { numbers_used_ = std::max(numbers_used_, number); }
  void drop_subscription(subscriber_id subscriber, std::uint64_t pubsubid);
  [[nodiscard]] bool has_costly() const { return !costly_.empty(); }
  [[nodiscard]] std::vector<costly_subscription> end_costly();
  [[nodiscard]] table* table_of(subscriber_id subscriber, std::uint64_t pubsubid) const;
  [[nodiscard]] const outcome& show_again(subscriber_id subscriber, std::uint64_t pubsubid, std::int64_t now_us,
                                          bool tells_positions);
  void forget_old_changes(std::int64_t now_us);
  [[nodiscard]] std::size_t history_bytes() const { return history_totals_.bytes; }
  [[nodiscard]] static std::string statement_of(const table& t, std::uint64_t pubsubid);
  table& restore(const table_description& d);
  void forget(std::string_view table);
  [[nodiscard]] const outcome& end_leases(std::string_view queue, lease_end why, subscriber_id of, std::int64_t now_us);
  void count(std::string_view queue, const queue_counts& done);
  void drop_subscriber(subscriber_id subscriber);
  bool maintain();
  [[nodiscard]] bool wants_maintenance() const { return !to_maintain_.empty() || log_.is_large() || has_costly(); }
  [[nodiscard]] std::uint64_t inserted_rows() const { return inserted_rows_; }
  [[nodiscard]] std::uint64_t erased_rows() const { return erased_rows_; }

  using table_map = text_map<std::unique_ptr<table>>;
  [[nodiscard]] const table_map& tables() const { return tables_; }

 private:
  using failure = std::optional<error>;
  using table_by_pubsubid = absl::flat_hash_map<std::uint64_t, table*>;

  // executor_rows.cpp
  failure run(const parser::insert_statement& s);
  failure run(const parser::push_statement& s);
  failure run(const parser::update_statement& s);
  failure run(const parser::delete_statement& s);
  failure run(const parser::truncate_statement& s);
  failure run(const parser::pop_statement& s);
  /// What a statement sets a column to: for every row the same, or what an expression gives for it.
  struct assigned_value {
    const parser::literal* literal = nullptr;
    std::optional<sql::bound_expression> computed = {};
  };
  failure resolve_inserted(table& t, const parser::row_source& source);
  failure add_rows(const parser::row_source& source, parser::queue_end end, std::string_view action);
  failure add_selected_rows(const parser::insert_statement& s, std::string_view action);
  void begin_row(const table& t);
  failure add_row(table& t, std::span<const parser::literal> row, parser::queue_end end);
  failure add_written_row(table& t, parser::queue_end end);
  failure store_row(table& t, parser::queue_end end);
  void find_conflicts(const table& t);
  failure may_settle(const table& t, bool& out);
  failure settle_duplicates(table& t, parser::queue_end end);
  failure update_duplicate(table& t, row_number row);
  failure resolve_set(table& t, const std::pmr::vector<parser::assignment>& set, bool offers_values);
  failure resolve_duplicate_updates(table& t, const parser::insert_statement& s);
  void send_updated(const table& t);
  failure compute_update(const table& t, row_number row);
  failure store_update(table& t, row_number row);
  failure check_keys(const table& t, std::span<const column_index> changed, row_number except) const;
  failure check_row(const table& t) const;
  failure check_writable(const table& t) const;
  void correct_values(const table& t);
  [[nodiscard]] bool was_stored() const;
  void assign_corrected(const table& t, row_number row, std::size_t correction);

  // executor_bindings.cpp
  failure run(const parser::publish_statement& s);
  failure resolve_published(table& t, const parser::row_source& source);
  failure publish_row(table& t, std::span<const parser::literal> row);
  void forget_published();
  void derive_published();
  failure derive_copies();
  failure copy_to_queues(const table& t, row_view row);
  failure run(const parser::bind_statement& s);
  failure run(const parser::unbind_statement& s);

  // executor_values.cpp
  [[nodiscard]] sql::column_label label_of(const table& t, column_index column) const;
  failure write_id(const table& t, const value& v);
  failure write_stored(const table& t, column_index column, const value& stored);
  failure write_text(const table& t, column_index column, const value& v);
  failure write_computed(const table& t, column_index column, const sql::bound_expression& from,
                         const sql::expression_input& in);
  static std::string_view number_of_word(const parser::literal& l);
  failure write_default(const table& t, column_index column);
  failure write_value(const table& t, column_index column, const parser::literal& l, const sql::expression_input& in);
  failure write_assigned(const table& t, column_index column, const assigned_value& v, const sql::expression_input& in);
  failure find_defaults(const table& t);
  failure write_defaults(table& t);
  failure write_next_number(table& t, column_index column);
  failure resolve_written(table& t, std::string_view name, std::vector<column_index>& columns, column_index& out);
  failure resolve_assigned(table& t, std::string_view name);

  // executor_repair.cpp
  failure make_equal(table& t, const table_differences& d, const table_description* outside);
  failure add_missing_indexes(table& t, const table_description& outside);
  void read_values(const table& t, const table_differences::outside_row& row);
  [[nodiscard]] bool has_free_keys(const table& t, row_number except) const;

  // executor_explain.cpp
  failure run(const parser::explain_statement& s);
  failure explain(const parser::select_statement& s);
  failure explain(const parser::update_statement& s);
  failure explain(const parser::delete_statement& s);
  failure explain(const parser::subscribe_statement& s);
  failure explain_matching(const table& t, const std::optional<parser::condition>& where);
  failure show_explained();
  failure explain_search(std::string_view table_name, const row_choice& choice, std::string_view more);

  // executor_queries.cpp
  failure run(const parser::select_statement& s);
  failure run(const parser::peek_statement& s);
  failure run(const parser::describe_statement& s);
  failure find_rows(const table& t, const row_choice& choice);
  failure find_equal(const table& t, const row_choice& choice);
  [[nodiscard]] static bool is_looked_up(const table& t, std::string_view column_name);
  failure run_search(row_search& search, bool strict = false);
  failure select_computed(const table* t, const parser::select_statement& s);
  failure finish_query(const table* t, query& q, sql::evaluation& e, std::string_view action);
  failure show_computed(const table& t, const parser::projection& list);
  failure run_inner(const parser::statement_body& body);
  failure run_subquery(const parser::select_statement& s, sql::inner_result& out);
  [[nodiscard]] const sql::inner_result& result_of(const parser::select_statement* s) const;
  failure project(const table& t, const parser::projection& columns);
  /// Makes `found_` what the outcome shows; show_rows() checks its size as well.
  void place_rows(const table& t, std::string_view action);
  failure show_rows(const table& t, std::string_view action);
  std::size_t column_repeats();
  [[nodiscard]] std::size_t shown_names() const;
  [[nodiscard]] std::size_t shown_names_max() const;
  failure check_result();

  /// What the names in statements of one form stand for. Those statements share the texts of their names.
  struct known_names {
    struct column {
      const char* name = nullptr;
      std::optional<column_index> index;
    };
    std::uint64_t form = 0;
    std::uint64_t tables_version = 0;
    table* about = nullptr;            // while tables_version is tables_version_
    std::uint64_t schema_version = 0;  // of the table whose columns these are
    std::vector<column> columns;       // in the order in which the first such statement looked them up
  };
  static constexpr std::size_t forms_known = 256;

  // executor_prefetch.cpp
  struct expected_row {
    const table* of = nullptr;
    const unique_index* index = nullptr;
    std::uint32_t hash = 0;
    row_number row = no_row;
  };
  void expect_keys(const database::expected_statement& s);
  void expect_key(const known_names& names, std::string_view column, std::string_view text);

  // executor_schema.cpp
  [[nodiscard]] std::optional<column_index> find_column(const table& t, std::string_view name);
  void drop_table(table& t);
  failure run(const parser::key_statement& s);
  failure run(const parser::tag_statement& s);
  failure run(const parser::alter_ack_statement& s);
  failure run(const parser::alter_history_statement& s);
  failure add_index(std::string_view table_name, std::string_view column, index_kind kind);
  table* find_table(std::string_view name);
  /// The table that the statement being run names.
  table* named_table(std::string_view name);
  failure find_or_create(std::string_view name, table*& out);
  [[nodiscard]] failure check_new_column(const table& t, std::string_view name) const;
  failure find_or_add_column(table& t, std::string_view name, column_index& out);

  // executor_tables.cpp
  failure run(const parser::create_table_statement& s);
  failure run(const parser::drop_table_statement& s);
  failure run(const parser::add_column_statement& s);
  failure run(const parser::drop_column_statement& s);
  failure run(const parser::create_index_statement& s);
  failure run(const parser::drop_index_statement& s);
  failure describe_column(const parser::column_definition& d, std::optional<column_facts>& facts);
  failure describe_default(const parser::column_definition& d, column_facts& f);
  failure describe_columns(const parser::create_table_statement& s, table_description& out);
  failure describe_index(const parser::index_definition& d, const table_description& of, index_description& out) const;
  failure describe_table(const parser::create_table_statement& s, table_description& out);
  failure add_ordered_index(table& t, const parser::index_definition& d);
  failure fill_column(table& t, column_index column);
  failure check_new_table(std::string_view name) const;
  failure make_declared(table_description& d);
  void replace(table& t, std::unique_ptr<table> by);
  void finish_replacing();
  void move_subscribers(table& from, table& to);
  void undo_replacing(std::string_view name, std::span<const change> changes);
  failure finish_schema(const table& t, std::string_view action);

  // executor_history.cpp
  /// The number after which those of a new table begin.
  [[nodiscard]] std::uint64_t first_number() const;
  void follow_history(const table& t);
  void keep_history(const table& t, change_history& h);
  void trim_history(const table& t, change_history& h, std::int64_t now_us) const;
  void relieve_histories();
  /// `takes_number`: the table gets to another position in any case.
  void ask_for_history(table& t, bool takes_number);
  /// The position from which on the user was told of the table by the rights that he has now; 0: there are no users.
  [[nodiscard]] std::uint64_t told_since(table& t);
  void note_told(table& t);
  /// Whether a subscription can go on at a position of the table.
  [[nodiscard]] bool can_resume(table& t, std::uint64_t since);
  failure replay(table& t, const parser::subscribe_statement& s, std::uint64_t since);
  [[nodiscard]] bool replayed_fits(const table& t) const;

  // executor_queues.cpp
  failure run(const parser::create_queue_statement& s);
  failure run(const parser::lease_statement& s);
  failure run(const parser::ack_statement& s);
  failure run(const parser::nack_statement& s);
  failure run(const parser::renew_statement& s);
  failure describe_queue(const parser::create_queue_statement& s, table_description& out);
  failure find_queue(std::string_view name, table*& out);
  failure find_ready(table& t, const parser::lease_statement& s);
  failure find_leased(table& t, const parser::row_id_list& ids);
  failure show_leased(const table& t, const std::optional<parser::projection>& columns);
  void begin_lease_changes(const table& t);
  void write_lease(table& t, row_number row, std::uint64_t attempts, value available, value until);
  void give_back(table& t, row_number row, lease_end why, value available);
  failure end_leases(table& t, lease_end why, subscriber_id of);
  failure resolve_pushed(const table& t);
  void write_pushed(table& t);
  void count_pushed(std::span<const change> changes);

  // executor_subscribed.cpp
  failure find_again(table& t, std::uint64_t pubsubid);
  failure keep_matching(const table& t, const matching::row_filter& filter);
  [[nodiscard]] failure check_steps() const;
  void note_costly(table& t);

  // executor_subscriptions.cpp
  failure run(const parser::subscribe_statement& s);
  failure subscribe(const parser::subscribe_statement& s, std::span<const std::string> needed);
  failure run(const parser::unsubscribe_statement& s);
  [[nodiscard]] static bool compares_texts(const table& t, const parser::condition& where);
  failure subscribe_by_text(table& t, const parser::subscribe_statement& s, const event_target& target);
  failure subscribe_by_predicate(table& t, const parser::subscribe_statement& s, const event_target& target,
                                 std::span<const std::string> needed);
  failure subscribe_live(table& t, const parser::subscribe_statement& s, const event_target& target,
                         std::span<const std::string> needed);
  /// Whether the subscription begins with rows.
  [[nodiscard]] bool shows_rows(const parser::subscribe_statement& s) const { return !s.skip && !resumes_; }
  static failure listed_names(const table& t, const parser::projection& list, std::vector<std::string_view>& out);
  std::size_t unsubscribe_one(table& t, std::uint64_t pubsubid);
  std::size_t unsubscribe_all(table& t);

  // executor_named.cpp
  failure run(const parser::acknowledge_statement& s);
  failure run(const parser::drop_subscription_statement& s);
  [[nodiscard]] bool may_use(const named_subscription& n) const;
  failure find_named(std::string_view table_name, std::string_view name, table*& t, named_subscription*& out);
  failure begin_named(table& t, const parser::subscribe_statement& s);
  failure make_named(table& t, const parser::subscribe_statement& s, std::string guarded);
  void take_named(table& t, std::string_view name, bool begins_bare);
  void change_guard(table& t, std::string_view name);
  void end_named(const table& t, named_subscription& n, bool dropped);

  // executor_access.cpp
  [[nodiscard]] bool has_row_filters() const { return who_.user != nullptr && who_.user->has_row_filters(); }
  /// Whether one of these rights holds for some rows of the table only.
  [[nodiscard]] bool is_guarded(std::string_view table, parser::right_set rights) const;
  parser::expression* guard_node(parser::expression e, std::span<parser::expression* const> operands);
  std::optional<parser::condition> guarded_condition(std::string_view table, parser::right_set rights,
                                                     const std::optional<parser::condition>& where);
  /// `where` itself, or together with what rows have to meet so that these rights hold for them. Valid until begin().
  const std::optional<parser::condition>& guard(std::string_view table, parser::right_set rights,
                                                const std::optional<parser::condition>& where);
  /// The first or last row for which the rights hold.
  failure find_end(const table& t, parser::queue_end end, parser::right_set rights, std::optional<row_number>& out);
  /// Whether a right holds for a row.
  failure meets(const table& t, parser::right r, row_view row, bool& out);
  /// Fails when a row that was written is none of those that the right holds for.
  failure check_written_rows(const parser::statement_body& body);
  /// The subscription with what its rows have to meet, and with the user's name. Valid until begin().
  parser::subscribe_statement guarded_subscription(const parser::subscribe_statement& s);
  failure subscribe_guarded(const parser::subscribe_statement& s);
  [[nodiscard]] sql::name_scope scope_of(const table* t) {
    sql::name_scope names;
    names.of = t;
    names.inner = &inner_;
    names.budget = &budget_;
    if (who_.user != nullptr) names.user = who_.user->name();
    return names;
  }

  /// Statements that are about the server, not about tables.
  template <typename Other>
  failure run(const Other&) {
    return unsupported_statement();
  }
  static failure unsupported_statement();

  void begin();
  const outcome& finish(failure failed);
  void forget_guards();
  void reclaim();
  void undo();
  void derive_events();
  failure finish_rows(const table& t, const std::optional<parser::projection>& returning, std::string_view action);

  limits limits_;
  history_totals history_totals_;  // of tables_, and those on their way there or from there
  table_map tables_;
  absl::flat_hash_map<subscriber_id, table_by_pubsubid> by_subscriber_;
  std::vector<table*> to_maintain_;
  std::uint64_t inserted_rows_ = 0;
  std::uint64_t erased_rows_ = 0;
  std::uint64_t numbers_used_ = 0;  // by tables that are gone: the highest
  database::caller who_;
  std::vector<costly_subscription> costly_;                                       // that nobody has asked for yet
  sql::work_budget budget_;                                                       // of the statement
  std::vector<known_names> known_names_ = std::vector<known_names>(forms_known);  // by form
  known_names* names_ = nullptr;       // of the statement's form; nullptr: it has none
  std::size_t columns_looked_up_ = 0;  // by the statement
  std::uint64_t tables_version_ = 1;   // another when a table has come or gone

  outcome outcome_;
  statement_log log_;
  table* leaving_ = nullptr;          // the table that a statement takes away
  std::unique_ptr<table> following_;  // the one that has its name then, if any
  std::unique_ptr<table> gone_;       // it, after that: the outcome is about it
  std::optional<table_description> declared_;
  std::optional<column_facts> column_declared_;
  std::vector<event> events_;
  std::vector<expected_row> expected_;
  std::vector<row_number> found_;         // rows the statement is about
  std::vector<value> values_;             // the row being written
  std::size_t corrected_ = 0;             // rows of who_.corrections that have been used
  std::vector<column_index> assigned_;    // columns that inserted rows get values in, those named first, in their order
  std::vector<column_index> defaulted_;   // those of them that the statement does not name, and the one that counts
  std::vector<column_index> updated_;     // columns that an update sets, in its order
  std::vector<assigned_value> set_;       // what it sets them to
  std::vector<column_index> sent_;        // columns of an update event: those that tell the row, then updated_
  std::vector<value> offered_;            // the row that was to be inserted, for values(c)
  std::vector<row_number> conflicts_;     // the rows that keep it out
  std::optional<std::int64_t> delay_us_;  // of rows that a push puts into a queue; nothing: as the queue has it
  std::string available_text_;            // from when on they may be popped; empty: not yet made
  std::string until_text_;                // when leases end
  std::string owner_text_;                // whose they are
  std::optional<std::uint64_t> given_id_;  // the id that the row being inserted brings
  parser::duplicate_rule duplicates_{};
  table* published_to_ = nullptr;  // of the rows that a statement publishes; nullptr: it publishes none
  std::string published_bytes_;    // they, one after the other
  std::vector<std::size_t> published_ends_;
  std::vector<row_view> published_;
  std::string encoded_;               // one of them
  std::uint64_t last_published_ = 0;  // so many rows have been published
  std::vector<row_copies> copies_;
  text_view_map<std::size_t> copies_of_;  // by queue, their places
  std::vector<column_index> copied_columns_;
  std::vector<std::uint64_t> bindings_met_;  // by the table's bindings: how many rows
  std::size_t copied_bytes_ = 0;             // of copies_
  std::vector<copied_rows> copied_;
  std::vector<std::string_view> queues_;  // of one row
  std::uint32_t row_of_statement_ = 0;    // from 1
  std::vector<const parser::select_statement*> subqueries_;
  sql::inner_results inner_;  // what the subqueries gave
  bool has_guards_ = false;   // whether the next three have anything
  std::deque<std::optional<parser::condition>> guarded_;
  parser::statement_arena guard_memory_;  // of the trees in guarded_
  // By right, what the row must meet
  std::array<std::optional<sql::bound_expression>, parser::right_names.size()> row_guards_;
  std::optional<query> query_;                      // whose result the outcome shows
  std::pmr::monotonic_buffer_resource row_memory_;  // what is computed for one row
  std::vector<column_index> projection_;            // columns of the reply
  std::vector<column_index> sorted_;                // the same, to see which are named more than once
  std::vector<row_view> data_;                      // rows of the reply
  std::optional<std::uint64_t> since_;              // where the subscription being made asks to go on
  std::string definition_;                          // what it asks for, as its subscriber says, if it has a name
  std::optional<std::string> changed_guard_;        // the same with its subscriber's rights, where they are others now
  bool may_resume_ = false;                         // its subscriber may see what could be seen there, and no more
  bool resumes_ = false;                            // it goes on there
  std::vector<event> replayed_;                     // what it has missed
  std::vector<std::uint64_t> ended_;                // subscriptions that the statement ended
  std::vector<value> listing_;                      // values of describe and explain

  /// A line of `explain`; what is empty is NULL.
  struct explained_row {
    std::string_view table = {};
    std::string type = {};
    std::string key = {};
    std::string key_columns = {};
    std::string rows = {};
    std::string extra = {};
    bool operator==(const explained_row&) const = default;
  };
  std::vector<explained_row> explained_;
};

}  // namespace pubsubsql::storage
