#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pubsubsql/rows.hpp>

namespace pubsubsql {

/// The JSON object in one frame from the server, as plain data. Members that were not there keep their defaults.
struct message {
  bool ok = false;
  std::string action;
  std::string text;  ///< "msg": why not ok
  std::optional<std::uint64_t> offset;
  std::uint64_t rows = 0;
  std::optional<std::uint64_t> last_row;  ///< "torow"
  std::uint64_t pubsubid = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t lost = 0;
  std::optional<std::uint64_t> seq;
  bool resync = false;
  bool resumed = false;
  bool snapshot_end = false;  ///< "snapshot" is "end"
  bool has_code = false;      ///< of a refusal: it is not about the statement's text alone
  pubsubsql::rows data;
  std::vector<std::pair<std::string, std::string>> facts;  ///< any other scalar, and elements of any other list
};

/// Reads the payload of a frame. On failure returns why it is no message of the protocol.
[[nodiscard]] std::optional<std::string> decode(std::string_view payload, message& out);

}  // namespace pubsubsql
