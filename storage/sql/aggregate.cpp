#include "storage/sql/aggregate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "storage/sql/arithmetic.hpp"
#include "storage/sql/order_key.hpp"

namespace pubsubsql::storage::sql {

std::optional<aggregate_kind> find_aggregate(std::string_view name) {
  constexpr std::array<std::string_view, 5> names = {"count", "sum", "min", "max", "avg"};
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; };
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::equal(name.begin(), name.end(), names[i].begin(), names[i].end(), same)) {
      return static_cast<aggregate_kind>(i);
    }
  }
  return std::nullopt;
}

bool aggregate::is_first_or_last(const datum& d, bool removing) {
  std::string key;
  append_identity_key(key, d);
  if (!removing) {
    const bool is_first = ++seen_[key] == 1;
    if (is_first) seen_bytes_ += key.size() + sizeof(decltype(seen_)::value_type);
    return is_first;
  }
  const auto it = seen_.find(key);
  if (it == seen_.end() || --it->second > 0) return false;
  seen_bytes_ -= key.size() + sizeof(decltype(seen_)::value_type);
  seen_.erase(it);
  return true;
}

void aggregate::add(const datum& d) {
  if (d.is_null() || (distinct_ && can_remove() && !is_first_or_last(d, false))) return;
  ++count_;
  if (kind_ == aggregate_kind::sum || kind_ == aggregate_kind::avg) add_number(d, false);
  if (!can_remove()) keep_if_better(d);
}

void aggregate::remove(const datum& d) {
  if (d.is_null() || (distinct_ && !is_first_or_last(d, true))) return;
  --count_;
  if (kind_ == aggregate_kind::sum || kind_ == aggregate_kind::avg) add_number(d, true);
}

void aggregate::add_number(const datum& d, bool removing) {
  if (!d.is_exact() && !d.is_temporal()) removing ? --inexact_ : ++inexact_;
  const bool is_short = d.kind() == datum_kind::integer || d.is_short_decimal();
  if (is_short && count_ == 1 && !removing && short_sum_ == 0) short_scale_ = d.scale();
  if (is_short && d.scale() == short_scale_) {
    const std::int64_t number = d.integer();
    if (removing ? !__builtin_sub_overflow(short_sum_, number, &short_sum_)
                 : !__builtin_add_overflow(short_sum_, number, &short_sum_)) {
      return;
    }
    // The sum wrapped around: taken back, it is as before.
    short_sum_ = static_cast<std::int64_t>(
        removing ? static_cast<std::uint64_t>(short_sum_) + static_cast<std::uint64_t>(number)
                 : static_cast<std::uint64_t>(short_sum_) - static_cast<std::uint64_t>(number));
  }
  const std::optional<decimal> exact = decimal_of(d);
  if (exact) {
    add_exact(removing ? negate(*exact) : *exact);
  } else {
    floating_sum_ += removing ? -double_of(d) : double_of(d);
  }
}

void aggregate::add_exact(const decimal& d) {
  if (const std::optional<decimal> sum = sql::add(long_sum_, d)) {
    long_sum_ = *sum;
  } else {
    overflow_ = true;
  }
}

datum aggregate::best() const {
  if (best_.is_text()) return best_.is_untyped() ? datum::untyped(best_text_) : datum::text(best_text_);
  return best_.kind() == datum_kind::decimal && !best_.is_short_decimal() ? datum::long_decimal(&best_decimal_) : best_;
}

void aggregate::keep_if_better(const datum& d) {
  if (!best_.is_null()) {
    const auto order = compare_in_order(d, best());
    if (kind_ == aggregate_kind::min ? order >= 0 : order <= 0) return;
  }
  best_ = d;
  if (d.is_text()) best_text_ = d.text();
  if (d.kind() == datum_kind::decimal && !d.is_short_decimal()) best_decimal_ = d.long_decimal();
}

std::optional<decimal> aggregate::exact_sum() const {
  if (overflow_) return std::nullopt;
  return sql::add(long_sum_, to_decimal(short_sum_, short_scale_));
}

datum aggregate::result(evaluation& e) const {
  if (kind_ == aggregate_kind::count) return datum::integer(static_cast<std::int64_t>(count_));
  if (count_ == 0) return {};
  if (!can_remove()) {
    const datum found = best();
    if (found.is_untyped()) return datum::untyped(e.keep(found.text()));
    if (found.is_text()) return datum::text(e.keep(found.text()));
    return found.kind() == datum_kind::decimal ? e.keep(*decimal_of(found)) : found;
  }
  const std::optional<decimal> sum = exact_sum();
  if (!sum) return e.fail(result_out_of_range("DECIMAL", kind_ == aggregate_kind::sum ? "sum" : "avg"));
  if (inexact_ > 0 || floating_sum_ != 0) {
    const double total = to_double(*sum) + floating_sum_;
    if (!std::isfinite(total)) return e.fail(result_out_of_range("DOUBLE", "sum"));
    return datum::floating(kind_ == aggregate_kind::sum ? total : total / static_cast<double>(count_));
  }
  const datum exact = e.keep(*sum);
  return kind_ == aggregate_kind::sum ? exact : divide(e, exact, datum::unsigned_integer(count_));
}

}  // namespace pubsubsql::storage::sql
