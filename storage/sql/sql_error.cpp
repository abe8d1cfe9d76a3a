#include "storage/sql/sql_error.hpp"

#include "parser/utf8.hpp"

namespace pubsubsql::storage::sql {

namespace {

constexpr std::string_view general_state = "HY000";
constexpr std::string_view integrity = "23000";
constexpr std::string_view range = "22003";
constexpr std::string_view truncation = "22001";
constexpr std::string_view warning = "01000";
constexpr std::string_view datetime = "22007";
constexpr std::string_view syntax = "42000";
constexpr std::string_view json = "22032";

std::string at_row(const column_label& where) {
  return " at row " + std::to_string(where.row);
}

std::string full_name(const column_label& where) {
  std::string out = "`";
  out.append(shown(where.table)).append("`.`").append(shown(where.column)).append("`");
  return out;
}

std::string incorrect(std::string_view type, std::string_view text, const column_label& where) {
  std::string out = "Incorrect ";
  out.append(type).append(" value: '").append(shown(text)).append("' for column ").append(full_name(where));
  return out + at_row(where);
}

std::string about_column(std::string_view before, const column_label& where, std::string_view after) {
  std::string out(before);
  return out.append("'").append(shown(where.column)).append("'").append(after);
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t bytes_max = 128;
  if (text.size() <= bytes_max) return std::string(text);
  return std::string(text.substr(0, parser::cut_at_character(text, bytes_max))) + "...";
}

sql_error incorrect_value(std::string_view type, std::string_view text, const column_label& where) {
  return {1366, type == "integer" || type == "decimal" || type == "double" ? datetime : general_state,
          incorrect(type, text, where)};
}

sql_error incorrect_time_value(std::string_view type, std::string_view text, const column_label& where) {
  return {1292, datetime, incorrect(type, text, where)};
}

sql_error out_of_range(const column_label& where) {
  return {1264, range, about_column("Out of range value for column ", where, at_row(where))};
}

sql_error data_truncated(const column_label& where) {
  return {1265, warning, about_column("Data truncated for column ", where, at_row(where))};
}

sql_error data_too_long(const column_label& where) {
  return {1406, truncation, about_column("Data too long for column ", where, at_row(where))};
}

sql_error cannot_be_null(const column_label& where) {
  return {1048, integrity, about_column("Column ", where, " cannot be null")};
}

sql_error no_default(const column_label& where) {
  return {1364, general_state, about_column("Field ", where, " doesn't have a default value")};
}

sql_error invalid_json(std::string_view what, std::size_t position, const column_label& where) {
  std::string message = "Invalid JSON text: \"";
  message.append(what).append("\" at position ").append(std::to_string(position));
  message.append(" in value for column '").append(shown(where.table)).append(".");
  message.append(shown(where.column)).append("'");
  return {3140, json, std::move(message)};
}

sql_error result_out_of_range(std::string_view type, std::string_view expression) {
  std::string message(type);
  message.append(" value is out of range in '").append(shown(expression)).append("'");
  return {1690, range, std::move(message)};
}

sql_error truncated_value(std::string_view type, std::string_view text) {
  std::string message = "Truncated incorrect ";
  message.append(type).append(" value: '").append(shown(text)).append("'");
  return {1292, datetime, std::move(message)};
}

sql_error division_by_zero() {
  return {1365, "22012", "Division by 0"};
}

sql_error too_many_steps(std::uint64_t limit) {
  return {3024, general_state,
          "Query execution was interrupted, it takes more than " + std::to_string(limit) +
              " steps; narrow it, use a key, or raise --max-statement-steps",
          "max-statement-steps"};
}

sql_error too_much_held(std::uint64_t limit) {
  return {1038, "HY001",
          "Out of sort memory, the statement would hold more than " + std::to_string(limit) +
              " bytes to group, sort or compare rows; narrow it, or raise --max-statement-memory",
          "max-statement-memory"};
}

sql_error too_many_aggregates(std::size_t limit) {
  return {1112, syntax,
          "A query computes at most " + std::to_string(limit) + " different aggregates; use several queries"};
}

sql_error unknown_function(std::string_view name) {
  return {1305, syntax, "FUNCTION " + shown(name) + " does not exist"};
}

sql_error wrong_argument_count(std::string_view name) {
  return {1582, syntax, "Incorrect parameter count in the call to native function '" + shown(name) + "'"};
}

}  // namespace pubsubsql::storage::sql
