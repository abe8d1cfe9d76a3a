#include "parser/print_expression.hpp"

#include "parser/keywords.hpp"
#include "parser/print.hpp"

namespace pubsubsql::parser {

namespace {

/// How strongly an operator binds: an operand that binds less needs parentheses.
enum binding : int {
  binding_or,
  binding_xor,
  binding_and,
  binding_not,
  binding_comparison,
  binding_sum,
  binding_product,
  binding_concatenation,
  binding_sign,
  binding_operand,
  binding_enclosed
};

int binding_of(operation op) {
  switch (op) {
    case operation::logical_or:
      return binding_or;
    case operation::logical_xor:
      return binding_xor;
    case operation::logical_and:
      return binding_and;
    case operation::logical_not:
      return binding_not;
    case operation::is_null:
    case operation::is_true:
    case operation::is_false:
    case operation::equal:
    case operation::null_safe_equal:
    case operation::not_equal:
    case operation::less:
    case operation::less_equal:
    case operation::greater:
    case operation::greater_equal:
    case operation::like:
    case operation::between:
    case operation::in_list:
    case operation::in_subquery:
      return binding_comparison;
    case operation::add:
    case operation::subtract:
      return binding_sum;
    case operation::multiply:
    case operation::divide:
    case operation::integer_divide:
    case operation::modulo:
      return binding_product;
    case operation::concatenate:
      return binding_concatenation;
    case operation::negate:
      return binding_sign;
    default:
      return binding_operand;
  }
}

std::string_view symbol_of(operation op) {
  switch (op) {
    case operation::logical_or:
      return " or ";
    case operation::logical_xor:
      return " xor ";
    case operation::logical_and:
      return " and ";
    case operation::equal:
      return " = ";
    case operation::null_safe_equal:
      return " <=> ";
    case operation::not_equal:
      return " <> ";
    case operation::less:
      return " < ";
    case operation::less_equal:
      return " <= ";
    case operation::greater:
      return " > ";
    case operation::greater_equal:
      return " >= ";
    case operation::add:
      return " + ";
    case operation::subtract:
      return " - ";
    case operation::multiply:
      return " * ";
    case operation::divide:
      return " / ";
    case operation::integer_divide:
      return " div ";
    case operation::modulo:
      return " % ";
    case operation::concatenate:
      return " || ";
    default:
      return {};
  }
}

std::string in_backquotes(std::string_view name) {
  std::string out = quote_name(name);
  return out.starts_with('`') ? out : '`' + out + '`';
}

class expression_printer {
 public:
  explicit expression_printer(std::string& out) : out_(out) {}

  /// As an operand of something that binds so strongly.
  void print(const expression& e, int binding) {
    if (e.op == operation::logical_not && binding > binding_not) return sign('!', e);
    const bool enclosed = binding_of(e.op) < binding;
    if (enclosed) out_ += '(';
    node(e);
    if (enclosed) out_ += ')';
  }

  /// Where a value may stand.
  void operand(const expression& e) {
    if (e.op == operation::text && e.alone) {
      out_ += is_plain_value(e.text) ? quote_value(e.text) : quoted_text(e.text);
    } else if (e.op == operation::null) {
      out_ += "null";
    } else if (e.op == operation::column) {
      out_ += in_backquotes(e.text);
    } else {
      computed(e);
    }
  }

  void computed(const expression& e) {
    if (e.op == operation::column) return operand(e);
    const bool enclosed = binding_of(e.op) < binding_sum || !begins_as_expression(e);
    if (enclosed) out_ += '(';
    node(e);
    if (enclosed) out_ += ')';
  }

 private:
  /// A bare `interval` might begin one, and `current_user` is a call.
  static bool is_plain_value(std::string_view text) {
    return !equals_keyword(text, "interval") && !equals_keyword(text, "current_user");
  }

  /// Whether the text of `e` alone tells that it is no value, wherever it stands.
  static bool begins_as_expression(const expression& e) {
    switch (e.op) {
      case operation::call:
      case operation::aggregate:
        return is_function(e.text);
      case operation::subquery:
      case operation::interval:
        return true;
      default:
        break;
    }
    const int binding = binding_of(e.op);
    return binding >= binding_sum && binding <= binding_concatenation && first_is_understood(e, binding);
  }

  /// Whether the first operand of an operator, up to white space, is read as nothing but what it is.
  static bool first_is_understood(const expression& e, int binding) {
    const expression& first = *e.operands[0];
    if (first.op == operation::logical_not) return false;
    if (binding_of(first.op) < binding) return true;  // in parentheses
    switch (first.op) {
      case operation::column:
      case operation::number:
      case operation::text:
      case operation::null:
      case operation::boolean:
        return true;
      case operation::negate: {
        const expression& negated = *first.operands[0];
        return negated.op == operation::number ||
               (negated.op == operation::column && quote_name(negated.text) == negated.text);
      }
      default:
        return begins_as_expression(first);
    }
  }

  static std::string quoted_text(std::string_view text) {
    std::string out(1, '\'');
    for (const char c : text) {
      if (c == '\'') out += c;
      out += c;
    }
    return out + '\'';
  }

  void list(std::span<expression* const> operands) {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (i > 0) out_ += ", ";
      // `timestampdiff(day, ...)` begins with a unit.
      if (operands[i]->op == operation::column && is_interval_unit(operands[i]->text)) {
        out_ += in_backquotes(operands[i]->text);
      } else {
        print(*operands[i], binding_or);
      }
    }
  }

  void operand_list(std::span<expression* const> operands) {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (i > 0) out_ += ", ";
      operand(*operands[i]);
    }
  }

  void subquery(const expression& e) {
    out_ += "(select ";
    print_query(out_, *e.subquery);
    out_ += ')';
  }

  void node(const expression& e) {
    switch (binding_of(e.op)) {
      case binding_or:
      case binding_and:
        return joined(e);
      case binding_not:
        out_ += "not ";
        return print(*e.operands[0], binding_not);
      case binding_comparison:
        return comparison(e);
      case binding_sign:
        return sign('-', e);
      case binding_operand:
        return single(e);
      default:
        print(*e.operands[0], binding_of(e.op));
        out_ += symbol_of(e.op);
        print(*e.operands[1], binding_of(e.op) + 1);
    }
  }

  void sign(char symbol, const expression& e) {
    out_ += symbol;
    const std::size_t before = out_.size();
    print(*e.operands[0], binding_sign);
    if (out_[before] == '-') out_.insert(before, 1, ' ');  // `--` begins a comment
  }

  void joined(const expression& e) {
    for (std::size_t i = 0; i < e.operands.size(); ++i) {
      if (i > 0) out_ += symbol_of(e.op);
      print(*e.operands[i], binding_of(e.op) + 1);
    }
  }

  void comparison(const expression& e) {
    const expression& left = *e.operands[0];
    // Right before a `=`, the word would be a column.
    const bool enclosed = left.op == operation::null || left.op == operation::boolean;
    print(left, enclosed ? binding_enclosed : binding_comparison);
    const std::string_view maybe = e.negated ? " not" : "";
    switch (e.op) {
      case operation::is_null:
      case operation::is_true:
      case operation::is_false:
        out_ += " is";
        out_ += maybe;
        out_ += e.op == operation::is_null ? " null" : e.op == operation::is_true ? " true" : " false";
        break;
      case operation::like:
        out_ += maybe;
        out_ += " like ";
        operand(*e.operands[1]);
        if (e.operands.size() < 3) break;
        out_ += " escape ";
        operand(*e.operands[2]);
        break;
      case operation::between:
        out_ += maybe;
        out_ += " between ";
        operand(*e.operands[1]);
        out_ += " and ";
        operand(*e.operands[2]);
        break;
      case operation::in_list:
        out_ += maybe;
        out_ += " in (";
        operand_list(e.operands.subspan(1));
        out_ += ')';
        break;
      case operation::in_subquery:
        out_ += maybe;
        out_ += " in ";
        subquery(e);
        break;
      default:
        out_ += symbol_of(e.op);
        operand(*e.operands[1]);
    }
  }

  void single(const expression& e) {
    switch (e.op) {
      case operation::text:
        out_ += quoted_text(e.text);
        break;
      case operation::null:
        out_ += "null";
        break;
      case operation::column:
        out_ += quote_name(e.text);
        break;
      case operation::all_columns:
        out_ += '*';
        break;
      case operation::subquery:
        subquery(e);
        break;
      case operation::call:
        out_ += e.text;
        out_ += '(';
        list(e.operands);
        out_ += ')';
        break;
      case operation::aggregate:
        aggregate(e);
        break;
      case operation::interval:
        interval(e);
        break;
      default:
        out_ += e.text;  // a number, true, false
    }
  }

  void aggregate(const expression& e) {
    out_ += e.text;
    out_ += e.distinct ? "(distinct " : "(";
    if (e.operands.empty()) out_ += '*';
    const std::size_t begin = out_.size();
    list(e.operands);
    // Before an operator, `distinct` is the name of a column.
    const std::string_view listed = std::string_view(out_).substr(begin);
    if (e.distinct && (listed.starts_with("not ") || listed.starts_with('!'))) {
      out_.insert(begin, 1, '(');
      out_ += ')';
    }
    out_ += ')';
  }

  void interval(const expression& e) {
    const expression& amount = *e.operands[0];
    const bool is_plain = amount.op == operation::text || amount.op == operation::number ||
                          amount.op == operation::column ||
                          (amount.op == operation::negate && amount.operands[0]->op == operation::number);
    out_ += is_plain ? "interval " : "interval (";
    node(amount);
    if (!is_plain) out_ += ')';
    if (!e.text.empty()) out_ += ' ';
    out_ += e.text;
  }

  std::string& out_;
};

}  // namespace

void print_expression(std::string& out, const expression& e) {
  expression_printer(out).print(e, binding_or);
}

void print_computed(std::string& out, const expression& e) {
  expression_printer(out).computed(e);
}

}  // namespace pubsubsql::parser
