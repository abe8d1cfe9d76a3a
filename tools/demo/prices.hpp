#pragma once

#include <string>
#include <vector>

/// The demo's data: stock prices in the order of their dates.
namespace demo {

/// One stock's price in one month, and where it went.
struct tick {
  std::string symbol;
  std::string date;    ///< year and month, 2000-01
  std::string price;   ///< as the file has it
  std::string before;  ///< trend before this tick; empty for a stock's first
  std::string trend;   ///< `up` or `down` against the month before, `new` for a stock's first
};

/// Reads a CSV file with the columns symbol, date (`Jan 1 2000`) and price. Throws std::runtime_error with the line
/// that cannot be understood.
[[nodiscard]] std::vector<tick> read_prices(const std::string& path);

}  // namespace demo
