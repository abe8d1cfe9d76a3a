#pragma once

#include <optional>
#include <span>
#include <string>

#include "server/options.hpp"

namespace pubsubsql::server {

/// Something that can be wrong with settings that are well-formed. Returns a sentence that names the flag and says what
/// to do; changes nothing, and may run beside a server that uses the same settings.
using config_check = std::optional<std::string> (*)(const options& o);

/// All of them; `--check-config` runs each.
[[nodiscard]] std::span<const config_check> config_checks();

/// What `--check-config` does: prints each problem to stderr, or else the settings to stdout. Returns the exit status.
[[nodiscard]] int check_config(const options& o);

}  // namespace pubsubsql::server
