#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "parser/parser.hpp"

namespace pubsubsql::parser {

/// Reads statements like parse(), faster when they repeat. Programs send few forms of statements again and again with
/// other values. What stands around the values of a form that was seen twice is kept with its tree; a statement that
/// agrees there only has its values read, and put into that tree. (Databases that share plans between such statements
/// call it forced or simple parameterization.)
///
/// It gives exactly what parse() gives: whatever is not certain to be of a known form goes there. Used by one thread at
/// a time. The forms take some hundred KB as a rule, a few MB at most.
class statement_cache {
 public:
  /// `parts_max`: what a statement may have of them, see statement_arena.
  explicit statement_cache(std::size_t parts_max = SIZE_MAX);
  ~statement_cache();
  statement_cache(const statement_cache&) = delete;
  statement_cache& operator=(const statement_cache&) = delete;

  /// The statement's tree, or nullptr: then error() says why there is none. The tree points into `sql` and is valid
  /// until the next call.
  [[nodiscard]] const statement* parse(std::string_view sql);

  /// A statement that was read ahead: another one of its form, and its own values in the order in which they are
  /// written, without those that are NULL in all statements of the form.
  struct expected_statement {
    const statement* like = nullptr;
    std::span<const std::string_view> values;
  };

  /// Reads statements ahead that will probably be parsed next, in this order. parse() of the same texts then has less
  /// to do. They must stay where they are until then. Returns those whose form is known; valid until the next call.
  std::span<const expected_statement> expect(std::span<const std::string_view> next);

  /// REQUIRES: the last parse() returned nullptr.
  [[nodiscard]] const syntax_error& error() const { return *error_; }

 private:
  struct outline;
  struct form;
  /// Forms that begin with the same bytes, by and large. Each use takes a form one place to the front; the last one
  /// goes.
  using bucket = std::array<std::unique_ptr<form>, 8>;
  static constexpr std::size_t bucket_count = 32;

  struct read_ahead {
    std::string_view sql;
    form* of = nullptr;  // nullptr: of no known form
    std::size_t first_value = 0;
  };

  /// The form of a statement, whose values are appended to `values`; nullptr when it is not known.
  [[nodiscard]] form* recognise(std::string_view sql, std::vector<std::string_view>& values);
  [[nodiscard]] bucket* bucket_of(std::string_view sql);
  void forget_last();
  /// Whether a form for this bucket may be kept: if there is room, or now and then instead of another.
  [[nodiscard]] bool has_a_chance(const bucket& b);
  void learn(std::string_view sql, bucket& into);

  std::array<bucket, bucket_count> buckets_;
  std::array<std::uint64_t, 256> seen_{};  // fingerprints of forms that were seen once, each at a place of its own
  unsigned chances_missed_ = 0;
  std::vector<std::string_view> values_;  // of the statement being read
  std::vector<read_ahead> ahead_;
  std::size_t next_ahead_ = 0;
  std::vector<std::string_view> values_ahead_;
  std::vector<expected_statement> expected_;
  statement_arena arena_;  // of a statement that is of no known form
  std::optional<statement> statement_;
  std::optional<syntax_error> error_;
};

}  // namespace pubsubsql::parser
