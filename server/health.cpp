#include "server/health.hpp"

#include "server/durable_stores.hpp"

namespace pubsubsql::server {

std::string_view why_not_ready(const shared_state& shared) {
  switch (shared.phase.load(std::memory_order_relaxed)) {
    case server_phase::loading:
      return "the server is loading its tables";
    case server_phase::stopping:
      return "the server is stopping";
    case server_phase::serving:
      break;
  }
  if (shared.stores == nullptr) return {};
  const store_numbers n = shared.stores->numbers();
  if (n.mysql && !n.mysql->online && !n.sqlite) {
    return "MySQL is away and there is no data directory to journal changes in, so they are refused";
  }
  return {};
}

}  // namespace pubsubsql::server
