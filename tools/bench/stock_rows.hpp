#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The rows that the request/response and the publish/subscribe workloads are about: a table of stocks with a key
/// (`ticker`), a tag (`sector`) and three more columns. An update of all three of a row is an event of 171 bytes for a
/// subscriber whose `pubsubid` has one digit.
namespace bench {

inline constexpr std::string_view stocks_table = "stocks";
inline constexpr std::size_t stock_sectors = 100;
/// Digits of a ticker's number, of a sector's, and of the time in rows with numbers of five digits.
inline constexpr std::size_t ticker_digits = 8;
inline constexpr std::size_t sector_digits = 2;
inline constexpr std::size_t time_digits = 16;
inline constexpr std::size_t stock_event_bytes = 171;

struct stock_row {
  std::string id;
  std::string ticker;  ///< T00000007
  std::string sector;  ///< tech-07
  std::string bid;     ///< 123.45
  std::string ask;     ///< 123.46
  std::string time;    ///< digits: the shorter the number, the more
};

/// The row that is the `number`th in a table filled from 0 on, and so has that id. A higher version has another bid,
/// ask and time.
[[nodiscard]] stock_row make_stock(std::uint64_t number, unsigned version = 0);

/// `insert into stocks (...) values (...)`.
[[nodiscard]] std::string insert_statement(const stock_row& r);
/// `update stocks set bid = ..., ask = ..., time = ... where ticker = ...`.
[[nodiscard]] std::string update_statement(const stock_row& r);
/// `publish into stocks (ticker, bid, ask, time) values (...)`.
[[nodiscard]] std::string publish_statement(const stock_row& r);
/// `select * from stocks where ticker = ...`.
[[nodiscard]] std::string select_statement(const stock_row& r);

/// What the server answers to that select.
[[nodiscard]] std::string select_reply(const stock_row& r);
/// What the server sends to a subscriber after that update.
[[nodiscard]] std::string update_event(const stock_row& r, std::string_view pubsubid = "1");

}  // namespace bench
