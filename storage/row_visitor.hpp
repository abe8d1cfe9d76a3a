#pragma once

#include <absl/functional/function_ref.h>

#include "storage/row.hpp"

namespace pubsubsql::storage {

/// Called for row after row; false ends the reading.
using row_visitor = absl::FunctionRef<bool(row_number)>;

}  // namespace pubsubsql::storage
