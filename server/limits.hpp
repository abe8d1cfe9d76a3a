#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "server/options.hpp"

namespace pubsubsql::server {

/// A limit that users can set. Flags, `show limits` and the counters are made from this one table, so that none can be
/// forgotten in one of them.
struct limit_facts {
  enum class unit : std::uint8_t { number, bytes };

  std::string_view flag;  ///< without the dashes; also how errors and counters name it
  std::string_view help;
  unit in = unit::number;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::uint64_t (*get)(const options&) = nullptr;
  void (*set)(options&, std::uint64_t) = nullptr;
};

/// All of them, in the order in which they are shown.
[[nodiscard]] std::span<const limit_facts> all_limits();

/// The place of a limit in all_limits(). REQUIRES: there is one of that flag.
[[nodiscard]] std::size_t place_of_limit(std::string_view flag);

}  // namespace pubsubsql::server
