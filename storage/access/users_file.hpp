#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parser/result.hpp"
#include "storage/access/user_list.hpp"

/// The file that has the users: statements that make them and grant them rights, and their tokens, one a line; `#` and
/// `--` begin comments, which are not kept when the file is written.
namespace pubsubsql::access {

/// Tells one state of a file from another.
struct file_stamp {
  std::uint64_t inode = 0;
  std::int64_t modified_ns = 0;
  std::int64_t bytes = 0;

  bool operator==(const file_stamp&) const = default;
};

struct stored_users {
  user_list list;
  file_stamp stamp;
};

/// Reads the file. An error says what is wrong, where, and what to do: also when others than its owner and his group
/// could read it, or others than its owner write it.
[[nodiscard]] result<stored_users, std::string> read_users(const std::string& path);

/// The users that a text has. `name` is the text's, for messages.
[[nodiscard]] result<user_list, std::string> parse_users(std::string_view text, const std::string& name);

/// The text of a file that has these users.
[[nodiscard]] std::string print_users(const user_list& list);

/// Writes the file, which others see as it was or as it is, never in between, and which is on the disk when this
/// returns. Only its owner may read it then: who it belonged to before, or, written by root, its folder's.
[[nodiscard]] result<file_stamp, std::string> write_users(const std::string& path, const user_list& list);

/// The stamp of the file as it is; nothing: there is none.
[[nodiscard]] std::optional<file_stamp> stamp_of(const std::string& path);

}  // namespace pubsubsql::access
