#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "parser/ast.hpp"
#include "parser/expression_parser.hpp"

namespace pubsubsql::parser {

/// Recursive descent over one statement, one function for each rule of the grammar.
class statement_parser final : public expression_parser {
 public:
  statement_parser(std::string_view sql, statement_arena& arena) : expression_parser(sql, arena) {}

  bool parse(statement& out);
  /// What stands behind `where`, alone.
  bool parse_condition(std::optional<condition>& out);

 private:
  /// For a statement inside of another one.
  statement_parser(std::string_view sql, statement_arena& arena, placeholders& bound)
      : expression_parser(sql, arena, &bound), is_inner_(true) {}

  bool body(statement_body& out);
  bool streamed(statement& out);

  // Statements with values for their `?`
  bool execute(statement& out);
  bool execute_immediate(statement& out);
  bool execute_prepared(statement_body& out);
  bool inner_text(std::string_view& out);
  bool inner(std::string_view sql, placeholders& bound, statement& out);
  bool bound_values(std::pmr::vector<bound_value>& out);
  bool using_values(std::pmr::vector<bound_value>& out, std::size_t& from);
  bool prepare(statement_body& out);
  bool deallocate_prepare(statement_body& out);
  bool deallocate(statement_body& out);

  // Statements; the leading keyword has been taken.
  bool insert(statement_body& out);
  bool replace(statement_body& out);
  bool select(statement_body& out);
  bool update(statement_body& out);
  bool delete_rows(statement_body& out);
  bool push(statement_body& out);
  bool publish(statement_body& out);
  bool pop(statement_body& out);
  bool ack(statement_body& out);
  bool nack(statement_body& out);
  bool renew(statement_body& out);
  bool peek(statement_body& out);
  bool key(statement_body& out);
  bool tag(statement_body& out);
  bool alter(statement_body& out);
  bool create(statement_body& out);
  bool drop(statement_body& out);
  bool truncate(statement_body& out);
  bool subscribe(statement_body& out);
  bool unsubscribe(statement_body& out);
  bool bind(statement_body& out);
  bool unbind(statement_body& out);
  bool begin(statement_body& out);
  bool start(statement_body& out);
  bool commit(statement_body& out);
  bool rollback(statement_body& out);
  bool explain(statement_body& out);
  bool show(statement_body& out);
  bool describe(statement_body& out);
  bool auth(statement_body& out);
  bool grant(statement_body& out);
  bool revoke(statement_body& out);
  bool create_user(statement_body& out, bool replaces);
  bool drop_user(statement_body& out);
  bool show_grants(statement_body& out);
  bool mysql(statement_body& out);
  bool mysql_connect(statement_body& out);
  bool mysql_subscribe(statement_body& out);
  bool mysql_unsubscribe(statement_body& out);
  bool mysql_check(statement_body& out);
  bool mysql_repair(statement_body& out);

  // Rows
  bool source(row_source& out);
  bool width_or_columns(row_source& out, bool may_be_query);
  bool value_rows(row_source& out);
  bool value_row(row_source& out);
  bool insert_rows(insert_statement& out);
  bool on_duplicate(insert_statement& out);
  bool assignments(std::pmr::vector<assignment>& out);
  bool returning(std::optional<projection>& out);
  bool pop_without_columns(pop_statement& out);
  queue_end end_of_queue();

  // Queues
  bool create_queue(statement_body& out);
  bool queue_option(create_queue_statement& out);
  bool columns_and_indexes(create_table_statement& out);
  bool lease_follows() const;
  bool lease(statement_body& out);
  bool lease_options(lease_statement& out);
  bool row_ids(row_id_list& out);
  bool row_id(std::uint64_t& out);
  bool duration(duration_us& out);
  bool lease_time(std::optional<duration_us>& out);
  bool optional_duration(std::string_view word, std::optional<duration_us>& out);
  [[nodiscard]] create_table_statement no_table();
  [[nodiscard]] row_id_list no_ids() { return row_id_list(arena_.resource()); }

  // Queries
  enum class list_end : std::uint8_t { from, statement };
  bool query(select_statement& out) override;
  bool select_list(projection& out, list_end behind);
  bool select_item_of(projection& out);
  bool alias(select_item& out);
  bool is_list_end(list_end behind) const;
  bool modifier(std::string_view word);
  bool columns(projection& out);
  bool column_list(name_list& out);
  bool from_table(std::string_view& table, std::string_view expected);
  bool where(std::optional<condition>& out);
  bool condition_of(std::optional<condition>& out);
  bool predicate(condition& out);
  bool group_by(expression_list& out);
  bool order_by(order_list& out);
  bool limit(std::optional<row_limit>& out);
  bool limit_of_query(std::optional<row_limit>& out);
  bool row_count(std::uint64_t& out);
  bool row_locks();

  // The parts of statements that `explain` reads, too.
  bool update_parts(update_statement& out);
  bool delete_parts(delete_statement& out);
  bool subscribe_parts(subscribe_statement& out);
  bool subscription_options(subscribe_statement& out);
  bool on_slow(std::optional<slow_policy>& out);
  bool position(std::optional<std::uint64_t>& out);
  bool subscription_name(std::string_view& out);

  // Access
  bool user_name(std::string_view& out);
  bool secret(std::string_view& out, std::string_view expected);
  bool rights(right_set& out);
  bool rights_on(right_set& what, std::string_view& table);

  // Schema
  bool acknowledgement(ack_mode& out);
  bool create_table(statement_body& out);
  bool create_index(statement_body& out, index_type type);
  bool drop_index(statement_body& out);
  bool drop_subscription(statement_body& out);
  bool alter_set(statement_body& out, std::string_view table);
  bool history(std::optional<history_setting>& out);
  bool alter_add(statement_body& out, std::string_view table);
  bool alter_drop(statement_body& out, std::string_view table);
  bool accept_condition(std::string_view second, std::string_view third);
  bool table_element(create_table_statement& out);
  bool table_options();
  bool column(column_definition& out, std::optional<index_definition>& index);
  bool column_type(std::string_view& out);
  bool column_attributes(column_definition& out, std::optional<index_definition>& index);
  bool column_attribute(column_definition& out, std::optional<index_definition>& index, bool& found);
  bool ignored_column_attribute(bool& found);
  bool attribute_follows() const;
  bool index_follows() const;
  bool index(index_definition& out);
  bool index_columns(index_definition& out);
  [[nodiscard]] index_definition no_index(index_type type) { return {.type = type, .name = {}, .columns = names()}; }

  [[nodiscard]] row_source no_rows();
  [[nodiscard]] expression_list no_expressions() { return expression_list(arena_.resource()); }
  [[nodiscard]] update_statement no_update();
  [[nodiscard]] delete_statement no_delete();
  [[nodiscard]] subscribe_statement no_subscribe();

  bool is_inner_ = false;  // it is read for `execute` or `prepare`
};

}  // namespace pubsubsql::parser
