#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <pubsubsql/reply.hpp>
#include <pubsubsql/rows.hpp>

namespace pubsubsql {

/// What happened to the rows of an event.
enum class event_action : std::uint8_t {
  add,      ///< rows there are at the moment of `subscribe`; later, rows that an update brought into the filter
  insert,   ///< new rows
  update,   ///< rows that changed and still match; columns are `id` and those that were set
  remove,   ///< rows that an update took out of the filter, with their new values
  deleted,  ///< rows that were deleted or popped
  publish,  ///< rows that were published and are stored nowhere; their `id` is NULL
  resync,   ///< from this client: the connection was made anew, and changes meanwhile were missed; with
            ///< subscribe_options::resume only when the server has them no longer. Forget what you know; the rows there
            ///< are come next as `add` (not with `subscribe skip`)
  resumed,  ///< from this client: the connection was made anew, and what was missed comes next; forget nothing
  gap,    ///< of a subscription `on slow drop`: this client was too slow, and `lost` events were left out. Forget what
          ///< you know; the rows there are come next as `add` (not with `subscribe skip`)
  ended,  ///< no event comes any more, and message tells why: after a reconnect the server refused the subscription, or
          ///< it has a name, and was dropped, or another connection has it now
};

[[nodiscard]] std::string_view name_of(event_action action);

/// A change that a subscription pushed to this client.
struct event {
  event_action action{};
  pubsubsql::subscription subscription{};  ///< `none` for one that this client does not know
  std::uint64_t pubsubid = 0;              ///< the server's number of it on the present connection
  pubsubsql::rows rows;                    ///< empty for resync, resumed, gap and ended
  std::uint64_t lost = 0;                  ///< of `gap`: events that were left out
  std::string message;                     ///< of `ended`

  /// Of subscriptions that resume: the position in the changes of the table behind this event, for
  /// subscribe_options::since. There is none where nothing can begin: in a `resync`, a `gap` that rows follow, and
  /// initial rows before the last of them.
  std::optional<std::uint64_t> seq = {};
  /// Of subscriptions that resume: the last `add` of the initial rows, which may have no rows itself.
  bool snapshot_end = false;
};

}  // namespace pubsubsql
