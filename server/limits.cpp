#include "server/limits.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "parser/request_reader.hpp"

namespace pubsubsql::server {

namespace {

using unit = limit_facts::unit;

constexpr std::uint64_t any = INT64_MAX;
constexpr std::uint64_t a_day = 86'400;
/// The size of a message, which has a little beside its rows, must fit the frame header.
constexpr std::uint64_t result_bytes_ceiling = std::uint64_t{2} << 30U;
static_assert(result_bytes_ceiling <= UINT32_MAX / 2 + 1);

/// `Member` gives the member of the options, for reading and for writing.
template <typename Member>
constexpr limit_facts limit(std::string_view flag, unit in, std::uint64_t least, std::uint64_t most, Member,
                            std::string_view help) {
  return {.flag = flag,
          .help = help,
          .in = in,
          .least = least,
          .most = most,
          .get = [](const options& o) { return static_cast<std::uint64_t>(Member()(o)); },
          .set =
              [](options& o, std::uint64_t value) {
                auto& member = Member()(o);
                member = static_cast<std::remove_reference_t<decltype(member)>>(value);
              }};
}

constexpr std::array list = {
    limit(
        "max-memory", unit::bytes, 0, any, [](auto& o) -> auto& { return o.memory_bytes_max; },
        "Memory of the process before statements that add to it are refused; 0: no limit"),
    limit(
        "max-connections", unit::number, 1, 1U << 23U, [](auto& o) -> auto& { return o.connections_max; },
        "Connections at a time"),
    limit(
        "max-connections-per-address", unit::number, 0, any,
        [](auto& o) -> auto& { return o.connections_per_address_max; },
        "Connections at a time from one address, or one /64 network of IPv6; 0: as many as there may be"),
    limit(
        "handshake-timeout-seconds", unit::number, 1, 3'600,
        [](auto& o) -> auto& { return o.handshake_timeout_seconds; },
        "Seconds that a TLS handshake and, with users, authentication may take"),
    limit(
        "idle-timeout-seconds", unit::number, 0, 365 * a_day, [](auto& o) -> auto& { return o.idle_timeout_seconds; },
        "Seconds without input before a connection that has no subscription is closed; 0: never"),
    limit(
        "tcp-keepalive-seconds", unit::number, 0, 32'767, [](auto& o) -> auto& { return o.tcp_keepalive_seconds; },
        "Seconds of silence before the system asks whether a client is still there; 0: never"),
    limit(
        "max-statement-bytes", unit::bytes, 1, parser::statement_bytes_limit,
        [](auto& o) -> auto& { return o.statement_bytes_max; }, "Size of a statement"),
    limit(
        "max-statement-parts", unit::number, 100, any, [](auto& o) -> auto& { return o.statement_parts_max; },
        "Names and parts of expressions of a statement; the values of rows are none"),
    limit(
        "max-statement-steps", unit::number, 1, any, [](auto& o) -> auto& { return o.engine.statement_steps_max; },
        "Steps of computing that a statement may take: a node of an expression, for a row, is one"),
    limit(
        "max-filter-steps", unit::number, 1, any, [](auto& o) -> auto& { return o.engine.filter_steps_max; },
        "Steps that the filters of all subscriptions to a table may take for a row before the dearest end"),
    limit(
        "max-statement-memory", unit::bytes, 1U << 16U, any,
        [](auto& o) -> auto& { return o.engine.statement_memory_max; },
        "Size of what a statement may hold to group, sort and compare rows"),
    limit(
        "max-result-bytes", unit::bytes, 1, result_bytes_ceiling,
        [](auto& o) -> auto& { return o.engine.result_bytes_max; }, "Size of the rows a statement may show"),
    limit(
        "max-pipeline", unit::number, 1, any, [](auto& o) -> auto& { return o.pipeline_max; },
        "Requests of a connection that may wait for their replies; more are read later"),
    limit(
        "max-backlog-bytes", unit::bytes, 0, any, [](auto& o) -> auto& { return o.backlog_bytes_max; },
        "Unread events before a subscriber is too slow"),
    limit(
        "max-total-backlog-bytes", unit::bytes, 0, any, [](auto& o) -> auto& { return o.backlog_total_bytes_max; },
        "Unread events of all subscribers before the slowest get less; 0: no bound"),
    limit(
        "max-total-reply-bytes", unit::bytes, 0, any, [](auto& o) -> auto& { return o.reply_total_bytes_max; },
        "Unread replies of all connections before those that have not read for longest end; 0: no bound"),
    limit(
        "max-subscriptions", unit::number, 1, any, [](auto& o) -> auto& { return o.subscriptions_max; },
        "Subscriptions of a connection"),
    limit(
        "max-total-subscriptions", unit::number, 1, any, [](auto& o) -> auto& { return o.total_subscriptions_max; },
        "Subscriptions of all connections"),
    limit(
        "max-prepared-statements", unit::number, 1, any, [](auto& o) -> auto& { return o.prepared_statements_max; },
        "Prepared statements of a connection"),
    limit(
        "max-prepared-bytes", unit::bytes, 0, any, [](auto& o) -> auto& { return o.prepared_bytes_max; },
        "Size of the prepared statements of a connection"),
    limit(
        "history-bytes", unit::bytes, 0, any, [](auto& o) -> auto& { return o.engine.history_bytes_max; },
        "Latest changes that a table keeps for subscribers that come back, unless it is altered"),
    limit(
        "history-seconds", unit::number, 0, 365 * a_day, [](auto& o) -> auto& { return o.engine.history_seconds_max; },
        "Age to which it keeps them"),
    limit(
        "history-total-bytes", unit::bytes, 0, any, [](auto& o) -> auto& { return o.engine.history_total_bytes_max; },
        "Latest changes that all tables keep before the largest histories become shorter"),
    limit(
        "max-tables", unit::number, 1, any, [](auto& o) -> auto& { return o.tables_max; }, "Tables"),
    limit(
        "max-columns", unit::number, 2, 60'000, [](auto& o) -> auto& { return o.engine.columns_max; },
        "Columns of a table"),
    limit(
        "max-row-bytes", unit::bytes, 64, 1U << 30U, [](auto& o) -> auto& { return o.engine.row_bytes_max; },
        "Size of a row"),
    limit(
        "max-transaction-rows", unit::number, 1, any, [](auto& o) -> auto& { return o.transaction_rows_max; },
        "Rows that a transaction may change"),
    limit(
        "max-transaction-bytes", unit::bytes, 0, any, [](auto& o) -> auto& { return o.transaction_bytes_max; },
        "Size of what a transaction changes"),
    limit(
        "max-transaction-seconds", unit::number, 1, a_day, [](auto& o) -> auto& { return o.transaction_seconds_max; },
        "Seconds that a transaction may take"),
    limit(
        "store-queue-bytes", unit::bytes, 0, any, [](auto& o) -> auto& { return o.store_queue_bytes_max; },
        "Changes waiting to be stored before statements slow down"),
};

}  // namespace

std::span<const limit_facts> all_limits() {
  return list;
}

std::size_t place_of_limit(std::string_view flag) {
  return static_cast<std::size_t>(std::ranges::find(list, flag, &limit_facts::flag) - list.begin());
}

}  // namespace pubsubsql::server
