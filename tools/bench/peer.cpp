#include "tools/bench/peer.hpp"

#include <charconv>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "tools/bench/load_generator.hpp"
#include "tools/bench/process_usage.hpp"

namespace bench {

namespace {

constexpr unsigned filling_connections = 4;
constexpr unsigned filling_depth = 100;

/// Takes the text in front of the separator off; all if there is none.
std::string_view take_until(std::string_view& text, char separator) {
  const std::string_view taken = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(taken.size() + 1, text.size()));
  return taken;
}

std::uint16_t port_of(std::string_view digits, const std::string& text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
    throw std::invalid_argument("'" + text + "' has no port; write for instance redis:6379");
  }
  return port;
}

}  // namespace

peer_address peer_address::parse(const std::string& text) {
  std::string_view rest = text;
  peer_address a;
  a.kind = take_until(rest, ':');
  a.port = port_of(take_until(rest, '/'), text);
  const std::string_view database = take_until(rest, ',');
  a.database = database.empty() ? "postgres" : database;
  a.user = rest.empty() ? "postgres" : rest;
  return a;
}

peer peer::pubsubsql(const std::string& binary, unsigned threads) {
  peer made("PubSubSQL", make_framed_dialect());
  made.start_ = [binary, threads] {
    const std::vector<std::string> flags = {"--threads", std::to_string(threads)};
    return std::make_unique<server_process>(binary, flags);
  };
  return made;
}

peer peer::named(const std::string& text) {
  if (text == "null") {
    peer made("null server", make_framed_dialect());
    made.start_ = server_process::start_null;
    made.keeps_rows_ = false;
    return made;
  }
  const peer_address a = peer_address::parse(text);
  if (a.kind == "redis") {
    peer made("Redis", make_redis_dialect());
    made.port_ = a.port;
    return made;
  }
  if (a.kind == "postgresql") {
    peer made("PostgreSQL", make_postgresql_dialect(a.database, a.user));
    made.port_ = a.port;
    return made;
  }
  throw std::invalid_argument("'" + text + "' is no peer; write null, redis:PORT or postgresql:PORT/DATABASE,USER");
}

void peer::fill(std::uint64_t rows, std::optional<unsigned> processor) {
  if (filled_) return;
  if (start_) {
    server_ = nullptr;
    server_ = start_();
    port_ = server_->port();
    process_ = server_->process();
  } else if (!process_) {
    process_ = process_listening_on(port_);
  }
  // Before anything connects: what the server starts for a connection inherits it.
  if (processor && process_) bind_to_processor(*process_, *processor);

  if (keeps_rows_) insert_rows(rows);
  filled_ = true;
}

void peer::insert_rows(std::uint64_t rows) {
  dialogue opening(*speech_, port_);
  for (const exchange& e : speech_->make_table()) opening.ask(e);
  request_source inserts(*speech_, {operation::insert}, 0);
  load_generator(*speech_, port_, filling_connections, filling_depth, inserts).run(rows);
  opening.ask(speech_->preparation());
  expect_row(opening, rows - 1);
}

void peer::expect_row(dialogue& d, std::uint64_t row) const {
  const request_template select = speech_->request(operation::select);
  exchange e{std::string(select.size(), ' '), speech_->replies_to(operation::select)};
  select.write(e.bytes.data(), row, 1);
  if (d.ask(e).find(make_stock(row).sector) != std::string::npos) return;
  throw std::runtime_error(name_ + " does not have the rows that were inserted");
}

}  // namespace bench
