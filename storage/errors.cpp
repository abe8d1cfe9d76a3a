#include "storage/errors.hpp"

#include <string>
#include <utility>

#include "storage/table_description.hpp"

namespace pubsubsql::storage {

namespace {

/// User text in a message is cut here: enough to recognise it, too little to flood a log.
constexpr std::size_t shown_bytes_max = 64;

std::string shown(std::string_view text) {
  if (text.size() <= shown_bytes_max) return std::string(text);
  std::size_t end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

void append(std::string& out, std::string_view part) {
  out += part;
}
void append(std::string& out, std::uint64_t part) {
  out += std::to_string(part);
}

template <typename... Parts>
error make(error_code code, const Parts&... parts) {
  std::string message;
  (append(message, parts), ...);
  return {code, std::move(message)};
}

/// `flag`: of the limit, a literal.
template <typename... Parts>
error beyond(std::string_view flag, const Parts&... parts) {
  error e = make(error_code::limit_exceeded, parts...);
  e.limit = flag;
  return e;
}

/// What MySQL refuses, too: its number and SQLSTATE.
template <typename... Parts>
error ruled(int mysql_code, std::string_view sqlstate, const Parts&... parts) {
  error e = make(error_code::refused_by_rules, parts...);
  e.mysql_code = mysql_code;
  e.sqlstate = sqlstate;
  return e;
}

}  // namespace

error unknown_table(std::string_view table) {
  return make(error_code::unknown_table, "table ", shown(table),
              " does not exist; insert, push, key, tag or subscribe creates it");
}

error subscription_not_table(std::string_view name) {
  return make(error_code::unknown_table, shown(name),
              " is a subscription, and no table; show subscriptions tells which table it is to");
}

error unknown_column(std::string_view table, std::string_view column) {
  return make(error_code::unknown_column, "column ", shown(column), " does not exist in table ", shown(table),
              "; describe ", shown(table), " lists its columns");
}

error unknown_row(std::string_view table, std::string_view id) {
  return make(error_code::unknown_row, "table ", shown(table), " has no row with id ", shown(id),
              "; subscribe to an existing id, or to another column");
}

error unknown_subscription(std::string_view table, std::uint64_t pubsubid) {
  return make(error_code::unknown_subscription, "this connection has no subscription ", pubsubid, " on table ",
              shown(table), "; use the pubsubid that subscribe returned");
}

error unknown_queue(std::string_view queue) {
  return make(error_code::unknown_table, "there is no queue ", shown(queue), "; create queue makes one");
}

error no_queue(std::string_view table) {
  return make(error_code::no_queue, "table ", shown(table), " is no queue; create queue makes one");
}

error queue_needs_id(std::string_view queue) {
  return make(error_code::no_queue, "queue ", shown(queue),
              " needs ids for its rows: declare the column id as int primary key, or call it otherwise");
}

error queue_has_no_front(std::string_view queue) {
  return make(error_code::no_queue, "rows of queue ", shown(queue),
              " are popped by priority and then in the order of pushing; leave out `front`");
}

error pop_of_queue(std::string_view queue) {
  return make(error_code::no_queue, "table ", shown(queue), " is a queue; pop a number of rows: pop 1 from ",
              shown(queue));
}

error dead_letter_is_queue(std::string_view queue) {
  return make(error_code::no_queue, "queue ", shown(queue), " cannot be its own dead letter table; name another table");
}

error own_column(std::string_view queue, std::string_view column) {
  return make(error_code::read_only_column, "column ", shown(column), " of queue ", shown(queue),
              " is the server's; leave it out, or call yours otherwise");
}

error priority_column(std::string_view queue, std::string_view column) {
  return make(error_code::read_only_column, "queue ", shown(queue), " is ordered by column ", shown(column),
              "; make another queue without it");
}

error not_leased(std::string_view queue, std::uint64_t id) {
  return make(error_code::not_leased, "row ", id, " of queue ", shown(queue),
              " is not leased to this connection: its lease has ended, or it never was; pop it again");
}

error read_only_id(std::string_view table) {
  return make(error_code::read_only_column, "column id of table ", shown(table),
              " is assigned by the server; leave it out");
}

error repeated_column(std::string_view column) {
  return make(error_code::repeated_column, "column ", shown(column), " is named twice; name it once");
}

error duplicate_key(std::string_view table, std::string_view column, std::string_view text) {
  return make(error_code::duplicate_key, "duplicate value '", shown(text), "' for key ", shown(column), " of table ",
              shown(table), "; another row has it");
}

error already_indexed(std::string_view table, std::string_view column) {
  return make(error_code::already_indexed, "column ", shown(column), " of table ", shown(table),
              " already has a key or tag");
}

error key_on_new_column(std::string_view table, std::string_view column) {
  return make(error_code::rows_exist, "cannot make new column ", shown(column), " a key: table ", shown(table),
              " already has rows; define the key before inserting");
}

error key_over_duplicates(std::string_view table, std::string_view column, std::string_view text) {
  return make(error_code::duplicate_key, "cannot make column ", shown(column), " of table ", shown(table),
              " a key: several rows hold '", shown(text), "'; make them differ first");
}

error too_many_columns(std::string_view table, std::uint64_t limit) {
  return beyond("max-columns", "table ", shown(table), " would have more than ", limit,
                " columns; use fewer, or raise --max-columns");
}

error too_many_shown_columns(std::uint64_t limit) {
  error e =
      make(error_code::limit_exceeded, "Too many columns; the result would have more than ", limit, ": name fewer");
  e.mysql_code = 1117;
  e.sqlstate = "HY000";
  return e;
}

error too_many_rows(std::string_view table, std::uint64_t limit) {
  return make(error_code::limit_exceeded, "table ", shown(table), " is full at ", limit, " rows; delete some first");
}

error row_too_large(std::string_view table, std::uint64_t bytes, std::uint64_t limit) {
  return beyond("max-row-bytes", "a row of table ", shown(table), " would take ", bytes, " bytes, more than ", limit,
                "; store less in it, or raise --max-row-bytes");
}

error result_too_large(std::uint64_t limit) {
  return beyond("max-result-bytes", "the result is larger than ", limit,
                " bytes; narrow it with where, or raise --max-result-bytes");
}

error out_of_memory(std::uint64_t limit) {
  error e = beyond("max-memory", "Out of memory; the server uses more than ", limit,
                   " bytes, so nothing may be added: delete rows, end subscriptions, or raise --max-memory");
  e.mysql_code = 1041;
  e.sqlstate = "HY000";
  return e;
}

error too_many_indexes(std::string_view table, std::uint64_t limit) {
  return ruled(1069, "42000", "Too many keys specified; max ", limit, " keys allowed for table ", shown(table));
}

error name_too_long(std::string_view name, std::uint64_t limit) {
  return make(error_code::limit_exceeded, "the name ", shown(name), " is longer than ", limit,
              " bytes; use a shorter one");
}

error reserved_name(std::string_view table) {
  return make(error_code::reserved_name, "table ", shown(table), " cannot be made: names that begin with ", own_tables,
              " are the server's own; choose another");
}

error read_only_table(std::string_view table, std::string_view why) {
  return make(error_code::read_only_table, "table ", shown(table), " can only be read: ", why);
}

error unsupported() {
  return make(error_code::unsupported, "this statement is not one for the table engine");
}

error to_error(const sql::sql_error& e) {
  const error_code code = e.limit.empty() ? error_code::refused_by_rules : error_code::limit_exceeded;
  return {code, e.message, e.code, e.sqlstate, e.limit};
}

error unknown_place(std::string_view number, std::string_view clause) {
  return ruled(1054, "42S22", "Unknown column '", shown(number), "' in '", clause, "'");
}

error unknown_field(std::string_view table, std::string_view column) {
  return ruled(1054, "42S22", "Unknown column '", shown(column), "' in 'field list'; describe ", shown(table),
               " lists its columns, alter table adds one");
}

error nothing_to_show() {
  return ruled(1096, "HY000", "No tables used; name one behind from");
}

error wrong_value_count(std::string_view table, std::size_t columns, std::size_t values) {
  return ruled(1136, "21S01", "Column count doesn't match value count at row 1: table ", shown(table), " takes ",
               columns, ", given are ", values);
}

error duplicate_entry(std::string_view text, std::string_view key) {
  return ruled(1062, "23000", "Duplicate entry '", shown(text), "' for key '", shown(key), "'");
}

error row_not_granted(std::string_view user, std::string_view table, parser::right r) {
  return ruled(1369, "HY000", "CHECK OPTION failed: a row of table ", shown(table), " would be none that user '",
               shown(user), "' may ", parser::right_names[static_cast<std::size_t>(r)],
               "; nothing was changed. show grants has the conditions");
}

error truncate_of_some(std::string_view table) {
  return ruled(1142, "42000", "truncate takes all rows of table ", shown(table),
               ", and only some may be deleted; delete from ", shown(table), " takes those");
}

error id_out_of_range(std::string_view text) {
  return ruled(1264, "22003", "Out of range value for column 'id': ", shown(text), "; ids are from 0 to ", row_id_max);
}

error wrong_column_specifier(std::string_view column) {
  return ruled(1063, "42000", "Incorrect column specifier for column '", shown(column),
               "'; only integers can be auto_increment");
}

error invalid_default(std::string_view column) {
  return ruled(1067, "42000", "Invalid default value for '", shown(column), "'");
}

error duplicate_column(std::string_view column) {
  return ruled(1060, "42S21", "Duplicate column name '", shown(column), "'");
}

error misspelt_id(std::string_view column) {
  return ruled(1166, "42000", "Incorrect column name '", shown(column),
               "': an integer primary key of that name is the table's id; write it `id`");
}

error duplicate_index(std::string_view index) {
  return ruled(1061, "42000", "Duplicate key name '", shown(index), "'");
}

error one_auto_increment() {
  return ruled(1075, "42000", "Incorrect table definition; there can be only one auto column");
}

error missing_key_column(std::string_view column) {
  return ruled(1072, "42000", "Key column '", shown(column), "' doesn't exist in table");
}

error several_primary_keys() {
  return ruled(1068, "42000", "Multiple primary key defined");
}

error nullable_primary_key(std::string_view column) {
  return ruled(1171, "42000", "All parts of a PRIMARY KEY must be NOT NULL; column '", shown(column),
               "' is not: use unique instead");
}

error table_exists(std::string_view table) {
  return ruled(1050, "42S01", "Table '", shown(table), "' already exists; say if not exists to leave it as it is");
}

error table_in_place_of_queue(std::string_view table) {
  return ruled(1050, "42S01", "Table '", shown(table), "' already exists and is no queue; drop table ", shown(table),
               ", create the queue, and then bind it again where the table was bound, or call the queue otherwise");
}

error cannot_drop(std::string_view what) {
  return ruled(1091, "42000", "Can't DROP '", shown(what), "'; check that it exists");
}

error last_column(std::string_view table) {
  return ruled(1090, "42000", "You can't delete all columns with ALTER TABLE; drop table ", shown(table), " instead");
}

error id_must_be_first(std::string_view table) {
  return make(error_code::unsupported, "column id of table ", shown(table),
              " is the primary key, so it is the first column of every result; write it first");
}

error undeclared_table(std::string_view table) {
  return make(error_code::unsupported, "table ", shown(table),
              " was not made by create table, so its columns hold any text; add the column by its name alone");
}

error counter_on_rows(std::string_view table, std::string_view column) {
  return make(error_code::rows_exist, "column ", shown(column), " cannot count by itself: table ", shown(table),
              " has rows already; add it to an empty table");
}

error column_of_index(std::string_view column, std::string_view index) {
  return make(error_code::already_indexed, "column ", shown(column), " is in index ", shown(index),
              " together with others; drop that index first");
}

error not_grouped(std::size_t place, std::string_view table, std::string_view column) {
  return ruled(1055, "42000", "Expression #", place,
               " of SELECT list is not in GROUP BY clause and contains nonaggregated column '", shown(table), ".",
               shown(column), "' which is not functionally dependent on columns in GROUP BY clause");
}

error subscribe_computes() {
  return make(error_code::unsupported,
              "a subscription shows columns of rows, or aggregates of groups; list columns, or add group by");
}

error subscribe_all_of_groups() {
  return make(error_code::unsupported,
              "groups have none of the columns that * stands for; list columns of group by and aggregates");
}

error subscribe_ordered_groups() {
  return make(error_code::unsupported, "groups of a subscription come in no order; leave out order by and limit");
}

error subscribe_by_time() {
  return make(error_code::unsupported,
              "what a subscription groups by, orders by and computes changes with rows only, not with the time; use "
              "columns instead of now()");
}

error subscribe_without_limit() {
  return make(error_code::unsupported,
              "a subscription is sent changes as they happen; leave out order by, or add limit for the first rows");
}

error subscribe_with_offset() {
  return make(error_code::unsupported, "a subscription shows the first rows; leave out offset, or raise limit by it");
}

error subscribe_limit_too_large(std::uint64_t limit) {
  return make(error_code::limit_exceeded, "a subscription shows at most the first ", limit,
              " rows; use a smaller limit, or leave out order by and limit");
}

error published_id(std::string_view table) {
  return make(error_code::read_only_column, "a row that is published into table ", shown(table),
              " is not stored and has no id; leave out the column id");
}

error no_default_value(std::string_view table, std::string_view column) {
  return to_error(sql::no_default({.table = table, .column = column}));
}

error nothing_to_copy(std::string_view table, std::string_view queue) {
  return make(error_code::unsupported, "the row of table ", shown(table), " has nothing that could be copied to ",
              shown(queue),
              ", where id and what a queue has for itself are its own; give it a value in another column");
}

error binding_of_some(std::string_view queue, std::string_view table) {
  return make(error_code::unsupported,
              "a binding copies rows as they come, and you may see or write some rows only of ", shown(table), " or ",
              shown(queue), "; ask somebody whose rights hold for all rows of both");
}

error too_many_bindings(std::string_view table, std::size_t limit) {
  return make(error_code::limit_exceeded, "table ", shown(table), " has ", limit,
              " bindings, and there can be no more; unbind some, or bind with one predicate instead of several");
}

error unknown_named_subscription(std::string_view name) {
  return make(error_code::unknown_subscription, "there is no subscription ", shown(name),
              "; show subscriptions lists them");
}

error not_ones_subscription(std::string_view name) {
  return make(error_code::unsupported, "subscription ", shown(name),
              " is another user's; choose another name, or ask that user or somebody with the right admin");
}

error other_subscription(std::string_view name, std::string_view statement) {
  return make(error_code::unsupported, "subscription ", shown(name), " is another one: ", shown(statement),
              "; drop subscription ", shown(name), " first, or choose another name");
}

error position_not_reached(std::string_view name, std::string_view table, std::uint64_t position, std::uint64_t last) {
  return make(error_code::unsupported, "subscription ", shown(name), " cannot be acknowledged up to ", position,
              ": the last change of table ", shown(table), " is ", last);
}

error too_many_named_subscriptions(std::string_view table, std::size_t limit) {
  return make(error_code::limit_exceeded, "table ", shown(table), " has ", limit,
              " named subscriptions, and there can be no more; drop some");
}

}  // namespace pubsubsql::storage
