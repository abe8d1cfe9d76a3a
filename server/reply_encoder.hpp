#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/frame.hpp"
#include "parser/parser.hpp"
#include "parser/request_reader.hpp"
#include "server/column_lists.hpp"
#include "storage/durable/store.hpp"
#include "storage/outcome.hpp"

/// Outcomes as the JSON messages of the wire protocol (`docs/protocol.md`). Everything is appended to a buffer.
namespace pubsubsql::server {

/// Whom a reply is for: how the client talks, and its number for the request.
struct reply_address {
  parser::wire_mode mode = parser::wire_mode::text;
  bool stream = false;  ///< the client wants errors only: no listing, facts, names or count is written
  std::uint32_t request_id = 0;
  /// Whether a reply is one message for each request, however many rows it has. For what is not replied otherwise,
  /// because the statement is streamed, it is an empty one.
  bool is_whole = false;
};

/// The reply to a statement, in as many messages as it takes; for a subscribe also its initial `add` events.
void encode_reply(std::string& out, const reply_address& to, const storage::outcome& o, column_lists& lists);

/// The empty message for a statement that has nothing to say. REQUIRES: to.is_whole, and framed.
void encode_nothing(std::string& out, const reply_address& to);

/// `offset` is where in the statement the error is, for statements that cannot be read.
void encode_error(std::string& out, const reply_address& to, std::string_view message,
                  std::optional<std::size_t> offset = std::nullopt);
void encode_error(std::string& out, const reply_address& to, const parser::syntax_error& e);
/// With the members code and sqlstate, where MySQL has them for it.
void encode_error(std::string& out, const reply_address& to, const storage::error& e);

/// The error of a store that refused a change: its text, with its code (and SQLSTATE) as members of their own.
void encode_store_error(std::string& out, const reply_address& to, const storage::durable::store_error& e);

/// A reply in the form of `select` whose rows are given as values, row after row.
void encode_listing(std::string& out, const reply_address& to, std::string_view action,
                    std::span<const std::string_view> columns, std::span<const storage::value> rows);

/// A reply of named numbers, texts, and more numbers, in that order; texts that are empty are left out.
void encode_facts(std::string& out, const reply_address& to, std::string_view action,
                  std::span<const std::pair<std::string_view, std::uint64_t>> numbers,
                  std::span<const std::pair<std::string_view, std::string_view>> texts,
                  std::span<const std::pair<std::string_view, std::uint64_t>> more_numbers = {});

/// As events name it.
[[nodiscard]] std::string_view name_of(storage::event_action action);

// What a reply that was encoded here says, told by its bytes

/// Whether a message, without its frame, is an error. Empty bytes are none.
[[nodiscard]] bool is_error_message(std::string_view message);
/// The same of a reply with its frame.
[[nodiscard]] inline bool is_error(std::string_view reply, parser::wire_mode mode) {
  if (mode == parser::wire_mode::framed) reply.remove_prefix(std::min(reply.size(), parser::frame_header_bytes));
  return !reply.starts_with(R"({"status":"ok")") && is_error_message(reply);  // nearly all are fine
}
/// How many rows it counts or shows; 0 where it says nothing of rows.
[[nodiscard]] std::uint64_t rows_of(std::string_view reply);

/// A reply with one list of names.
void encode_names(std::string& out, const reply_address& to, std::string_view action, std::string_view member,
                  std::span<const std::string> names);

/// A reply that counts rows.
void encode_count(std::string& out, const reply_address& to, std::string_view action, std::uint64_t rows);

/// What the messages of one event have in common, whoever gets it: a message is
/// head, pubsubid, columns, the numbers of rows, the rows. Several events of one action and columns can be one.
struct encoded_event {
  std::string head;       ///< {"status":"ok","action":"update","pubsubid":"
  std::string columns;    ///< ","columns":["id","bid"]
  std::string rows;       ///< ["0","101"],["1","102"]
  std::size_t count = 1;  ///< of rows; at most rows_per_message
  /// The rows once more, for outputs to refer to; nullptr: they are to be copied.
  std::shared_ptr<const std::string> shared = {};
  storage::event_action action{};
  /// The positions that the first row and all of them lead to; 0: not known.
  std::uint64_t first_sequence = 0;
  std::uint64_t sequence = 0;
  /// One of the rows: which it is, and where its text ends.
  struct part {
    storage::row_position row = 0;
    std::size_t end = 0;
  };
  std::vector<part> parts = {};  ///< empty, unless the event's `is_keyed`
};

/// Replaces what `out` holds. `t` is the table of the event.
void encode_event(encoded_event& out, const storage::table& t, const storage::event& e, column_lists& lists);

/// Adds the row of another event. REQUIRES: it has the same action and columns, and there is room for it.
void append_event_row(encoded_event& out, const storage::event& e);

/// What the messages of its events begin with.
[[nodiscard]] std::string event_head(storage::event_action action);

// `position`: what the message says that it leads to; 0: nothing, as the subscription did not ask.

/// The message that `lost` events of a subscription were left out, between those before it and those behind it.
void append_gap(std::string& out, parser::wire_mode mode, std::uint64_t pubsubid, std::uint64_t lost,
                std::uint64_t position = 0);

/// The last message of a subscription that has ended otherwise than by its subscriber's word.
void append_ended(std::string& out, parser::wire_mode mode, std::uint64_t pubsubid, std::string_view why);

/// The `add` events that a subscription starts with. REQUIRES: `o` is its outcome, and no failure.
void append_first_rows(std::string& out, parser::wire_mode mode, const storage::outcome& o, column_lists& lists);

/// The event's message for one subscription.
void append_event(std::string& out, parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid,
                  std::uint64_t position = 0);

/// The same up to the rows, and what comes behind them.
void append_event_start(std::string& out, parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid,
                        std::uint64_t position = 0);
void append_event_end(std::string& out, parser::wire_mode mode, std::uint64_t position = 0);
/// The size of the latter.
[[nodiscard]] std::size_t event_end_bytes(parser::wire_mode mode, std::uint64_t position);

/// The part of a message that counts its rows, from ,"rows": to the [ of data.
void append_row_counts(std::string& out, std::size_t rows, std::size_t first, std::size_t last);

}  // namespace pubsubsql::server
