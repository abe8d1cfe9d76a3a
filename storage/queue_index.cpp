#include "storage/queue_index.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <span>

#include "storage/sql/calendar.hpp"

namespace pubsubsql::storage {

namespace {

template <typename Number>
Number read_number(const value& v) {
  Number n{};
  if (v) std::from_chars(v->data(), v->data() + v->size(), n);
  return n;
}

/// 2026-01-02 03:04:05.678901, as these columns are written; anything else is read as any datetime.
std::int64_t read_time(std::string_view text) {
  constexpr std::size_t written_bytes = 26;
  if (text.size() != written_bytes) {
    const auto parsed = sql::parse_datetime(text);
    return parsed ? parsed->microseconds : 0;
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    unsigned n = 0;
    for (const char c : text.substr(at, digits)) n = n * 10 + static_cast<unsigned>(c - '0');
    return n;
  };
  return sql::to_microseconds({.year = static_cast<int>(number(0, 4)),
                               .month = number(5, 2),
                               .day = number(8, 2),
                               .hour = number(11, 2),
                               .minute = number(14, 2),
                               .second = number(17, 2),
                               .microsecond = number(20, 6)})
      .value_or(0);
}

}  // namespace

std::uint64_t number_of(subscriber_id owner) {
  return static_cast<std::uint64_t>(owner);
}

queue_index::facts queue_index::read(row_view row) const {
  facts f;
  row_view::cursor columns(row);
  const column_index priority = settings_.priority;
  if (priority != id_column && priority < attempts_column()) f.rank = -read_number<double>(columns.at(priority));
  f.attempts = read_number<std::uint64_t>(columns.at(attempts_column()));
  if (const value available = columns.at(available_column())) f.available_us = read_time(*available);
  if (const value until = columns.at(until_column())) f.leased_until = read_time(*until);
  f.owner = subscriber_id{read_number<std::uint64_t>(columns.at(owner_column()))};
  if (priority > owner_column()) f.rank = -read_number<double>(columns.at(priority));
  if (!(f.rank == f.rank)) f.rank = 0;  // no number
  return f;
}

void queue_index::insert(row_view row) {
  const facts f = read(row);
  const row_position position = row.position();
  if (f.leased_until) {
    leased_.insert({.at_us = *f.leased_until, .position = position, .row = row.number(), .rank = f.rank});
    by_owner_[f.owner].emplace(position, row.number());
  } else if (is_dead(f)) {
    dead_.emplace(position, row.number());
  } else if (f.available_us > now_us_) {
    delayed_.insert({.at_us = f.available_us, .position = position, .row = row.number(), .rank = f.rank});
  } else {
    add_ready({.rank = f.rank, .position = position, .row = row.number()});
  }
}

void queue_index::add_ready(const ready_row& r) {
  ready_.insert(r);
  if (!is_watched_) return;
  if (arrivals_.size() < ready_.size() + arrivals_spare) return arrivals_.push_back(r);
  is_watched_ = false;
  arrivals_begin_ += arrivals_.size() + 1;
  arrivals_ = {};
}

std::uint64_t queue_index::watch() {
  is_watched_ = true;
  return arrivals_begin_ + arrivals_.size();
}

std::optional<std::vector<queue_index::ready_row>> queue_index::became_ready(std::uint64_t since) const {
  if (!is_watched_ || since < arrivals_begin_) return std::nullopt;
  std::vector<ready_row> rows;
  const std::size_t known = std::min<std::size_t>(since - arrivals_begin_, arrivals_.size());
  for (const ready_row& r : std::span(arrivals_).subspan(known)) {
    if (const auto still = ready_.find(r); still != ready_.end()) rows.push_back(*still);
  }
  std::ranges::sort(rows, std::less<>());
  const auto is_same = [](const ready_row& a, const ready_row& b) { return a.position == b.position; };
  rows.erase(std::unique(rows.begin(), rows.end(), is_same), rows.end());
  return rows;
}

void queue_index::erase(row_view row) {
  const facts f = read(row);
  const row_position position = row.position();
  if (f.leased_until) {
    leased_.erase({.at_us = *f.leased_until, .position = position});
    const auto mine = by_owner_.find(f.owner);
    mine->second.erase(position);
    if (mine->second.empty()) by_owner_.erase(mine);
  } else if (is_dead(f)) {
    dead_.erase(position);
    deaths_.erase(position);
  } else if (delayed_.erase({.at_us = f.available_us, .position = position}) == 0) {
    ready_.erase({.rank = f.rank, .position = position});
  }
}

void queue_index::advance(std::int64_t now_us) {
  now_us_ = now_us;
  while (!delayed_.empty() && delayed_.begin()->at_us <= now_us) {
    const due_row first = *delayed_.begin();
    delayed_.erase(delayed_.begin());
    add_ready({.rank = first.rank, .position = first.position, .row = first.row});
  }
}

std::optional<std::int64_t> queue_index::next_due() const {
  std::optional<std::int64_t> next;
  if (!delayed_.empty()) next = delayed_.begin()->at_us;
  if (!leased_.empty()) next = std::min(next.value_or(INT64_MAX), leased_.begin()->at_us);
  return next;
}

const queue_index::row_set* queue_index::leased_by(subscriber_id owner) const {
  const auto it = by_owner_.find(owner);
  return it == by_owner_.end() ? nullptr : &it->second;
}

lease_end queue_index::death_of(row_position row) const {
  const auto it = deaths_.find(row);
  return it == deaths_.end() ? lease_end::restart : it->second;
}

}  // namespace pubsubsql::storage
