#include "tools/demo/prices.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace demo {

namespace {

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// `Jan 1 2000` as `2000-01`; empty when it is no such date.
std::string year_and_month(const std::string& date) {
  std::istringstream words(date);
  std::string month;
  std::string day;
  std::string year;
  words >> month >> day >> year;
  const auto* const it = std::ranges::find(months, month);
  if (it == months.end() || year.size() != 4) return {};
  const std::string number = std::to_string(it - months.begin() + 1);
  return year + (number.size() == 1 ? "-0" : "-") + number;
}

tick read_line(const std::string& line, const std::string& where) {
  std::istringstream cells(line);
  tick t;
  std::string date;
  std::getline(cells, t.symbol, ',');
  std::getline(cells, date, ',');
  std::getline(cells, t.price, ',');
  t.date = year_and_month(date);
  if (t.symbol.empty() || t.date.empty() || t.price.empty()) {
    throw std::runtime_error(where + ": expected symbol,date,price, found " + line);
  }
  return t;
}

void add_trends(std::vector<tick>& ticks) {
  std::map<std::string, std::pair<double, std::string>> last;  // by symbol: price and trend
  for (tick& t : ticks) {
    const double price = std::stod(t.price);
    const auto it = last.find(t.symbol);
    if (it != last.end()) t.before = it->second.second;
    t.trend = it == last.end() ? "new" : price > it->second.first ? "up" : "down";
    last[t.symbol] = {price, t.trend};
  }
}

}  // namespace

std::vector<tick> read_prices(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::vector<tick> ticks;
  std::string line;
  std::getline(in, line);  // the names of the columns
  for (int number = 2; std::getline(in, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) ticks.push_back(read_line(line, path + ":" + std::to_string(number)));
  }
  std::ranges::stable_sort(ticks, {}, &tick::date);
  add_trends(ticks);
  return ticks;
}

}  // namespace demo
