#pragma once

#include "storage/database.hpp"
#include "storage/durable/mysql_catalog.hpp"
#include "storage/durable/mysql_connection.hpp"
#include "storage/durable/mysql_schema.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/durable/store.hpp"
#include "storage/table.hpp"
#include "storage/table_differences.hpp"

namespace pubsubsql::storage::durable {

/// Reads all rows from MySQL and compares them with memory; rows are matched by their address, and without one all are
/// different rows. MySQL may have more columns, behind memory's. The table must stay as it is meanwhile. Throws
/// mysql_error.
[[nodiscard]] table_differences compare(mysql_connection& c, const mysql_table& theirs, const table& ours);

/// The rows of a statement that are still as it wrote them and of which MySQL has stored something else, and what that
/// is. `stored` has all its inserted and updated rows in order.
[[nodiscard]] table_differences still_as_written(const table& ours, const statement_changes& written,
                                                 const corrected_rows& stored);

/// Makes MySQL's rows equal to memory's. The table must be as it was when compared. Returns whether MySQL has stored
/// all as it was given; where not, `on_correction`, if there is one, is told what it has. In one transaction: when it
/// throws mysql_error, nothing of it is there.
[[nodiscard]] bool write_differences(mysql_connection& c, mysql_catalog& catalog, const table& ours,
                                     const table_differences& d, const correction_handler& on_correction = {});

}  // namespace pubsubsql::storage::durable
