#include "server/metrics/history.hpp"

#include <charconv>

namespace pubsubsql::server {

namespace {

/// With so many decimals as a picture can show.
void append_number(std::string& out, double value) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 1).ptr;
  out.append(text.data(), end);
}

void append(std::string& out, const history::point& p) {
  out.append("[").append(std::to_string(p.time)).append(",");
  append_number(out, p.statements);
  out += ',';
  append_number(out, p.events);
  out.append(",").append(std::to_string(p.connections));
  out.append(",").append(std::to_string(p.backlog_bytes));
  out.append(",").append(std::to_string(p.store_lag_rows)).append(",");
  append_number(out, p.store_lag_seconds);
  out += ']';
}

}  // namespace

void history::add(const point& p) {
  const std::scoped_lock lock(mutex_);
  if (points_.size() < points_max) {
    points_.push_back(p);
    return;
  }
  points_[oldest_] = p;
  oldest_ = (oldest_ + 1) % points_max;
}

std::string history::to_json() const {
  std::string out = R"({"interval":)" + std::to_string(interval_seconds) +
                    R"(,"columns":["time","statements","events","connections","backlogbytes","storelagrows",)"
                    R"("storelagseconds"],"data":[)";
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (i > 0) out += ',';
    append(out, points_[(oldest_ + i) % points_.size()]);
  }
  out += "]}";
  return out;
}

}  // namespace pubsubsql::server
