#pragma once

#include <optional>
#include <string>

namespace pubsubsql::storage::durable {

/// SQLite takes a write-ahead log as far as its checksums are right and silently drops the rest: that is how it knows a
/// transaction that a crash cut off. Committed transactions after such a place mean that the file was damaged, and that
/// SQLite would lose them. Returns what is wrong with the file at `path` in that sense; nothing when it is sound, not
/// there, or ends in the middle of its last transaction.
[[nodiscard]] std::optional<std::string> find_damage_in_wal(const std::string& path);

}  // namespace pubsubsql::storage::durable
