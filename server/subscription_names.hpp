#pragma once

#include <optional>
#include <string>

#include "parser/ast.hpp"
#include "server/table_directory.hpp"

namespace pubsubsql::server {

/// A statement that names a subscription (`ack S N`, `drop subscription S`) as one that also says to which table that
/// is, so that it goes where the table is. Nothing: it names none, or none that there is.
[[nodiscard]] std::optional<std::string> with_table_of_subscription(const parser::statement& s,
                                                                    const table_directory& directory);

/// What is wrong with such a statement for which there was nothing, and no table of the name either.
[[nodiscard]] std::string unknown_name(const parser::statement& s, const table_directory& directory);

}  // namespace pubsubsql::server
