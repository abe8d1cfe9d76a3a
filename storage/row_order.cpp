#include "storage/row_order.hpp"

#include <algorithm>
#include <charconv>

#include "storage/errors.hpp"
#include "storage/sql/order_key.hpp"

namespace pubsubsql::storage {

namespace {

/// Items that are held beyond those wanted, so that sorting them out is rare.
constexpr std::size_t slack = 1024;

}  // namespace

std::optional<parser::expression> listed_expression(const parser::expression& by, const parser::projection* list,
                                                    bool& out_of_list) {
  if (by.op != parser::operation::number || list == nullptr || list->all) return std::nullopt;
  std::size_t place = 0;
  const char* const end = by.text.data() + by.text.size();
  const auto [stop, problem] = std::from_chars(by.text.data(), end, place);
  if (problem != std::errc{} || stop != end) return std::nullopt;
  out_of_list = place == 0 || place > list->names.size() + list->items.size();
  if (out_of_list) return std::nullopt;
  if (!list->items.empty()) return *list->items[place - 1].value;
  const std::string_view name = list->names[place - 1];
  return parser::expression{.op = parser::operation::column, .text = name, .source = name};
}

void append_sort_key(std::string& out, const sql::bound_expression& by, bool descending,
                     const sql::expression_input& in, sql::evaluation& e) {
  const std::size_t before = out.size();
  sql::append_order_key(out, &by.type(), by.evaluate(in, e));
  if (!descending) return;
  // No key is the beginning of another, so turning all bits around turns the order around.
  for (std::size_t i = before; i < out.size(); ++i) out[i] = static_cast<char>(~out[i]);
}

std::optional<error> row_order::bind(const parser::order_list& by, const std::optional<parser::row_limit>& limit,
                                     const parser::projection* list, sql::name_scope& names) {
  limit_ = limit;
  for (const parser::order_item& item : by) {
    bool out_of_list = false;
    const auto place = listed_expression(*item.value, list, out_of_list);
    if (out_of_list) return unknown_place(item.value->text, "order clause");
    sql::bound_expression bound;
    if (auto failed = sql::bound_expression::bind(place ? *place : *item.value, names, bound)) return failed;
    keys_.push_back({.value = std::move(bound), .descending = item.descending});
  }
  return std::nullopt;
}

std::vector<order_column> row_order::columns() const {
  std::vector<order_column> out;
  for (const key& k : keys_) {
    const auto column = k.value.as_column();
    if (!column) return {};
    out.push_back({.column = *column, .descending = k.descending});
  }
  return out;
}

std::optional<std::uint64_t> row_order::wanted() const {
  if (!limit_) return std::nullopt;
  return limit_->count > UINT64_MAX - limit_->offset ? UINT64_MAX : limit_->count + limit_->offset;
}

/// Returns how many bytes that freed.
std::size_t row_order::keep_first(std::size_t count) {
  if (entries_.size() <= count) return 0;
  std::nth_element(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(count), entries_.end());
  std::size_t freed = 0;
  for (std::size_t i = count; i < entries_.size(); ++i) freed += sizeof(entry) + entries_[i].key.size();
  entries_.resize(count);
  return freed;
}

void row_order::add(std::uint32_t item, const sql::expression_input& in, sql::evaluation& e) {
  std::string bytes;
  for (const key& k : keys_) append_sort_key(bytes, k.value, k.descending, in, e);
  e.hold(sizeof(entry) + bytes.size());
  entries_.push_back({.key = std::move(bytes), .item = item, .number = came_++});
  if (most() < entries_.size() / 2 && entries_.size() > slack) e.give_back(keep_first(most()));
}

void row_order::take(std::vector<std::uint32_t>& out) {
  out.clear();
  if (!keys_.empty()) {
    if (most() < entries_.size()) keep_first(most());
    std::ranges::sort(entries_, std::less{});
  }
  const std::uint64_t first = limit_ ? std::min<std::uint64_t>(limit_->offset, entries_.size()) : 0;
  const std::uint64_t last = std::min<std::uint64_t>(most(), entries_.size());
  for (std::uint64_t i = first; i < last; ++i) out.push_back(entries_[i].item);
  entries_.clear();
}

}  // namespace pubsubsql::storage
