#include "tools/bench/stock_rows.hpp"

#include <algorithm>

namespace bench {

namespace {

const std::string table(stocks_table);

std::string digits_of(std::uint64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

/// A price between 100 and 999.99.
std::string price(std::uint64_t cents) {
  const std::string digits = std::to_string(10'000 + cents % 89'999);
  return digits.substr(0, 3) + "." + digits.substr(3);
}

}  // namespace

stock_row make_stock(std::uint64_t number, unsigned version) {
  constexpr std::size_t id_and_time_digits = 5 + time_digits;
  constexpr std::uint64_t price_step = 7'919;
  const std::string id = std::to_string(number);
  const std::uint64_t cents = number + version * price_step;
  return {.id = id,
          .ticker = "T" + digits_of(number, ticker_digits),
          .sector = "tech-" + digits_of(number % stock_sectors, sector_digits),
          .bid = price(cents),
          .ask = price(cents + 1),
          .time = digits_of(version, id_and_time_digits - id.size())};
}

std::string insert_statement(const stock_row& r) {
  return "insert into " + table + " (ticker, sector, bid, ask, time) values (" + r.ticker + ", " + r.sector + ", " +
         r.bid + ", " + r.ask + ", " + r.time + ")";
}

std::string update_statement(const stock_row& r) {
  return "update " + table + " set bid = " + r.bid + ", ask = " + r.ask + ", time = " + r.time +
         " where ticker = " + r.ticker;
}

std::string publish_statement(const stock_row& r) {
  return "publish into " + table + " (ticker, bid, ask, time) values (" + r.ticker + ", " + r.bid + ", " + r.ask +
         ", " + r.time + ")";
}

std::string select_statement(const stock_row& r) {
  return "select * from " + table + " where ticker = " + r.ticker;
}

std::string select_reply(const stock_row& r) {
  return R"({"status":"ok","action":"select","columns":["id","ticker","sector","bid","ask","time"],)"
         R"("rows":1,"fromrow":1,"torow":1,"data":[[")" +
         r.id + R"(",")" + r.ticker + R"(",")" + r.sector + R"(",")" + r.bid + R"(",")" + r.ask + R"(",")" + r.time +
         R"("]]})";
}

std::string update_event(const stock_row& r, std::string_view pubsubid) {
  return R"({"status":"ok","action":"update","pubsubid":")" + std::string(pubsubid) +
         R"(","columns":["id","bid","ask","time"],"rows":1,"fromrow":1,"torow":1,"data":[[")" + r.id + R"(",")" +
         r.bid + R"(",")" + r.ask + R"(",")" + r.time + R"("]]})";
}

}  // namespace bench
