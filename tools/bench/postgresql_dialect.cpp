#include <cstdint>
#include <stdexcept>
#include <utility>

#include "tools/bench/dialect.hpp"
#include "tools/bench/postgresql_messages.hpp"

namespace bench {

namespace {

using namespace postgresql;

const std::string table = "bench_stocks";

/// The extended protocol. Each request ends in a Sync, so a reply ends where the server is ready for the next.
class postgresql_dialect : public dialect {
 public:
  postgresql_dialect(std::string database, std::string user) : database_(std::move(database)), user_(std::move(user)) {}

  [[nodiscard]] exchange greeting() const override {
    constexpr std::uint32_t protocol = 3U << 16U;
    std::string body;
    append_number(body, protocol, 4);
    body += zero_ended("user") + zero_ended(user_) + zero_ended("database") + zero_ended(database_) + '\0';
    std::string out;
    append_number(out, static_cast<std::uint32_t>(length_bytes + body.size()), length_bytes);
    return {out + body, 1};
  }

  [[nodiscard]] std::vector<exchange> make_table() const override {
    return {{query("DROP TABLE IF EXISTS " + table), 1},
            {query("CREATE UNLOGGED TABLE " + table +
                   " (ticker text PRIMARY KEY, sector text, bid text, ask text, time text)"),
             1},
            {query("CREATE INDEX ON " + table + " (sector)"), 1}};
  }

  [[nodiscard]] exchange preparation() const override {
    return {query("SET synchronous_commit = off") +
                parse("update", "UPDATE " + table + " SET bid = $1, ask = $2, time = $3 WHERE ticker = $4") +
                parse("select", "SELECT * FROM " + table + " WHERE ticker = $1") +
                parse("insert", "INSERT INTO " + table + " VALUES ($1, $2, $3, $4, $5)") +
                parse("publish", "SELECT pg_notify('" + table + "', $1::text || ' ' || $2 || ' ' || $3 || ' ' || $4)") +
                sync(),
            2};
  }

  [[nodiscard]] request_template request(operation o) const override {
    const stock_row r = request_template::row();
    switch (o) {
      case operation::update:
        return request_template(run("update", {r.bid, r.ask, r.time, r.ticker}));
      case operation::select:
        return request_template(run("select", {r.ticker}));
      case operation::publish:
        return request_template(run("publish", {r.ticker, r.bid, r.ask, r.time}));
      case operation::insert:
        break;
    }
    return request_template(run("insert", {r.ticker, r.sector, r.bid, r.ask, r.time}));
  }

  [[nodiscard]] taken_replies take_replies(std::string_view bytes) const override {
    taken_replies taken;
    std::string_view rest = bytes;
    while (const auto m = take_message(rest)) {
      if (m->type == 'R' && m->body.find_first_not_of('\0') != std::string_view::npos) {
        throw std::runtime_error("PostgreSQL asks " + user_ + " for a password; let that user in without one");
      }
      if (m->type != 'Z') continue;
      taken.bytes = bytes.size() - rest.size();
      ++taken.replies;
    }
    return taken;
  }

 private:
  std::string database_;
  std::string user_;
};

}  // namespace

std::unique_ptr<dialect> make_postgresql_dialect(std::string database, std::string user) {
  return std::make_unique<postgresql_dialect>(std::move(database), std::move(user));
}

}  // namespace bench
