#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/text_hash.hpp"

namespace pubsubsql::server {

/// The statements that a connection has prepared, by name. Kept as texts: each execution is a statement of its own,
/// which may be run by another worker.
class prepared_statements {
 public:
  /// What they may take.
  struct bounds {
    std::size_t count_max = 0;
    std::size_t bytes_max = 0;  ///< of names and statements
  };
  enum class outcome : std::uint8_t { done, too_many, too_large };

  /// Adds the statement, or puts it in place of that of the same name. On failure nothing changes.
  [[nodiscard]] outcome put(std::string_view name, std::string_view sql, const bounds& allowed);
  /// Returns whether there was one.
  bool erase(std::string_view name);

  /// Appends the statement with values (parser/bound_text.hpp). Returns false when there is none of that name.
  [[nodiscard]] bool append_bound(std::string& out, std::string_view name, std::string_view values) const;

 private:
  [[nodiscard]] static std::size_t bytes_of(std::string_view name, std::string_view text) {
    return name.size() + text.size();
  }

  storage::text_map<std::string> texts_;  // `execute immediate 'SQL'`
  std::size_t bytes_ = 0;
};

}  // namespace pubsubsql::server
