#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pubsubsql::cli {

/// One thing to do: a statement without its `;`, or a `\` command.
struct piece {
  bool command = false;
  std::string text;
  std::uint64_t line = 0;  ///< where it begins, from 1
};

/// Gathers lines until a statement is whole. A line that begins with `\` where no statement is under way is a command.
class statement_accumulator {
 public:
  /// Takes a line without its line feed (one within is fine: pasted text).
  void add_line(std::string_view line);

  /// The next whole piece. Blank statements are left out.
  [[nodiscard]] std::optional<piece> next();

  /// At the end of the input: what is left is a statement too.
  [[nodiscard]] std::optional<piece> last();

  /// Whether a statement has begun that no `;` has ended yet.
  [[nodiscard]] bool under_way() const;

  /// The part of the statement under way that has been typed so far.
  [[nodiscard]] std::string_view rest() const { return std::string_view(text_).substr(begin_); }

  /// Forgets the statement under way.
  void clear();

 private:
  [[nodiscard]] std::optional<piece> take_command();
  [[nodiscard]] piece take(std::size_t bytes);
  void skip(std::size_t bytes);
  void drop_comments();
  void skip_white_space();

  std::string text_;  // text_[begin_...] is not taken yet
  std::size_t begin_ = 0;
  std::uint64_t line_ = 1;  // of text_[begin_]
  bool may_end_ = false;    // a `;` came since the last look for a statement's end
};

}  // namespace pubsubsql::cli
