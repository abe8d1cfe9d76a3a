#include <charconv>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <stdexcept>

#include "tools/bench/dialect.hpp"

namespace bench {

namespace {

/// A database of its own, so that whatever else the server has stays.
constexpr std::string_view database = "9";
constexpr std::string_view line_end = "\r\n";

std::string command(std::initializer_list<std::string_view> words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n";
    out += word;
    out += line_end;
  }
  return out;
}

/// Where the value that begins at `at` ends; nothing when the bytes end before.
std::optional<std::size_t> end_of_value(std::string_view bytes, std::size_t at) {
  std::size_t values = 1;
  for (; values > 0; --values) {
    if (at >= bytes.size()) return std::nullopt;
    const void* found = std::memchr(bytes.data() + at, '\r', bytes.size() - at);
    if (found == nullptr) return std::nullopt;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    const char kind = bytes[at];
    if (kind == '-') throw std::runtime_error("Redis says: " + std::string(bytes.substr(at + 1, end - at - 1)));
    long number = 0;
    if (kind == '$' || kind == '*') std::from_chars(bytes.data() + at + 1, bytes.data() + end, number);
    at = end + line_end.size();
    if (kind == '$' && number >= 0) at += static_cast<std::size_t>(number) + line_end.size();
    if (kind == '*' && number > 0) values += static_cast<std::size_t>(number);
  }
  return at <= bytes.size() ? std::optional(at) : std::nullopt;
}

/// A row is a hash under its ticker; the tag is a set of tickers for each sector.
class redis_dialect : public dialect {
 public:
  [[nodiscard]] exchange greeting() const override { return {command({"SELECT", database}), 1}; }
  [[nodiscard]] std::vector<exchange> make_table() const override { return {{command({"FLUSHDB"}), 1}}; }

  [[nodiscard]] request_template request(operation o) const override {
    const stock_row r = request_template::row();
    switch (o) {
      case operation::update:
        return request_template(command({"HSET", r.ticker, "bid", r.bid, "ask", r.ask, "time", r.time}));
      case operation::select:
        return request_template(command({"HGETALL", r.ticker}));
      case operation::publish:
        return request_template(
            command({"PUBLISH", std::string(stocks_table), r.ticker + " " + r.bid + " " + r.ask + " " + r.time}));
      case operation::insert:
        break;
    }
    return request_template(
        command({"HSET", r.ticker, "sector", r.sector, "bid", r.bid, "ask", r.ask, "time", r.time}) +
        command({"SADD", r.sector, r.ticker}));
  }
  [[nodiscard]] std::size_t replies_to(operation o) const override { return o == operation::insert ? 2 : 1; }

  [[nodiscard]] taken_replies take_replies(std::string_view bytes) const override {
    taken_replies taken;
    while (const auto end = end_of_value(bytes, taken.bytes)) {
      taken.bytes = *end;
      ++taken.replies;
    }
    return taken;
  }
};

}  // namespace

std::unique_ptr<dialect> make_redis_dialect() {
  return std::make_unique<redis_dialect>();
}

}  // namespace bench
