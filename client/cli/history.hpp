#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace pubsubsql::cli {

/// What was typed, kept in a file from one run to the next: $XDG_STATE_HOME/pubsubsql/history, or ~/.pubsubsql_history.
/// A history that cannot be read or written is merely not kept.
class history {
 public:
  static constexpr int entries_max = 2000;

  /// Loads the file into readline.
  history();

  /// Keeps an entry, on one line if that does not change its meaning. A repetition of the last one, and statements with
  /// a password in them, are left out.
  void add(std::string_view entry);

 private:
  std::filesystem::path file_;  // empty: nowhere to keep it
  std::string last_;
};

/// Where the history belongs, or nothing when there is no home.
[[nodiscard]] std::optional<std::filesystem::path> history_file();

/// The entry as it is kept, or nothing when it must not be.
[[nodiscard]] std::optional<std::string> history_entry(std::string_view text);

}  // namespace pubsubsql::cli
