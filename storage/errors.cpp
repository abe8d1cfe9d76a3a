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

}  // namespace

error unknown_table(std::string_view table) {
  return make(error_code::unknown_table, "table ", shown(table),
              " does not exist; insert, push, key, tag or subscribe creates it");
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
  return make(error_code::limit_exceeded, "table ", shown(table), " would have more than ", limit,
              " columns; use fewer, or raise --max-columns");
}

error too_many_rows(std::string_view table, std::uint64_t limit) {
  return make(error_code::limit_exceeded, "table ", shown(table), " is full at ", limit, " rows; delete some first");
}

error row_too_large(std::string_view table, std::uint64_t bytes, std::uint64_t limit) {
  return make(error_code::limit_exceeded, "a row of table ", shown(table), " would take ", bytes, " bytes, more than ",
              limit, "; store less in it, or raise --max-row-bytes");
}

error result_too_large(std::uint64_t limit) {
  return make(error_code::limit_exceeded, "the result is larger than ", limit,
              " bytes; narrow it with where, or raise --max-result-bytes");
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

}  // namespace pubsubsql::storage
