#pragma once

#include <string>
#include <vector>

#include "storage/durable/mysql_catalog.hpp"
#include "storage/durable/mysql_connection.hpp"
#include "storage/durable/mysql_positions.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage::durable {

/// Makes a table of the engine's in MySQL, with its columns, indexes and rows. It must not be there yet. The table must
/// not change meanwhile. Throws mysql_error: nothing is left of it then, unless MySQL went away or the login may not
/// drop it, which leaves what is known as ours and unfinished.
void create_in_mysql(mysql_connection& c, mysql_catalog& catalog, mysql_positions& positions, const table& t);

/// Adds the columns that a table of MySQL's has not got yet, and indexes where it allows them, and tells the catalog
/// all of memory's columns. Throws mysql_error.
void add_missing_columns(mysql_connection& c, mysql_catalog& catalog, const table& t);

/// Drops a former table, see mysql_positions::has_former(), and what is known of it. False: MySQL does not let it go,
/// since others refer to it or the login may not drop tables; then it has to be made equal. Throws mysql_error.
[[nodiscard]] bool drop_former(mysql_connection& c, mysql_positions& positions, std::string_view table);

/// All columns but `id`, in order.
[[nodiscard]] std::vector<catalog_column> column_names(const table& t);

/// Those, and behind them the columns that only MySQL has.
[[nodiscard]] std::vector<catalog_column> joined_columns(const table& ours, const mysql_table& theirs);

}  // namespace pubsubsql::storage::durable
