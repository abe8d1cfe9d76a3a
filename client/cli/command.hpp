#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "client/cli/format.hpp"
#include "parser/result.hpp"

/// The `\` commands: what the CLI does itself, as opposed to statements, which the server executes.
namespace pubsubsql::cli {

struct help_command {};
struct quit_command {};
struct tables_command {};
struct timing_command {};

struct connect_command {
  std::optional<std::string> host;  ///< none: where it was connected to before
  std::optional<std::uint16_t> port;
};

struct describe_command {
  std::string table;
};

struct format_command {
  output_format format{};
};

struct import_command {
  std::string file;
  std::string table;
  bool go_on = false;  ///< after a row that was refused
};

struct export_command {
  std::string statement;
  std::string file;
};

struct wait_command {
  std::uint64_t events = 0;
  double seconds = 10;
};

using command = std::variant<help_command, quit_command, tables_command, timing_command, connect_command,
                             describe_command, format_command, import_command, export_command, wait_command>;

struct address {
  std::string host;
  std::optional<std::uint16_t> port;
};

/// Reads `host`, `host:port` or `[ipv6]:port`. Nothing when the port is none.
[[nodiscard]] std::optional<address> parse_address(std::string_view text);

/// Reads a command with its `\`; the error says how it is written.
[[nodiscard]] result<command, std::string> parse_command(std::string_view line);

/// The names of all commands with their `\`, for completion.
[[nodiscard]] std::span<const std::string_view> command_names();

/// What `\?` shows.
[[nodiscard]] std::string_view command_help();

}  // namespace pubsubsql::cli
