#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "parser/ast.hpp"
#include "storage/outcome.hpp"
#include "storage/table_description.hpp"

namespace pubsubsql::storage {

/// A subscription that outlives its subscribers: what it asks for, how far it has been acknowledged, and who has it.
struct named_subscription {
  subscription_description what;
  /// Who has subscribed as it last, and may have gone since.
  event_target taken_by = {};
};

/// Those of one table, by name.
using named_subscriptions = std::map<std::string, named_subscription, std::less<>>;

/// What a subscription asks for, whoever has it: the statement without the name, the position, and what becomes of it
/// when its subscriber is slow.
[[nodiscard]] std::string definition_text(const parser::subscribe_statement& s);

/// That everything up to a position has been got, as it stands in the changes of the table.
struct acknowledgement {
  std::string name;
  std::optional<std::uint64_t> before;  ///< what had been
  std::uint64_t position = 0;
};

[[nodiscard]] std::string pack(const acknowledgement& a);
/// Reads such a text back. Nothing: it is none.
[[nodiscard]] std::optional<acknowledgement> unpack_acknowledgement(std::string_view packed);

}  // namespace pubsubsql::storage
