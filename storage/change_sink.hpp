#pragma once

#include <span>

#include "storage/outcome.hpp"

namespace pubsubsql::storage {

/// Where changes leave the engine for a store. Each worker hands over what its statements changed, right after each
/// statement succeeded, so a sink sees the changes of a table in order and without gaps. Called on the worker's thread,
/// for tables of that worker only; must not block.
class change_sink {
 public:
  virtual ~change_sink() = default;

  /// The views inside are valid during the call.
  virtual void on_changes(const table& t, std::span<const change> changes) = 0;
};

}  // namespace pubsubsql::storage
