#include "tools/bench/null_events.hpp"

#include <charconv>
#include <cstring>
#include <utility>

#include "parser/frame.hpp"
#include "tools/bench/event_text.hpp"
#include "tools/bench/stock_rows.hpp"

namespace bench {

namespace {

using pubsubsql::parser::encode;
using pubsubsql::parser::frame_header_bytes;

constexpr std::size_t rows_max = 100;
constexpr std::string_view ticker_condition = " where ticker = ";

void write_header(std::string& bytes, std::size_t at, std::uint32_t request_id) {
  const auto payload = static_cast<std::uint32_t>(bytes.size() - at - frame_header_bytes);
  const auto header = encode({.payload_bytes = payload, .request_id = request_id});
  std::memcpy(bytes.data() + at, header.data(), header.size());
}

std::string counts(std::size_t rows) {
  const std::string count = std::to_string(rows);
  return count + R"(,"fromrow":1,"torow":)" + count + R"(,"data":[)";
}

const std::string one_row = counts(1);

/// Which stock a statement that ends with its ticker is about.
std::size_t stock_in(std::string_view statement) {
  std::size_t number = 0;
  std::from_chars(statement.data() + statement.size() - ticker_digits, statement.data() + statement.size(), number);
  return number;
}

}  // namespace

// What one connection has to send

std::string& null_output::replies() {
  end_event();
  return bytes_;
}

void null_output::append_event(std::uint64_t pubsubid, std::string_view begin, std::string_view row) {
  if (pubsubid_ == pubsubid && rows_ < rows_max) {
    bytes_ += ',';
    bytes_ += row;
    ++rows_;
    return;
  }
  end_event();
  begins_at_ = bytes_.size();
  bytes_.append(frame_header_bytes, '\0');
  bytes_ += begin;
  counts_at_ = bytes_.size();
  bytes_ += one_row;
  bytes_ += row;
  pubsubid_ = pubsubid;
  rows_ = 1;
}

void null_output::end_event() {
  if (pubsubid_ == 0) return;
  pubsubid_ = 0;
  bytes_ += "]}";
  if (rows_ > 1) bytes_.replace(counts_at_, one_row.size(), counts(rows_));
  write_header(bytes_, begins_at_, 0);
}

std::string_view null_output::unsent() {
  end_event();
  return std::string_view(bytes_).substr(sent_);
}

void null_output::sent(std::size_t bytes) {
  sent_ += bytes;
  if (sent_ < bytes_.size()) return;
  bytes_.clear();
  sent_ = 0;
}

// Subscriptions

void null_events::subscribe(null_output& to, std::string_view statement, std::uint32_t request_id) {
  const std::string pubsubid = std::to_string(++last_pubsubid_);
  subscription s{
      .to = &to, .pubsubid = last_pubsubid_, .begin = std::string(event_head) + pubsubid + std::string(event_columns)};
  if (statement.find(ticker_condition) == std::string_view::npos) {
    to_all_.push_back(std::move(s));
  } else {
    const std::size_t stock = stock_in(statement);
    if (by_stock_.size() <= stock) by_stock_.resize(stock + 1);
    by_stock_[stock].push_back(std::move(s));
  }
  ++subscriptions_;
  std::string& out = to.replies();
  const std::size_t at = out.size();
  out.append(frame_header_bytes, '\0');
  out += R"({"status":"ok","action":"subscribe","pubsubid":")" + pubsubid + R"("})";
  write_header(out, at, request_id);
}

std::string& null_events::row_of(std::size_t stock) {
  if (rows_.size() <= stock) rows_.resize(stock + 1);
  std::string& row = rows_[stock];
  if (row.empty()) {
    const std::string event = update_event(make_stock(stock));
    const std::size_t begin = event.find("[[") + 1;
    row = event.substr(begin, event.size() - begin - std::string_view("]}").size());
  }
  return row;
}

void null_events::update(std::string_view statement) {
  const std::size_t number_at = statement.size() - ticker_condition.size() - 1 - ticker_digits - number_digits;
  const std::size_t stock = stock_in(statement);
  std::string& row = row_of(stock);
  std::memcpy(row.data() + row.size() - number_from_row_end, statement.data() + number_at, number_digits);
  for (subscription& s : to_all_) deliver(s, row);
  if (stock < by_stock_.size()) {
    for (subscription& s : by_stock_[stock]) deliver(s, row);
  }
}

void null_events::deliver(subscription& s, std::string_view row) {
  s.to->append_event(s.pubsubid, s.begin, row);
  if (std::exchange(s.turn, turn_) != turn_) changed_.push_back(s.to->descriptor());
}

std::vector<int> null_events::take_changed() {
  ++turn_;
  return std::exchange(changed_, {});
}

void null_events::forget(const null_output& gone) {
  const auto erase_from = [&](std::vector<subscription>& list) {
    subscriptions_ -= std::erase_if(list, [&](const subscription& s) { return s.to == &gone; });
  };
  erase_from(to_all_);
  for (auto& list : by_stock_) erase_from(list);
}

}  // namespace bench
