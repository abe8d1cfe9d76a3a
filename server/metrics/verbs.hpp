#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "parser/ast.hpp"

namespace pubsubsql::server {

/// What statements are counted by: their kind, as parser::statement_body numbers them, or that they cannot be read.
using verb = std::uint8_t;

inline constexpr std::size_t verb_count = std::variant_size_v<parser::statement_body> + 1;
static_assert(verb_count <= UINT8_MAX);
inline constexpr verb unreadable_verb = verb_count - 1;

[[nodiscard]] inline verb verb_of(const parser::statement& s) {
  return static_cast<verb>(s.body.index());
}

/// As metrics show it: lower case, with underscores. Each verb has another one. REQUIRES: v < verb_count.
[[nodiscard]] std::string_view name_of_verb(verb v);

/// Whether statements of this kind hold passwords, or the values that are executed as one of them.
[[nodiscard]] bool takes_password(verb v);

}  // namespace pubsubsql::server
