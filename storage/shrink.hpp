#pragma once

#include <cstddef>

namespace pubsubsql::storage {

/// Abseil's hash containers keep their capacity when elements go. This gives it back once only an eighth is in use:
/// far enough from the load at which they grow that the cost stays constant per erased element.
template <typename Container>
void shrink_if_sparse(Container& c) {
  constexpr std::size_t worth_shrinking = 1024;
  if (c.capacity() > worth_shrinking && c.size() < c.capacity() / 8) c.rehash(0);
}

}  // namespace pubsubsql::storage
