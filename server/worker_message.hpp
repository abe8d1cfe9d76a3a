#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "parser/parser.hpp"
#include "server/reply_encoder.hpp"
#include "storage/durable/store.hpp"
#include "storage/outcome.hpp"

/// What workers say to each other. Messages from one worker to another arrive in the order sent.
namespace pubsubsql::server {

/// Where a reply goes: a session, its slot, and how to write it.
struct reply_route {
  storage::subscriber_id session{};
  std::uint64_t slot = 0;
  reply_address address;
};

/// Who asks what: a statement on its way to the table, and for as long as it may have to be run again.
struct statement_source {
  reply_route route;
  std::uint64_t pubsubid = 0;  ///< for the subscription it makes; 0: it makes none
  bool stream = false;         ///< success is not replied
  std::string_view text;       ///< as the client sent it, valid while it is run for the first time
  std::string sql;             ///< a copy of the text; made when it has to outlive that
};

/// Run this on your table.
struct run_statement {
  reply_route route;
  std::uint64_t pubsubid = 0;
  std::string sql;
};

/// What the stores say about your writes.
struct writes_done {
  std::vector<storage::durable::write_result> results;
};

/// The reply to run_statement, ready to be sent; empty when there is none to send.
struct statement_done {
  reply_route route;
  std::uint64_t count = 1;  ///< so many slots from the route's on; more than one only when there is nothing to send
  std::string bytes;
  std::uint64_t subscriptions_ended = 0;  ///< ended by it, or counted for it and not made
};

/// Send this to those of your sessions.
struct deliver_event {
  std::shared_ptr<const encoded_event> event;
  std::vector<storage::event_target> targets;
};

/// This session is gone.
struct drop_subscriber {
  storage::subscriber_id session{};
};

/// A table in numbers, for `show tables` and `status`.
struct table_numbers {
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::uint64_t subscriptions = 0;
};

/// Tell me about your tables.
struct list_tables {
  unsigned asker = 0;           ///< a worker
  std::uint64_t gathering = 0;  ///< its number for the question
};

/// The reply to list_tables.
struct tables_listed {
  std::uint64_t gathering = 0;
  std::vector<table_numbers> tables;
};

class table_runner;

/// Do this on your thread.
struct table_work {
  std::function<void(table_runner&)> work;
};

using worker_message = std::variant<run_statement, statement_done, deliver_event, drop_subscriber, list_tables,
                                    tables_listed, writes_done, table_work>;

}  // namespace pubsubsql::server
