#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/durable/statement_changes.hpp"

namespace pubsubsql::storage::durable {

/// What the statements of a transaction did, in their order, in one table or several. A store takes all of it or
/// nothing. REQUIRES: not empty; no statement drops a table.
using change_group = std::vector<std::shared_ptr<const statement_changes>>;

/// The tables of a group, each once, in the order in which they were first changed.
[[nodiscard]] std::vector<std::string_view> tables_of(const change_group& g);
/// Their names one after the other, for messages.
[[nodiscard]] std::string table_names(const change_group& g);

/// As one record of a journal: a group of one is written as its statement.
void encode(const change_group& g, std::string& out);
/// Reads what encode() wrote, or statement_changes::encode(); empty when the bytes are damaged.
[[nodiscard]] change_group decode_group(std::string_view bytes);

}  // namespace pubsubsql::storage::durable
