#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include "tools/bench/dialect.hpp"

namespace bench {

namespace {

const std::string table = "bench_stocks";
constexpr std::size_t type_bytes = 1;
constexpr std::size_t length_bytes = 4;

void append_number(std::string& out, std::uint32_t number, unsigned bytes) {
  for (unsigned shift = 8 * bytes; shift > 0; shift -= 8) out += static_cast<char>((number >> (shift - 8)) & 255U);
}

std::string zero_ended(std::string_view text) {
  return std::string(text) + '\0';
}

/// The length counts itself, not the type.
std::string message(char type, const std::string& body) {
  std::string out(1, type);
  append_number(out, static_cast<std::uint32_t>(length_bytes + body.size()), length_bytes);
  return out + body;
}

std::string query(const std::string& sql) {
  return message('Q', zero_ended(sql));
}

std::string sync() {
  return message('S', "");
}

/// Prepares a statement. All parameters are of the types that PostgreSQL finds fit.
std::string parse(std::string_view name, const std::string& sql) {
  std::string body = zero_ended(name) + zero_ended(sql);
  append_number(body, 0, 2);
  return message('P', body);
}

/// Runs a prepared statement with texts as parameters and in the result; a transaction of its own.
std::string run(std::string_view name, std::initializer_list<std::string_view> parameters) {
  std::string bind = zero_ended("") + zero_ended(name);
  append_number(bind, 0, 2);
  append_number(bind, static_cast<std::uint32_t>(parameters.size()), 2);
  for (const std::string_view p : parameters) {
    append_number(bind, static_cast<std::uint32_t>(p.size()), 4);
    bind += p;
  }
  append_number(bind, 0, 2);
  std::string execute = zero_ended("");
  append_number(execute, 0, 4);
  return message('B', bind) + message('E', execute) + sync();
}

/// The fields of an error are a letter and a text each.
std::string text_of_error(std::string_view fields) {
  while (!fields.empty() && fields.front() != '\0') {
    const std::string_view field = fields.substr(0, fields.find('\0'));
    if (field.front() == 'M') return std::string(field.substr(1));
    fields.remove_prefix(std::min(field.size() + 1, fields.size()));
  }
  return "an error without a text";
}

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
    for (std::size_t at = 0; bytes.size() - at >= type_bytes + length_bytes;) {
      std::size_t length = 0;
      for (const char c : bytes.substr(at + type_bytes, length_bytes)) {
        length = (length << 8U) | static_cast<unsigned char>(c);
      }
      if (bytes.size() - at - type_bytes < length) break;
      const std::string_view body = bytes.substr(at + type_bytes + length_bytes, length - length_bytes);
      const char type = bytes[at];
      if (type == 'E') throw std::runtime_error("PostgreSQL says: " + text_of_error(body));
      if (type == 'R' && body.find_first_not_of('\0') != std::string_view::npos) {
        throw std::runtime_error("PostgreSQL asks " + user_ + " for a password; let that user in without one");
      }
      at += type_bytes + length;
      if (type != 'Z') continue;
      taken.bytes = at;
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
