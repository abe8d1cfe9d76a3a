#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "storage/sql/arithmetic.hpp"
#include "storage/sql/function_lists.hpp"

namespace pubsubsql::storage::sql {

namespace {

datum call_abs(evaluation& e, arguments a) {
  const datum n = number_of(e, a[0]);
  switch (n.kind()) {
    case datum_kind::integer:
      if (n.integer() == std::numeric_limits<std::int64_t>::min()) {
        return e.fail(result_out_of_range("BIGINT", "abs(-9223372036854775808)"));
      }
      return datum::integer(n.integer() < 0 ? -n.integer() : n.integer());
    case datum_kind::decimal: {
      decimal d = *decimal_of(n);
      d.negative = false;
      return e.keep(d);
    }
    case datum_kind::floating:
      return datum::floating(std::fabs(n.floating()));
    default:
      return n;
  }
}

datum call_sign(evaluation& e, arguments a) {
  if (a[0].is_null()) return {};
  const double n = double_of(number_of(e, a[0]));
  return datum::integer(n > 0 ? 1 : n < 0 ? -1 : 0);
}

/// A double with that many digits after the point.
double rounded_double(double n, std::int64_t digits, rounding how) {
  const double unit = std::pow(10.0, static_cast<double>(digits < 0 ? -digits : digits));
  if (!std::isfinite(unit)) return digits < 0 ? 0 : n;
  const double scaled = digits < 0 ? n / unit : n * unit;
  if (!std::isfinite(scaled)) return n;
  const double whole = how == rounding::down ? std::trunc(scaled) : std::nearbyint(scaled);
  return (digits < 0 ? whole * unit : whole / unit) + 0.0;  // -0 becomes 0
}

template <rounding How>
datum call_round(evaluation& e, arguments a) {
  if (any_null(a)) return {};
  const datum n = number_of(e, a[0]);
  if (n.is_null()) return {};
  const std::int64_t digits = std::clamp<std::int64_t>(a.size() > 1 ? integer_of(a[1]) : 0, -400, 400);
  if (n.kind() == datum_kind::floating) return datum::floating(rounded_double(n.floating(), digits, How));
  if (n.is_integer() && digits >= 0) return n;
  const std::optional<decimal> rounded = round_to(*decimal_of(n), static_cast<int>(digits), How);
  if (!rounded) return e.fail(result_out_of_range("DECIMAL", "round"));
  if (n.kind() == datum_kind::decimal) return e.keep(*rounded);
  if (n.kind() == datum_kind::unsigned_integer) {
    const auto whole = to_unsigned(*rounded);
    return whole ? datum::unsigned_integer(*whole) : e.fail(result_out_of_range("BIGINT UNSIGNED", "round"));
  }
  const auto whole = to_integer(*rounded);
  return whole ? datum::integer(*whole) : e.fail(result_out_of_range("BIGINT", "round"));
}

template <rounding How>
datum call_whole(evaluation& e, arguments a) {
  const datum n = number_of(e, a[0]);
  if (n.kind() == datum_kind::floating) {
    return datum::floating(How == rounding::floor ? std::floor(n.floating()) : std::ceil(n.floating()) + 0.0);
  }
  if (n.kind() != datum_kind::decimal) return n;
  const std::optional<decimal> whole = round_to(*decimal_of(n), 0, How);
  if (!whole) return e.fail(result_out_of_range("DECIMAL", "floor"));
  const std::optional<std::int64_t> small = small_coefficient(*whole);
  return small ? datum::integer(*small) : e.keep(*whole);
}

datum call_mod(evaluation& e, arguments a) {
  return remainder(e, a[0], a[1]);
}

datum finite(evaluation& e, double n, std::string_view name) {
  return std::isfinite(n) ? datum::floating(n) : e.fail(result_out_of_range("DOUBLE", name));
}

datum call_power(evaluation& e, arguments a) {
  const datum base = number_of(e, a[0]);
  const datum exponent = number_of(e, a[1]);
  if (base.is_null() || exponent.is_null()) return {};
  return finite(e, std::pow(double_of(base), double_of(exponent)), "pow");
}

datum call_sqrt(evaluation& e, arguments a) {
  const datum n = number_of(e, a[0]);
  if (n.is_null() || double_of(n) < 0) return {};
  return finite(e, std::sqrt(double_of(n)), "sqrt");
}

constexpr std::array<function, 11> of_numbers = {{
    {"abs", 1, 1, result_kind::number, false, call_abs},
    {"sign", 1, 1, result_kind::integer, false, call_sign},
    {"round", 1, 2, result_kind::number, false, call_round<rounding::half_up>},
    {"truncate", 2, 2, result_kind::number, false, call_round<rounding::down>},
    {"floor", 1, 1, result_kind::number, false, call_whole<rounding::floor>},
    {"ceil", 1, 1, result_kind::number, false, call_whole<rounding::ceiling>},
    {"ceiling", 1, 1, result_kind::number, false, call_whole<rounding::ceiling>},
    {"mod", 2, 2, result_kind::number, false, call_mod},
    {"pow", 2, 2, result_kind::number, false, call_power},
    {"power", 2, 2, result_kind::number, false, call_power},
    {"sqrt", 1, 1, result_kind::number, false, call_sqrt},
}};

}  // namespace

std::span<const function> number_functions() {
  return of_numbers;
}

}  // namespace pubsubsql::storage::sql
