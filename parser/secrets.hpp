#pragma once

#include <string_view>

namespace pubsubsql::parser {

/// Whether a text begins as a statement with a password in it: `auth`, `create user`, `alter user`, or `mysql connect`,
/// whose address may have one; also inside of `execute immediate` and `prepare`. Such a text is not to be shown, logged
/// or kept, even when it cannot be read.
[[nodiscard]] bool holds_secret(std::string_view sql);

}  // namespace pubsubsql::parser
