// What a lane writes of tables beside their rows and schemas: into tables of the server's own.

#include <absl/container/flat_hash_map.h>

#include "storage/durable/mysql_lane.hpp"
#include "storage/named_subscriptions.hpp"

namespace pubsubsql::storage::durable {

void mysql_lane::store_setting(const statement_changes& s, const change& c) {
  switch (c.kind) {
    case change_kind::set_ack:
      return positions_->store_ack(s.table_name(), c.ack);
    case change_kind::set_history:
      return positions_->store_history_setting(s.table_name(), c.history->after);
    case change_kind::add_binding:
      return positions_->add_binding(s.table_name(), unpack_binding(c.name).value_or(binding_description{}));
    case change_kind::drop_binding:
      return positions_->drop_binding(s.table_name(), unpack_binding(c.name).value_or(binding_description{}));
    case change_kind::drop_table:  // and another one follows at once
      positions_->store_bindings(s.table_name(), {});
      positions_->store_history_setting(s.table_name(), {});
      return positions_->store_subscriptions(s.table_name(), {});
    case change_kind::add_subscription:
      return positions_->add_subscription(s.table_name(),
                                          unpack_subscription(c.name).value_or(subscription_description{}));
    case change_kind::drop_subscription:
      return positions_->drop_subscription(unpack_subscription(c.name).value_or(subscription_description{}).name);
    case change_kind::acknowledge: {
      const acknowledgement a = unpack_acknowledgement(c.name).value_or(acknowledgement{});
      return positions_->acknowledge(a.name, a.position);
    }
    default:
      return;
  }
}

/// What is acknowledged stays: whoever did so has got it.
void mysql_lane::revert_setting(const statement_changes& s, const change& c) {
  switch (c.kind) {
    case change_kind::set_history:
      return positions_->store_history_setting(s.table_name(), c.history->before);
    case change_kind::add_binding:
      return positions_->drop_binding(s.table_name(), unpack_binding(c.name).value_or(binding_description{}));
    case change_kind::drop_binding:
      return positions_->add_binding(s.table_name(), unpack_binding(c.name).value_or(binding_description{}));
    case change_kind::add_subscription:
      return positions_->drop_subscription(unpack_subscription(c.name).value_or(subscription_description{}).name);
    case change_kind::drop_subscription:
      return positions_->add_subscription(s.table_name(),
                                          unpack_subscription(c.name).value_or(subscription_description{}));
    default:
      return;
  }
}

/// Of many of one subscription the last one counts.
void mysql_lane::store_acknowledgements(std::span<const statement_changes* const> statements) {
  absl::flat_hash_map<std::string, std::uint64_t> last;
  for (const statement_changes* const s : statements) {
    if (!s->is_acknowledgement()) continue;
    acknowledgement a = unpack_acknowledgement(s->changes().back().name).value_or(acknowledgement{});
    last.insert_or_assign(std::move(a.name), a.position);
  }
  for (const auto& [name, position] : last) positions_->acknowledge(name, position);
}

}  // namespace pubsubsql::storage::durable
