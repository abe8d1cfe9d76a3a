#include "storage/table_bindings.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "parser/condition.hpp"
#include "parser/print.hpp"
#include "storage/subscription_filter.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

std::string text_of(const std::optional<parser::condition>& where) {
  if (!where) return {};
  constexpr std::string_view start = "bind q to t where ";
  parser::statement any;
  any.body = parser::bind_statement{.queue = "q", .table = "t", .where = where};
  return parser::print(any).substr(start.size());
}

std::string pack(const binding_description& b) {
  return std::to_string(b.queue.size()) + ':' + b.queue + b.where;
}

std::optional<binding_description> unpack_binding(std::string_view packed) {
  std::size_t bytes = 0;
  const auto [end, problem] = std::from_chars(packed.data(), packed.data() + packed.size(), bytes);
  packed.remove_prefix(static_cast<std::size_t>(end - packed.data()));
  if (problem != std::errc{} || !packed.starts_with(':') || packed.size() - 1 < bytes) return std::nullopt;
  packed.remove_prefix(1);
  return binding_description{.queue = std::string(packed.substr(0, bytes)), .where = std::string(packed.substr(bytes))};
}

std::optional<error> table_bindings::insert(std::size_t place, binding b, const table& of) {
  std::unique_ptr<subscription_filter> filter;
  if (!b.what.where.empty()) {
    parser::statement_arena arena;
    const auto where = parser::parse_condition(b.what.where, arena);
    if (!where) return error{error_code::unsupported, parser::message(where.error())};
    if (auto failed = subscription_filter::make(*where, {}, of, filter)) return failed;
  }
  if (b.copied == nullptr) b.copied = std::make_shared<std::atomic<std::uint64_t>>(0);
  subscriptions::predicate p;
  if (filter) p.canonical_text = filter->canonical_text();
  p.filter = std::move(filter);
  const std::uint64_t key = ++last_key_;
  static_cast<void>(matcher_.add({.subscriber = {}, .pubsubid = key}, std::move(p)));
  all_.insert(all_.begin() + static_cast<std::ptrdiff_t>(place), std::move(b));
  keys_.insert(keys_.begin() + static_cast<std::ptrdiff_t>(place), key);
  for (std::size_t i = place; i < keys_.size(); ++i) place_[keys_[i]] = i;
  return std::nullopt;
}

void table_bindings::erase(std::size_t place) {
  matcher_.remove(keys_[place]);
  place_.erase(keys_[place]);
  all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(place));
  keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(place));
  for (std::size_t i = place; i < keys_.size(); ++i) place_[keys_[i]] = i;
}

void table_bindings::find_queues(row_view row, std::int64_t now_us, sql::work_budget& budget,
                                 std::vector<std::string_view>& out, std::vector<std::uint64_t>& met) {
  const std::size_t first = out.size();
  matched_.clear();
  matcher_.begin_statement(now_us, budget);
  matcher_.on_insert(row, {}, matched_);
  for (const event& e : matched_) {
    for (const event_target& target : e.targets) {
      const std::size_t place = place_.find(target.pubsubid)->second;
      ++met[place];
      out.push_back(all_[place].what.queue);
    }
  }
  const auto begin = out.begin() + static_cast<std::ptrdiff_t>(first);
  std::sort(begin, out.end());
  out.erase(std::unique(begin, out.end()), out.end());
}

}  // namespace pubsubsql::storage
