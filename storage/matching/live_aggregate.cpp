#include "storage/matching/live_aggregate.hpp"

#include "storage/sql/order_key.hpp"

namespace pubsubsql::storage::matching {

namespace {

/// By the order, and among what is equal there, such as the texts 1 and 1.0, always in the same way.
std::string key_of(const sql::datum& d) {
  std::string key;
  sql::append_order_key(key, nullptr, d);
  sql::append_identity_key(key, d);
  return key;
}

}  // namespace

live_aggregate::held_value::held_value(const sql::datum& d) : value(d) {
  if (d.is_text()) text = d.text();
  if (d.kind() == sql::datum_kind::decimal && !d.is_short_decimal()) {
    decimal = std::make_unique<const sql::decimal>(d.long_decimal());
  }
}

sql::datum live_aggregate::held_value::get() const {
  if (decimal) return sql::datum::long_decimal(decimal.get());
  if (!value.is_text()) return value;
  return value.is_untyped() ? sql::datum::untyped(text) : sql::datum::text(text);
}

void live_aggregate::add(const sql::datum& d) {
  if (sum_.can_remove()) return sum_.add(d);
  if (!d.is_null()) ++in_order_.try_emplace(key_of(d), d).first->second.count;
}

void live_aggregate::remove(const sql::datum& d) {
  if (sum_.can_remove()) return sum_.remove(d);
  if (d.is_null()) return;
  const auto it = in_order_.find(key_of(d));
  if (it != in_order_.end() && --it->second.count == 0) in_order_.erase(it);
}

sql::datum live_aggregate::result(sql::evaluation& e) const {
  if (sum_.can_remove()) return sum_.result(e);
  if (in_order_.empty()) return {};
  return kind_ == sql::aggregate_kind::min ? in_order_.begin()->second.get() : in_order_.rbegin()->second.get();
}

}  // namespace pubsubsql::storage::matching
