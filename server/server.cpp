#include "server/server.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "server/access_control.hpp"
#include "server/bind_rule.hpp"

namespace pubsubsql::server {

namespace {

using boost::system::error_code;

/// Connections over the limit that are told so at a time; any more are closed without a word.
constexpr std::size_t turned_away_max = 100;

/// How often the process's memory is looked at: what comes in meanwhile has to fit beside the limit.
constexpr std::chrono::milliseconds memory_interval{50};
/// While there is too much, memory is given back once a second: that takes time in proportion to it.
constexpr unsigned looks_per_relief = 20;

unsigned worker_count(const options& o) {
  return o.threads > 0 ? o.threads : std::clamp(std::thread::hardware_concurrency(), 1U, 255U);
}

/// Silence for so long, and then several questions without an answer, end a connection whose client is gone without a
/// word.
void keep_alive(boost::asio::ip::tcp::socket& socket, std::uint32_t seconds) {
  if (seconds == 0) return;
  const int silence = static_cast<int>(seconds);
  const int between = std::max(silence / 6, 1);
  const int questions = 6;
  error_code ignored;
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_KEEPIDLE, &silence, sizeof silence);
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between);
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_KEEPCNT, &questions, sizeof questions);
}

}  // namespace

server::server(const options& o, storage::durable::store_switch& store)
    : options_(o),
      shared_(o, store, worker_count(o)),
      sql_(context_, {.choose = [this]() -> worker& { return next_worker(); },
                      .take =
                          [this](worker& w, tcp::socket socket) {
                            if (auto c = on_accepted(socket)) w.adopt(std::move(socket), std::move(*c));
                          }}),
      http_(context_, {.choose = [this]() -> worker& { return next_worker(); },
                       .take =
                           [this](worker& w, tcp::socket socket) {
                             if (auto c = on_accepted(socket)) w.adopt_http(std::move(socket), std::move(*c));
                           }}),
      signals_(context_, SIGINT, SIGTERM),
      reload_signal_(context_, SIGHUP),
      grace_timer_(context_),
      memory_timer_(context_) {
  shared_.request_stop = [this] { stop(); };
  shared_.connection_ended = [this] {
    boost::asio::post(context_, [this] {
      --open_;
      stop_workers_when_done();
    });
  };
  shared_.workers.resize(worker_count(o));
  for (unsigned i = 0; i < shared_.workers.size(); ++i) {
    workers_.push_back(std::make_unique<worker>(i, shared_));
    shared_.workers[i] = workers_.back().get();
  }
}

server::~server() = default;

std::optional<std::string> server::placing_loader::on_table(const storage::table_description& d) {
  const auto owner = shared_.tables.find_or_place(d.name, 0);
  if (!owner) return "there are too many tables; raise --max-tables";
  table_ = &shared_.workers[*owner]->statements().database().restore(d);
  return std::nullopt;
}

std::optional<std::string> server::placing_loader::on_row(storage::row_position position,
                                                          std::span<const storage::value> values) {
  return table_->load(position, values);
}

void server::begin_numbers_after(std::uint64_t number) {
  for (worker* w : shared_.workers) w->statements().database().begin_numbers_after(number);
}

void server::forget(std::string_view table) {
  const auto owner = shared_.tables.find(table);
  if (owner && find(table) != nullptr) shared_.workers[*owner]->statements().database().forget(table);
}

const storage::table* server::find(std::string_view table) const {
  const auto owner = shared_.tables.find(table);
  return owner ? shared_.workers[*owner]->statements().database().find(table) : nullptr;
}

std::vector<const storage::table*> server::tables_with_history() const {
  std::vector<const storage::table*> all;
  for (const auto& w : workers_) {
    const storage::database& tables = w->statements().database();
    for (const storage::table_summary& summary : tables.tables()) {
      const storage::table* const t = tables.find(summary.name);
      if (t->history() != nullptr && t->is_stored() && !t->name().starts_with(storage::own_tables)) all.push_back(t);
    }
  }
  return all;
}

void server::deliver(unsigned worker, std::vector<storage::durable::write_result>& results) {
  std::vector<worker_message> messages;
  messages.emplace_back(writes_done{.results = std::move(results)});
  shared_.workers[worker]->receive(messages);
}

void server::correct(std::shared_ptr<const storage::durable::statement_changes> written,
                     const storage::corrected_rows& stored) {
  const auto owner = shared_.tables.find(written->table_name());
  if (!owner) return;
  std::vector<worker_message> messages;
  messages.emplace_back(table_work{
      .work = [written = std::move(written), stored](table_runner& runner) { runner.correct_late(written, stored); }});
  shared_.workers[*owner]->receive(messages);
}

std::optional<std::string> server::listen() {
  error_code error;
  const auto address = boost::asio::ip::make_address(options_.bind, error);
  if (error) return "--bind " + options_.bind + " is not an IP address; use one of this machine, such as 127.0.0.1";
  if (auto problem = bind_problem(address, options_)) return problem;
  if (const auto warning = bind_warning(address, options_)) spdlog::warn("{}", *warning);
  if (const auto problem = sql_.listen({address, options_.port})) {
    return *problem + "; choose another with --bind and --port, or stop what uses it";
  }
  return options_.http_port > 0 ? listen_for_http(address) : std::nullopt;
}

std::optional<std::string> server::listen_for_http(const boost::asio::ip::address& address) {
  const auto problem = http_.listen({address, options_.http_port});
  if (!problem) return std::nullopt;
  if (options_.http_port_is_given) return *problem + "; choose another with --http-port, or stop what uses it";
  spdlog::warn("{}; going on without HTTP; choose another port with --http-port, or none with --http-port 0", *problem);
  return std::nullopt;
}

void server::run() {
  signals_.async_wait([this](const error_code& error, int signal) {
    if (!error) begin_stop(signal == SIGINT ? "SIGINT" : "SIGTERM");
  });
  await_reload();
  sql_.accept();
  if (http_port() > 0) http_.accept();
  if (shared_.memory.has_limit()) watch_memory();
  begin_bindings();
  shared_.phase = server_phase::serving;
  threads_.reserve(workers_.size());
  for (const auto& w : workers_) threads_.emplace_back([&w] { w->run(); });
  context_.run();
  for (std::thread& t : threads_) t.join();
}

/// Workers do not run yet. What is bound to a table may have gone: when the server ended just after it was dropped, or
/// because it is not kept.
void server::begin_bindings() {
  for (const auto& w : workers_) {
    table_runner& tables = w->statements().runner();
    for (const storage::table_summary& t : tables.tables().tables()) {
      tables.note_subscriptions(t.name);
      const storage::table_bindings* const all = tables.tables().find(t.name)->bindings();
      if (all == nullptr) continue;
      tables.note_bindings(t.name);
      for (const storage::binding& b : all->all()) {
        if (find(b.what.queue) != nullptr) continue;
        std::vector<worker_message> messages;
        messages.emplace_back(table_work{.work = [table = std::string(t.name), queue = b.what.queue](table_runner& r) {
          r.unbind_dropped(table, queue, 0);
        }});
        w->receive(messages);
      }
    }
  }
}

void server::stop() {
  boost::asio::post(context_, [this] { begin_stop("stop"); });
}

// Reloading

void server::await_reload() {
  reload_signal_.async_wait([this](const error_code& error, int) {
    if (error) return;
    reload();
    await_reload();
  });
}

void server::reload() {
  if (shared_.access == nullptr && !options_.tls.enabled()) {
    return spdlog::info("SIGHUP: there is nothing to read again");
  }
  if (shared_.access != nullptr) shared_.access->reload();
  if (const auto problem = shared_.tls.load()) {
    spdlog::error("SIGHUP: {}; the certificate that was in use stays", *problem);
  }
}

// Accepting

worker& server::next_worker() {
  next_worker_ = (next_worker_ + 1) % workers_.size();
  return *workers_[next_worker_];
}

std::optional<counted_connection> server::on_accepted(tcp::socket& socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (!error) socket.set_option(tcp::no_delay(true), error);
  if (!error) socket.non_blocking(true, error);
  if (error) return std::nullopt;  // gone already
  std::string address = text_of(peer);
  const admission admitted = admit(address);
  const std::size_t turned_away = open_ - std::min(open_, shared_.connections.load(std::memory_order_relaxed));
  if (admitted != admission::served && turned_away >= turned_away_max) return std::nullopt;
  keep_alive(socket, options_.tcp_keepalive_seconds);
  ++open_;
  return counted_connection(shared_, std::move(address), admitted);
}

admission server::admit(std::string_view address) {
  static const std::size_t place = place_of_limit("max-connections");
  const std::size_t connections = shared_.connections.load(std::memory_order_relaxed);
  if (connections >= options_.connections_max) {
    shared_.counters.refused("max-connections");
    return admission::too_many;
  }
  if (!shared_.origins.add(address, options_.connections_per_address_max)) {
    shared_.counters.refused("max-connections-per-address");
    return admission::too_many_from_address;
  }
  shared_.connections.fetch_add(1, std::memory_order_relaxed);
  shared_.counters.in_use(place, connections + 1);
  return admission::served;
}

void server::watch_memory() {
  shared_.memory.look(resident_bytes());
  if (shared_.memory.exceeded() == 0) {
    looks_beyond_limit_ = 0;
  } else if (looks_beyond_limit_++ % looks_per_relief == 0) {
    for (const auto& w : workers_) boost::asio::post(w->context(), [&w = *w] { w.relieve_memory(); });
  }
  memory_timer_.expires_after(memory_interval);
  memory_timer_.async_wait([this](const error_code& cancelled) {
    if (!cancelled && !stopping_) watch_memory();
  });
}

// Stopping

void server::begin_stop(std::string_view why) {
  if (std::exchange(stopping_, true)) return;
  spdlog::info("stopping: {}", why);
  shared_.phase = server_phase::stopping;
  sql_.close();
  http_.close();
  error_code ignored;
  signals_.cancel(ignored);
  reload_signal_.cancel(ignored);
  memory_timer_.cancel();
  for (const auto& w : workers_) w->finish_sessions();
  grace_timer_.expires_after(std::chrono::milliseconds(options_.stop_grace_ms));
  grace_timer_.async_wait([this](const error_code& cancelled) {
    if (cancelled) return;
    spdlog::warn("{} clients did not take what was due to them within {} ms", open_, options_.stop_grace_ms);
    stop_workers();
  });
  stop_workers_when_done();
}

void server::stop_workers_when_done() {
  if (!stopping_ || open_ > 0) return;
  if (grace_timer_.cancel() > 0) stop_workers();
}

void server::stop_workers() {
  for (const auto& w : workers_) w->stop();
}

}  // namespace pubsubsql::server
