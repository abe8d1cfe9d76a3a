#pragma once

#include <string>

#include <pubsubsql/error.hpp>

#include "parser/result.hpp"

/// Where passwords come from: never from the command line, which everybody on the machine can read.
namespace pubsubsql::cli {

/// A new password: asked for twice, without being shown, where standard input is a terminal; else its first line.
[[nodiscard]] result<std::string, error> new_password();

/// The password to connect with: from the file, if one is named, from PUBSUBSQL_PASSWORD, or asked for at the terminal.
[[nodiscard]] result<std::string, error> connection_password(const std::string& user, const std::string& file);

}  // namespace pubsubsql::cli
