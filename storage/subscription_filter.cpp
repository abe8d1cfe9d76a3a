#include "storage/subscription_filter.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <utility>
#include <variant>

#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

namespace {

/// Enough for what most predicates compute on their way.
constexpr std::size_t usual_bytes = 512;

void add_missing(const table& of, std::string_view name, std::vector<std::string>& missing) {
  if (!of.find_column(name)) missing.emplace_back(name);
}

void add_missing(const table& of, const parser::expression& e, std::vector<std::string>& missing) {
  if (e.op == parser::operation::column) add_missing(of, e.text, missing);
  for (const parser::expression* operand : e.operands) add_missing(of, *operand, missing);
}

}  // namespace

std::optional<error> subscription_filter::make(const parser::condition& where, std::span<const std::string> needed,
                                               const table& of, std::unique_ptr<subscription_filter>& out) {
  auto made = std::make_unique<subscription_filter>();
  made->needed_.assign(needed.begin(), needed.end());
  if (auto failed = made->bind_to(of, where)) return failed;
  parser::statement any;
  any.body = parser::subscribe_statement{.skip = true, .table = "t", .where = where};
  made->statement_ = parser::print(any);
  out = std::move(made);
  return std::nullopt;
}

std::optional<error> subscription_filter::bind_to(const table& of, const parser::condition& where) {
  sql::name_scope names;
  names.of = &of;
  names.unknown_is_null = true;
  missing_.clear();
  if (where.predicate != nullptr) {
    add_missing(of, *where.predicate, missing_);
  } else {
    add_missing(of, where.column, missing_);
  }
  std::ranges::sort(missing_);
  missing_.erase(std::unique(missing_.begin(), missing_.end()), missing_.end());
  const auto is_missing = [this](const std::string& name) { return std::ranges::binary_search(missing_, name); };
  if (std::ranges::any_of(needed_, is_missing)) {
    const parser::expression never{.op = parser::operation::null};
    return sql::bound_expression::bind(never, names, predicate_);
  }
  return where.predicate != nullptr ? sql::bound_expression::bind(*where.predicate, names, predicate_)
                                    : sql::bound_expression::bind(where, names, predicate_);
}

void subscription_filter::bind(const table& of) {
  parser::statement_arena arena;
  const auto parsed = parser::parse(statement_, arena);
  // What could be read and bound once can be again: names that are gone are NULL.
  static_cast<void>(bind_to(of, *std::get<parser::subscribe_statement>(parsed->body).where));
}

std::string subscription_filter::canonical_text() const {
  std::string text = predicate_.canonical_text();
  for (const std::string& name : needed_) text.append("\nneeds ").append(name);
  return text;
}

bool subscription_filter::matches(row_view row, std::int64_t now_us, sql::work_budget& budget) const {
  std::array<std::byte, usual_bytes> bytes;
  std::pmr::monotonic_buffer_resource memory(bytes.data(), bytes.size());
  sql::evaluation e(memory, now_us, &budget);
  // What cannot be computed for a row, such as a sum that is out of range, does not match.
  return predicate_.is_true({.row = row}, e) && !e.failure();
}

}  // namespace pubsubsql::storage
