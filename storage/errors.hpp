#pragma once

#include <string_view>

#include "storage/outcome.hpp"
#include "storage/sql/sql_error.hpp"

/// The engine's error messages, each in one place: what is wrong and what to do about it.
namespace pubsubsql::storage {

[[nodiscard]] error unknown_table(std::string_view table);
/// The name is that of a named subscription.
[[nodiscard]] error subscription_not_table(std::string_view name);
[[nodiscard]] error unknown_column(std::string_view table, std::string_view column);
[[nodiscard]] error unknown_row(std::string_view table, std::string_view id);
[[nodiscard]] error unknown_subscription(std::string_view table, std::uint64_t pubsubid);
[[nodiscard]] error read_only_id(std::string_view table);
[[nodiscard]] error repeated_column(std::string_view column);
[[nodiscard]] error duplicate_key(std::string_view table, std::string_view column, std::string_view text);
[[nodiscard]] error already_indexed(std::string_view table, std::string_view column);
[[nodiscard]] error key_on_new_column(std::string_view table, std::string_view column);
[[nodiscard]] error key_over_duplicates(std::string_view table, std::string_view column, std::string_view text);
/// Of a result.
[[nodiscard]] error too_many_shown_columns(std::uint64_t limit);
[[nodiscard]] error too_many_columns(std::string_view table, std::uint64_t limit);
[[nodiscard]] error too_many_rows(std::string_view table, std::uint64_t limit);
[[nodiscard]] error row_too_large(std::string_view table, std::uint64_t bytes, std::uint64_t limit);
[[nodiscard]] error result_too_large(std::uint64_t limit);
/// The process takes more than `limit` bytes.
[[nodiscard]] error out_of_memory(std::uint64_t limit);
[[nodiscard]] error too_many_indexes(std::string_view table, std::uint64_t limit);
[[nodiscard]] error name_too_long(std::string_view name, std::uint64_t limit);
[[nodiscard]] error reserved_name(std::string_view table);
/// A new or changed row that is none of those that the user's right is about.
[[nodiscard]] error row_not_granted(std::string_view user, std::string_view table, parser::right r);
[[nodiscard]] error truncate_of_some(std::string_view table);
/// `why` is a table's read_only_reason().
[[nodiscard]] error read_only_table(std::string_view table, std::string_view why);
[[nodiscard]] error unsupported();

// Queues

[[nodiscard]] error unknown_queue(std::string_view queue);
[[nodiscard]] error no_queue(std::string_view table);
[[nodiscard]] error queue_needs_id(std::string_view queue);
[[nodiscard]] error queue_has_no_front(std::string_view queue);
/// `pop` as of other tables.
[[nodiscard]] error pop_of_queue(std::string_view queue);
[[nodiscard]] error dead_letter_is_queue(std::string_view queue);
/// A column that only statements about queues write.
[[nodiscard]] error own_column(std::string_view queue, std::string_view column);
[[nodiscard]] error priority_column(std::string_view queue, std::string_view column);
[[nodiscard]] error not_leased(std::string_view queue, std::uint64_t id);

// With MySQL's numbers and words

[[nodiscard]] error to_error(const sql::sql_error& e);
/// `clause`: order clause, group statement.
[[nodiscard]] error unknown_place(std::string_view number, std::string_view clause);
[[nodiscard]] error unknown_field(std::string_view table, std::string_view column);
/// `select *` that names no table.
[[nodiscard]] error nothing_to_show();
[[nodiscard]] error wrong_value_count(std::string_view table, std::size_t columns, std::size_t values);
[[nodiscard]] error duplicate_entry(std::string_view text, std::string_view key);
[[nodiscard]] error id_out_of_range(std::string_view text);
[[nodiscard]] error wrong_column_specifier(std::string_view column);
[[nodiscard]] error invalid_default(std::string_view column);
[[nodiscard]] error duplicate_column(std::string_view column);
[[nodiscard]] error misspelt_id(std::string_view column);
[[nodiscard]] error duplicate_index(std::string_view index);
[[nodiscard]] error one_auto_increment();
[[nodiscard]] error missing_key_column(std::string_view column);
[[nodiscard]] error several_primary_keys();
[[nodiscard]] error nullable_primary_key(std::string_view column);
[[nodiscard]] error table_exists(std::string_view table);
[[nodiscard]] error table_in_place_of_queue(std::string_view table);
[[nodiscard]] error cannot_drop(std::string_view what);
[[nodiscard]] error last_column(std::string_view table);
/// `place`: from 1, in the select list.
[[nodiscard]] error not_grouped(std::size_t place, std::string_view table, std::string_view column);

// Ours alone

[[nodiscard]] error id_must_be_first(std::string_view table);
[[nodiscard]] error undeclared_table(std::string_view table);
[[nodiscard]] error counter_on_rows(std::string_view table, std::string_view column);
[[nodiscard]] error column_of_index(std::string_view column, std::string_view index);

// Of topics and bindings
[[nodiscard]] error published_id(std::string_view table);
[[nodiscard]] error no_default_value(std::string_view table, std::string_view column);
[[nodiscard]] error nothing_to_copy(std::string_view table, std::string_view queue);
[[nodiscard]] error binding_of_some(std::string_view queue, std::string_view table);
[[nodiscard]] error too_many_bindings(std::string_view table, std::size_t limit);

// Of named subscriptions
[[nodiscard]] error unknown_named_subscription(std::string_view name);
[[nodiscard]] error not_ones_subscription(std::string_view name);
/// `statement`: what it asks for.
[[nodiscard]] error other_subscription(std::string_view name, std::string_view statement);
[[nodiscard]] error position_not_reached(std::string_view name, std::string_view table, std::uint64_t position,
                                         std::uint64_t last);
[[nodiscard]] error too_many_named_subscriptions(std::string_view table, std::size_t limit);

// Of subscriptions to groups and to the first rows
[[nodiscard]] error subscribe_computes();
[[nodiscard]] error subscribe_all_of_groups();
[[nodiscard]] error subscribe_ordered_groups();
[[nodiscard]] error subscribe_by_time();
[[nodiscard]] error subscribe_without_limit();
[[nodiscard]] error subscribe_with_offset();
[[nodiscard]] error subscribe_limit_too_large(std::uint64_t limit);

}  // namespace pubsubsql::storage
