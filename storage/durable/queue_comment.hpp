#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/table_description.hpp"

/// What makes a table a queue, in the comment that its table has in MySQL.
namespace pubsubsql::storage::durable {

/// What stands behind declared_comment; empty: the table is no queue.
[[nodiscard]] std::string queue_comment(const table_description& d);

/// Reads it back from the whole comment of a table with these columns. Nothing: it is no queue, or has lost columns
/// that one needs.
[[nodiscard]] std::optional<queue_settings> read_queue_comment(std::string_view comment, const table_description& d);

}  // namespace pubsubsql::storage::durable
