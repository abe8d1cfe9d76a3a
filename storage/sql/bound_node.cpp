#include "storage/sql/bound_node.hpp"

#include <algorithm>

#include "storage/sql/calendar.hpp"
#include "storage/sql/stored_value.hpp"

namespace pubsubsql::storage::sql {

namespace {

column_type decimal_type(unsigned digits, unsigned scale) {
  column_type out = type_of_kind(type_kind::decimal);
  out.scale = static_cast<std::uint8_t>(std::min(scale, decimal::scale_max));
  out.length = std::clamp<unsigned>(digits, std::max<unsigned>(out.scale, 1), decimal::digits_max);
  return out;
}

column_type fraction_type(type_kind kind, unsigned digits) {
  column_type out = type_of_kind(kind);
  out.scale = static_cast<std::uint8_t>(digits);
  return out;
}

column_type whole_type(bool is_unsigned) {
  column_type out = type_of_kind(type_kind::bigint);
  out.is_unsigned = is_unsigned;
  return out;
}

/// Dates reckon as the whole numbers that they write.
bool is_whole(const column_type& t) {
  return t.is_integer() || t.kind == type_kind::bit || t.kind == type_kind::year || t.kind == type_kind::date ||
         (t.is_temporal() && t.scale == 0);
}

bool is_exact(const column_type& t) {
  return is_whole(t) || t.kind == type_kind::decimal || t.is_temporal();
}

bool is_unsigned(const column_type& t) {
  return t.is_unsigned || t.kind == type_kind::bit || t.kind == type_kind::year;
}

column_type arithmetic_type(const node& n) {
  const node& left = *n.operands[0];
  const node& right = *n.operands[1];
  const column_type& a = left.type;
  const column_type& b = right.type;
  const auto is_interval = [](const node& o) {
    return o.kind == node_kind::interval || (o.is_constant() && o.constant.kind() == datum_kind::interval);
  };
  if (is_interval(left) || is_interval(right)) return {};
  if (n.kind == node_kind::subtract && a.is_temporal() && b.is_temporal()) return {};
  if (n.kind == node_kind::divide_whole) return whole_type(is_unsigned(a) || is_unsigned(b));
  if (!is_exact(a) || !is_exact(b)) return type_of_kind(type_kind::double_floating);
  if (n.kind == node_kind::divide) return decimal_type(decimal::digits_max, a.scale + 0U + division_digits);
  if (is_whole(a) && is_whole(b)) {
    return whole_type(is_unsigned(a) || (is_unsigned(b) && n.kind != node_kind::remainder));
  }
  const unsigned scale = n.kind == node_kind::multiply ? a.scale + 0U + b.scale : std::max<unsigned>(a.scale, b.scale);
  return decimal_type(decimal::digits_max, scale);
}

/// A type that takes the values of both.
column_type common_type(const column_type& a, const column_type& b) {
  if (a == b) return a;
  if (is_whole(a) && is_whole(b) && !a.is_temporal() && !b.is_temporal()) {
    return is_unsigned(a) == is_unsigned(b) ? whole_type(is_unsigned(a)) : decimal_type(20, 0);
  }
  if (a.is_number() && b.is_number()) {
    if (!is_exact(a) || !is_exact(b)) return type_of_kind(type_kind::double_floating);
    return decimal_type(decimal::digits_max, std::max(a.scale, b.scale));
  }
  if (a.is_temporal() && b.is_temporal()) {
    return fraction_type(a.kind == b.kind ? a.kind : type_kind::datetime, std::max(a.scale, b.scale));
  }
  if (a.is_untyped() || b.is_untyped()) return {};
  return type_of_kind(type_kind::longtext);
}

/// As what `greatest` and `least` compare two.
column_type compared_type(const column_type& a, const column_type& b) {
  if (a.is_untyped() || b.is_untyped()) return {};
  if (a.is_temporal() == b.is_temporal() && a.is_number() == b.is_number()) return common_type(a, b);
  if (!a.is_temporal() && !b.is_temporal()) return type_of_kind(type_kind::double_floating);
  const column_type& temporal = a.is_temporal() ? a : b;
  const column_type& other = a.is_temporal() ? b : a;
  if (temporal.kind == type_kind::date) return temporal;
  const unsigned digits = other.is_number() ? std::min<unsigned>(other.scale, fraction_digits_max) : 0U;
  return fraction_type(temporal.kind, std::max<unsigned>(temporal.scale, digits));
}

using type_rule = column_type (*)(const column_type&, const column_type&);

column_type common_type(const node& n, std::size_t first, type_rule rule = common_type) {
  std::optional<column_type> out;
  for (std::size_t i = first; i < n.operands.size(); ++i) {
    const node& operand = *n.operands[i];
    if (operand.is_constant() && operand.constant.is_null()) continue;
    out = out ? rule(*out, operand.type) : operand.type;
  }
  return out.value_or(column_type{});
}

column_type call_type(const node& n) {
  switch (n.called->result) {
    case result_kind::integer:
      return whole_type(false);
    case result_kind::text:
      return type_of_kind(type_kind::longtext);
    case result_kind::date:
      return type_of_kind(type_kind::date);
    case result_kind::time:
    case result_kind::datetime: {
      unsigned digits = 0;
      if (n.called->depends_on_time) {
        if (!n.operands.empty() && n.operands[0]->is_constant()) {
          digits = static_cast<unsigned>(std::clamp<std::int64_t>(integer_of(n.operands[0]->constant), 0, 6));
        }
      } else if (!n.operands.empty()) {
        digits = fraction_digits_max;
      }
      return fraction_type(n.called->result == result_kind::time ? type_kind::time : type_kind::datetime, digits);
    }
    case result_kind::number: {
      if (n.operands.empty()) return whole_type(false);
      const column_type& t = n.operands[0]->type;
      if (is_whole(t)) return whole_type(t.is_unsigned);
      return t.kind == type_kind::decimal ? decimal_type(decimal::digits_max, t.scale)
                                          : type_of_kind(type_kind::double_floating);
    }
    case result_kind::as_arguments:
      break;
  }
  if (n.called->name.starts_with("date") || n.called->name.ends_with("date")) return {};
  if (n.called->name == "nullif") return n.operands[0]->type;
  return n.unifies ? common_type(n, 0, compared_type) : common_type(n, 0);
}

}  // namespace

column_type type_of_kind(type_kind kind) {
  column_type out;
  out.kind = kind;
  if (kind == type_kind::longtext) out.length = UINT32_MAX;
  return out;
}

column_type type_of_constant(const datum& d) {
  switch (d.kind()) {
    case datum_kind::integer:
      return whole_type(false);
    case datum_kind::unsigned_integer:
      return whole_type(true);
    case datum_kind::decimal:
      return decimal_type(decimal::digits_max, d.scale());
    case datum_kind::floating:
      return type_of_kind(type_kind::double_floating);
    case datum_kind::text:
      return d.is_untyped() ? column_type{} : type_of_kind(type_kind::longtext);
    case datum_kind::date:
      return type_of_kind(type_kind::date);
    case datum_kind::time:
      return fraction_type(type_kind::time, d.scale());
    case datum_kind::datetime:
      return fraction_type(type_kind::datetime, d.scale());
    case datum_kind::null:
    case datum_kind::interval:
      break;
  }
  return {};
}

node_pointer make_constant(const datum& d, const column_type& type) {
  auto out = std::make_unique<node>();
  out->kind = node_kind::constant;
  out->type = type;
  out->constant = d;
  if (d.is_text()) {
    out->text = d.text();
    out->constant = d.is_untyped() ? datum::untyped(out->text) : datum::text(out->text);
  } else if (d.kind() == datum_kind::decimal && !d.is_short_decimal()) {
    out->exact = d.long_decimal();
    out->constant = datum::long_decimal(&out->exact);
  }
  return out;
}

column_type result_type(const node& n) {
  switch (n.kind) {
    case node_kind::constant:
    case node_kind::column:
    case node_kind::id:
    case node_kind::unknown_column:
    case node_kind::offered:
    case node_kind::aggregate:
      return n.type;
    case node_kind::negate: {
      const column_type& t = n.operands[0]->type;
      if (is_whole(t)) return whole_type(false);
      return t.kind == type_kind::decimal ? t : type_of_kind(type_kind::double_floating);
    }
    case node_kind::interval:
      return {};
    case node_kind::add:
    case node_kind::subtract:
    case node_kind::multiply:
    case node_kind::divide:
    case node_kind::divide_whole:
    case node_kind::remainder:
      return arithmetic_type(n);
    case node_kind::concat:
      return type_of_kind(type_kind::longtext);
    case node_kind::choose:
      return common_type(n, 1);
    case node_kind::coalesce:
      return common_type(n, 0);
    case node_kind::call:
      return call_type(n);
    case node_kind::logical_not:
    case node_kind::is_null:
    case node_kind::is_true:
    case node_kind::is_false:
    case node_kind::compare:
    case node_kind::logical_xor:
    case node_kind::logical_and:
    case node_kind::logical_or:
    case node_kind::like:
    case node_kind::between:
    case node_kind::in_list:
    case node_kind::in_texts:
      break;
  }
  return type_of_kind(type_kind::integer);
}

column_type type_of_aggregate(aggregate_kind kind, const column_type& argument) {
  switch (kind) {
    case aggregate_kind::count:
      return whole_type(false);
    case aggregate_kind::min:
    case aggregate_kind::max:
      return argument;
    case aggregate_kind::sum:
    case aggregate_kind::avg:
      break;
  }
  if (!is_exact(argument)) return type_of_kind(type_kind::double_floating);
  return decimal_type(decimal::digits_max, argument.scale + (kind == aggregate_kind::avg ? 0U + division_digits : 0U));
}

datum conform(evaluation& e, const column_type& type, const datum& d) {
  if (d.is_null()) return d;
  if (type.kind == type_kind::decimal) {
    if (!d.is_exact() || (d.kind() == datum_kind::decimal && d.scale() >= type.scale)) return d;
    const std::optional<decimal> longer = round_to(*decimal_of(d), type.scale, rounding::half_up);
    return longer ? e.keep(*longer) : d;
  }
  if (type.kind == type_kind::double_floating) {
    return d.kind() == datum_kind::floating ? d : datum::floating(double_of(number_of(e, d)));
  }
  if (type.kind == type_kind::longtext) return d.is_text() ? d : datum::text(text_of(e, d));
  if (!type.is_temporal() || d.kind() == datum_kind::interval) return d;
  const std::optional<datum> converted = as_type(e, type, d);
  if (!converted) return {};
  if (type.kind == type_kind::date && converted->kind() == datum_kind::datetime) {
    return datum::date(start_of_day(converted->microseconds()));
  }
  if (type.kind == type_kind::datetime && converted->kind() != datum_kind::time) {
    return datum::datetime(converted->microseconds(), type.scale);
  }
  if (type.kind == type_kind::datetime) {
    return datum::datetime(start_of_day(e.now_us()) + converted->microseconds(), type.scale);
  }
  return converted->kind() == datum_kind::time ? datum::time(converted->microseconds(), type.scale) : *converted;
}

}  // namespace pubsubsql::storage::sql
