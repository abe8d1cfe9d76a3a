#include "server/router.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <malloc.h>

#include "server/limit_listing.hpp"
#include "server/log_text.hpp"
#include "server/mysql_service.hpp"
#include "server/prepared_execution.hpp"
#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/subscription_names.hpp"
#include "server/worker.hpp"
#include "storage/errors.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

namespace {

/// The allocator keeps the small blocks that were freed: index nodes, mostly. It is asked to give their pages back to
/// the system after so many rows have gone, or half as many as there are: that takes time in proportion to the memory.
constexpr std::uint64_t erased_rows_per_trim = 10'000;

/// Statements that create a table that is missing, or do not mind.
bool may_create(const parser::statement_body& body) {
  if (const auto* drop = std::get_if<parser::drop_table_statement>(&body)) return drop->if_exists;
  return parser::is_any<parser::insert_statement, parser::push_statement, parser::key_statement, parser::tag_statement,
                        parser::subscribe_statement, parser::create_table_statement, parser::publish_statement,
                        parser::bind_statement, parser::create_queue_statement>(body);
}

/// The statements that there are most of: no part of the server but a table has anything to do with them.
bool is_about_rows(const parser::statement_body& body) {
  return parser::is_any<parser::insert_statement, parser::select_statement, parser::update_statement,
                        parser::delete_statement, parser::publish_statement>(body);
}

/// Statements that are about a queue and nothing else.
bool wants_queue(const parser::statement_body& body) {
  const auto* const drop = std::get_if<parser::drop_table_statement>(&body);
  return (drop != nullptr && drop->is_queue) || parser::is_any<parser::lease_statement, parser::ack_statement,
                                                               parser::nack_statement, parser::renew_statement>(body);
}

/// Statements that bring rows into their table.
bool brings_rows(const parser::statement_body& body) {
  return parser::is_any<parser::insert_statement, parser::push_statement, parser::publish_statement>(body);
}

bool is_mysql(const parser::statement_body& body) {
  return parser::is_any<parser::mysql_connect_statement, parser::mysql_disconnect_statement,
                        parser::mysql_status_statement, parser::mysql_tables_statement,
                        parser::mysql_subscribe_statement, parser::mysql_unsubscribe_statement,
                        parser::mysql_check_statement, parser::mysql_repair_statement>(body);
}

bool is_about_transactions(const parser::statement_body& body) {
  return parser::is_any<parser::begin_statement, parser::commit_statement, parser::rollback_statement>(body);
}

/// Statements that a transaction has no part in, so that they are run as ever.
bool passes_transactions(const parser::statement_body& body) {
  return parser::is_any<parser::status_statement, parser::show_tables_statement, parser::show_statement,
                        parser::close_statement, parser::stop_statement, parser::mysql_status_statement,
                        parser::mysql_tables_statement>(body);
}

/// Statements that can be taken back, or change nothing that others see.
bool may_be_in_transaction(const parser::statement_body& body) {
  return parser::is_any<parser::insert_statement, parser::select_statement, parser::update_statement,
                        parser::delete_statement, parser::push_statement, parser::pop_statement, parser::peek_statement,
                        parser::publish_statement, parser::describe_statement, parser::unsubscribe_statement,
                        parser::explain_statement, parser::lease_statement, parser::ack_statement,
                        parser::nack_statement, parser::renew_statement, parser::acknowledge_statement>(body);
}

bool is_show(const parser::statement_body& body, parser::server_listing what) {
  const auto* show = std::get_if<parser::show_statement>(&body);
  return show != nullptr && show->what == what;
}

bool makes_subscription(const parser::statement_body& body) {
  return parser::is_any<parser::subscribe_statement>(body);
}

}  // namespace

router::router(worker& w)
    : worker_(w),
      tables_(w),
      transactions_(w, tables_),
      gate_(w),
      listing_(w),
      metrics_(w),
      statements_(w.shared().settings.statement_parts_max) {}

void router::refuse(const client_request& a, std::string_view message) {
  a.from.reply([&](std::string& out) { encode_error(out, a.to, message); });
}

void router::run(session& from, const parser::request& r, request_origin how) {
  client_request a{
      .from = from, .to = {.mode = from.mode(), .request_id = r.id, .is_whole = from.is_momentary()}, .sql = r.text};
  const parser::statement* const parsed = statements_.parse(r.text);
  if (parsed == nullptr) return refuse_unread(a, how);
  if (const auto text = with_table_of_subscription(*parsed, worker_.shared().tables)) {
    return run(from, {.id = r.id, .text = *text}, how);
  }
  if (how == request_origin::prepared) {
    worker_.watch().stands_for(verb_of(*parsed));
  } else {
    worker_.watch().recognised(verb_of(*parsed), r.text);
  }
  a.to.stream = parsed->stream && !from.is_momentary();
  if (worker_.shared().access != nullptr && !gate_.admits(a, *parsed)) return;
  if (worker_.shared().bindings.version() != bindings_version_) forget_bindings();
  if (!is_about_rows(parsed->body)) return run_other(a, *parsed);
  if (from.transaction != transaction_id{} && run_in_transaction(a, *parsed)) return;
  run_on_table(a, *parsed);
}

void router::refuse_unread(const client_request& a, request_origin how) {
  worker_.watch().recognised(unreadable_verb, a.sql);
  parser::syntax_error e = statements_.error();
  if (how == request_origin::json) e.is_inner = false;
  if (!e.limit.empty()) worker_.shared().counters.refused(e.limit);
  gate_.refuse_unread(a, e);
}

/// One that is not only about rows.
void router::run_other(const client_request& a, const parser::statement& s) {
  const parser::statement_body& body = s.body;
  session& from = a.from;
  if (parser::is_any<parser::drop_subscription_statement>(body) && parser::table_of(s).empty()) {
    return refuse(a, unknown_name(s, worker_.shared().tables));
  }
  if (const auto* prepared = std::get_if<parser::execute_statement>(&body)) return execute(a, *prepared);
  if (answer_preparation(a, body, worker_.shared())) return;
  if ((from.transaction != transaction_id{} || is_about_transactions(body)) && run_in_transaction(a, s)) return;
  if (access_gate::answers(body)) return gate_.run(a, s);
  if (is_mysql(body)) return run_mysql(a, body);
  if (parser::is_any<parser::close_statement>(body)) return from.finish("client said close");
  if (parser::is_any<parser::stop_statement>(body)) return worker_.shared().request_stop();
  if (parser::is_any<parser::status_statement>(body)) return show_status(a);
  if (parser::is_any<parser::show_tables_statement>(body)) return show_tables(a, false);
  if (is_show(body, parser::server_listing::queues)) return show_tables(a, true);
  if (is_show(body, parser::server_listing::subscriptions)) return listing_.show(a);
  if (is_show(body, parser::server_listing::bindings)) return show_bindings(a);
  if (is_show(body, parser::server_listing::limits)) {
    return from.reply([&](std::string& out) { encode_limits(out, a.to, worker_.shared()); });
  }
  run_on_table(a, s);
}

/// Runs what was prepared as a statement of its own, with its values in it.
void router::execute(const client_request& a, const parser::execute_statement& s) {
  const std::optional<std::string> text = prepared_text(a, s, worker_.shared());
  if (text) run(a.from, {.id = a.to.request_id, .text = *text}, request_origin::prepared);
}

/// Whether there is nothing more to be done for it.
bool router::run_in_transaction(const client_request& a, const parser::statement& s) {
  if (passes_transactions(s.body)) return false;
  if (parser::is_any<parser::rollback_statement>(s.body)) {
    transactions_.roll_back(a);
  } else if (transactions_.tell_ended(a)) {
    return true;
  } else if (parser::is_any<parser::begin_statement>(s.body)) {
    transactions_.begin(a);
  } else if (parser::is_any<parser::commit_statement>(s.body)) {
    transactions_.commit(a);
  } else if (!may_be_in_transaction(s.body)) {
    refuse(a, "this cannot be done in a transaction; commit or roll back first");
  } else if (is_about_several_tables(s)) {
    run_over_several(a, s);
  } else if (const std::string_view table = parser::table_of(s); table.empty()) {
    return false;  // a select without from
  } else if (const auto owner = find_owner(a, s, table)) {
    const auto* const lease = std::get_if<parser::lease_statement>(&s.body);
    if (lease != nullptr && lease->wait) {
      refuse(a, "a transaction does not wait for rows; leave out `wait`, or pop before it begins");
      return true;
    }
    if (lease != nullptr && !note_lease(a, *owner)) return true;
    transactions_.run(a, s, {{.name = std::string(table), .worker = *owner}});
  }
  return true;
}

void router::run_mysql(const client_request& a, const parser::statement_body& body) {
  mysql_service* const mysql = worker_.shared().mysql;
  if (parser::is_any<parser::mysql_status_statement>(body)) {
    return a.from.reply([&](std::string& out) { mysql->encode_status(out, a.to); });
  }
  if (parser::is_any<parser::mysql_subscribe_statement, parser::mysql_unsubscribe_statement>(body)) {
    return refuse(a, "changes that others make in MySQL are not followed; mysql repair T from mysql takes them over");
  }
  const auto later = [&] {
    return reply_route{.session = a.from.id(), .slot = a.from.await_reply_alone(), .address = a.to};
  };
  if (parser::is_any<parser::mysql_tables_statement>(body)) return mysql->list_tables(later());
  const auto send = [this](unsigned owner, table_work work) {
    if (owner == worker_.index()) return work.work(tables_);
    worker_.send(owner, std::move(work));
  };
  if (const auto* check = std::get_if<parser::mysql_check_statement>(&body)) {
    return mysql->check(later(), std::string(check->table), send);
  }
  if (const auto* repair = std::get_if<parser::mysql_repair_statement>(&body)) {
    return mysql->repair(later(), std::string(repair->table), repair->from_mysql, send);
  }
  if (const auto* connect = std::get_if<parser::mysql_connect_statement>(&body)) {
    return mysql->connect(later(), std::string(connect->address));
  }
  mysql->disconnect(later());
}

router::known_owner& router::known_form_of(const parser::statement& s) {
  return owner_by_form_[s.form % owner_by_form_.size()];
}

/// What was known of forms may be otherwise now.
void router::forget_bindings() {
  bindings_version_ = worker_.shared().bindings.version();
  owner_by_form_.fill({});
}

/// Whether the rows that a statement brings may be copied to other tables.
bool router::is_copied(const parser::statement& s) {
  return bindings_version_ != 0 && brings_rows(s.body) && worker_.bindings().is_source(parser::table_of(s));
}

/// Leaves their names in tables_named_, unless it is known that there is one: those that it names, one perhaps, whose
/// rows go on to others.
bool router::is_about_several_tables(const parser::statement& s) {
  known_owner& known = known_form_of(s);
  const bool is_known = s.form != 0 && known.form == s.form;
  if (is_known && !known.several) return false;
  tables_named_.clear();
  parser::tables_of(s, tables_named_);
  const bool several =
      tables_named_.size() > 1 || (tables_named_.size() == 1 && parser::table_of(s).empty()) || is_copied(s);
  if (several && s.form != 0) known = {.form = s.form, .several = true};
  return several;
}

std::optional<unsigned> router::owner_of(std::string_view table, bool create) {
  if (const auto it = owners_.find(table); it != owners_.end()) return it->second;
  table_directory& directory = worker_.shared().tables;
  const auto owner = create ? directory.find_or_place(table, worker_.index()) : directory.find(table);
  if (owner) owners_.emplace(table, *owner);
  return owner;
}

/// The worker of one of the statement's tables; nothing when there is none, and the client has been told.
std::optional<unsigned> router::find_owner(const client_request& a, const parser::statement& s,
                                           std::string_view table) {
  const bool create =
      may_create(s.body) && (table == parser::table_of(s) || parser::is_any<parser::bind_statement>(s.body));
  const auto owner = owner_of(table, create);
  if (!owner && parser::is_any<parser::ack_statement>(s.body)) {
    refuse(a, unknown_name(s, worker_.shared().tables));
  } else if (!owner && !create) {
    const bool is_queue = wants_queue(s.body) && table == parser::table_of(s);
    const bool is_subscription = worker_.shared().tables.table_of_subscription(table).has_value();
    const storage::error unknown = is_subscription ? storage::subscription_not_table(table)
                                   : is_queue      ? storage::unknown_queue(table)
                                                   : storage::unknown_table(table);
    a.from.reply([&](std::string& out) { encode_error(out, a.to, unknown); });
  } else if (!owner) {
    refuse(a, why_no_new(table));
  }
  return owner;
}

/// REQUIRES: there is no such table, and owner_of() could not place it.
std::string router::why_no_new(std::string_view table) {
  shared_state& shared = worker_.shared();
  if (shared.tables.table_of_subscription(table)) {
    return log_text(table) + " is a subscription; choose another name for the table";
  }
  shared.counters.refused("max-tables");
  return "there are too many tables; use fewer, or raise --max-tables";
}

void router::run_over_several(const client_request& a, const parser::statement& s) {
  if (makes_subscription(s.body)) {
    return refuse(a, "a subscription sees one table; leave out what it selects from others");
  }
  std::vector<transactions::placed_table> tables;
  for (const std::string_view table : tables_named_) {
    const auto owner = find_owner(a, s, table);
    if (!owner) return;
    tables.push_back({.name = std::string(table), .worker = *owner});
  }
  transactions_.run(a, s, std::move(tables));
}

void router::run_on_table(const client_request& a, const parser::statement& s) {
  known_owner& known = known_form_of(s);
  if (s.form == 0 || known.form != s.form || known.several) {
    if (is_about_several_tables(s)) return run_over_several(a, s);
    const std::string_view table = parser::table_of(s);
    if (table.empty()) return run_here(a, s, 0);  // a select without from
    const auto owner = find_owner(a, s, table);
    if (!owner) return;
    if (s.form != 0) known = {.form = s.form, .several = false, .worker = *owner};
    return run_on_worker(a, s, *owner);
  }
  run_on_worker(a, s, known.worker);
}

void router::run_on_worker(const client_request& a, const parser::statement& s, unsigned owner) {
  std::uint64_t pubsubid = 0;
  if (makes_subscription(s.body)) {
    if (a.from.is_momentary()) {
      return refuse(a, "the answer to a request ends before there are events; subscribe over /ws or /events");
    }
    shared_state& shared = worker_.shared();
    if (shared.subscriptions.load(std::memory_order_relaxed) >= shared.settings.total_subscriptions_max) {
      shared.counters.refused("max-total-subscriptions");
      return refuse(a, "the server has too many subscriptions; unsubscribe some, or raise --max-total-subscriptions");
    }
    if (!a.from.may_subscribe()) {
      shared.counters.refused("max-subscriptions");
      return refuse(a, "this connection has too many subscriptions; unsubscribe some, or raise --max-subscriptions");
    }
    a.from.subscribed(owner);
    static const std::size_t place = place_of_limit("max-total-subscriptions");
    shared.counters.in_use(place, shared.subscriptions.load(std::memory_order_relaxed));
    pubsubid = worker_.shared().next_pubsubid.fetch_add(1, std::memory_order_relaxed);
    bear_subscription(a, s, pubsubid, owner);
  }
  if (const auto* const lease = std::get_if<parser::lease_statement>(&s.body)) {
    if (!note_lease(a, owner)) return;
  }
  if (owner == worker_.index()) {
    run_here(a, s, pubsubid);
  } else {
    send_to(owner, a, pubsubid);
  }
}

/// Leases end with their connection: it remembers where it may have some. False: it may have none, and is told so.
bool router::note_lease(const client_request& a, unsigned owner) {
  if (a.from.is_momentary()) {
    refuse(a, "a lease ends with its connection, and that of a request with its answer; pop over /ws or the SQL port");
    return false;
  }
  a.from.leases_at(owner);
  return true;
}

/// Tells the session whether the subscription tells positions, and what becomes of it when it is slow, unless it ends
/// then.
void router::bear_subscription(const client_request& a, const parser::statement& s, std::uint64_t pubsubid,
                               unsigned owner) {
  const auto& body = std::get<parser::subscribe_statement>(s.body);
  if (body.tells_positions()) a.from.tell_positions(pubsubid);
  const parser::slow_policy policy = body.on_slow.value_or(worker_.shared().settings.on_slow);
  if (policy == parser::slow_policy::disconnect) return;
  a.from.bear(pubsubid,
              {.policy = policy, .skip = body.skip, .tells_positions = body.tells_positions(), .owner = owner});
}

void router::run_here(const client_request& a, const parser::statement& s, std::uint64_t pubsubid) {
  tables_.run({.route = {.session = a.from.id(), .slot = 0, .address = a.to},
               .pubsubid = pubsubid,
               .stream = s.stream,
               .text = a.sql,
               .sql = {},
               .user = a.from.identity.user,
               .leases = parser::is_any<parser::lease_statement>(s.body)},
              s);
}

void router::send_to(unsigned owner, const client_request& a, std::uint64_t pubsubid) {
  // The other worker parses it again: the tree at hand points into memory that stays here.
  const reply_route route{.session = a.from.id(), .slot = a.from.await_reply(pubsubid), .address = a.to};
  ++worker_.counters().forwarded;
  worker_.send(
      owner,
      run_statement{.route = route, .pubsubid = pubsubid, .sql = std::string(a.sql), .user = a.from.identity.user});
}

bool router::wants_trim() const {
  const storage::database& tables = tables_.tables();
  const std::uint64_t erased = tables.erased_rows() - erased_at_trim_;
  const std::uint64_t live = tables.inserted_rows() - tables.erased_rows();
  return erased >= std::max(erased_rows_per_trim, live / 2);
}

void router::forget_old_changes() {
  tables_.tables().forget_old_changes(worker_.now_us());
  worker_.end_turn_later();
}

bool router::maintain() {
  if (tables_.tables().maintain()) return true;
  if (wants_trim()) trim();
  return false;
}

void router::trim() {
  erased_at_trim_ = tables_.tables().erased_rows();
  malloc_trim(0);
}

void router::relieve_memory() {
  if (tables_.tables().erased_rows() != erased_at_trim_) trim();
}

// Messages of other workers

void router::on(run_statement& m) {
  const parser::statement& s = *statements_.parse(m.sql);
  statement_source from{.route = m.route,
                        .pubsubid = m.pubsubid,
                        .stream = s.stream,
                        .text = m.sql,
                        .sql = {},
                        .user = std::move(m.user),
                        .leases = parser::is_any<parser::lease_statement>(s.body)};
  // A longer text stays where it is when its string moves, so that the tree and the view still point to it.
  if (m.sql.size() > sizeof m.sql) from.sql = std::move(m.sql);
  tables_.run(std::move(from), s);
}

void router::on(table_work& m) {
  m.work(tables_);
}

void router::on(writes_done& m) {
  std::erase_if(m.results, [this](storage::durable::write_result& r) {
    const bool is_ours = transactions::is_of_transaction(r.origin);
    if (is_ours) transactions_.on(r);
    return is_ours;
  });
  tables_.on(m.results);
}

void router::on(statement_done& m) {
  session* to = worker_.find(m.route.session);
  if (to == nullptr) return;
  to->unsubscribed(m.subscriptions_ended);
  if (m.count == 1) return to->complete(m.route.slot, std::move(m.bytes));
  for (std::uint64_t i = 0; i < m.count; ++i) to->complete(m.route.slot + i, {});
}

void router::on(deliver_event& m) {
  for (const auto& [to, pubsubid] : m.targets) {
    if (session* s = worker_.find(to)) s->deliver(*m.event, pubsubid);
  }
  m = {};  // the messages behind it may be many: their events go one by one
}

void router::on(const events_left_out& m) {
  for (const lost_events& l : m.lost) {
    if (session* s = worker_.find(l.target.subscriber)) s->miss(l);
  }
}

void router::on(const rights_changed&) {
  worker_.recheck_rights();
  tables_.queues().rights_changed();
}

void router::show_again(unsigned owner, const wanted_rows& m) {
  if (owner == worker_.index()) return tables_.show_again(m);
  worker_.send(owner, m);
}

void router::on(const first_rows& m) {
  if (session* s = worker_.find(m.session)) s->go_on(m.pubsubid, m.bytes, m.position);
}

void router::on(const subscription_over& m) {
  if (session* s = worker_.find(m.session)) s->end_subscription(m.pubsubid, m.dropped);
}

void router::on(const subscription_too_costly& m) {
  if (session* s = worker_.find(m.what.target.subscriber)) s->end_as_costly(m.what);
}

void router::on(const backlog_is_over&) {
  worker_.end_turn_later();
}

void router::on(const drop_subscriber& m) {
  tables_.drop_subscriber(m.session);
}

void router::session_ended(storage::subscriber_id session, const std::vector<unsigned>& subscribed_workers) {
  for (const unsigned owner : subscribed_workers) {
    if (owner == worker_.index()) {
      tables_.drop_subscriber(session);
    } else {
      worker_.send(owner, drop_subscriber{.session = session});
    }
  }
}

void router::stop_waiting(storage::subscriber_id session, const std::vector<unsigned>& workers) {
  for (const unsigned owner : workers) {
    if (owner == worker_.index()) {
      tables_.stop_waiting(session);
    } else {
      worker_.send(owner, ::pubsubsql::server::stop_waiting{.session = session});
    }
  }
}

bool router::move_dead(const storage::table& queue, storage::row_position from, std::size_t count) {
  const std::string& to = queue.queue()->settings().dead_letter;
  const auto owner = owner_of(to, true);
  if (!owner) {
    tables_.queues().cannot_move_dead(queue.name(), why_no_new(to));
    return false;
  }
  return transactions_.move_dead(queue, from, count, *owner);
}

}  // namespace pubsubsql::server
