#include "client/cli/completion.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "client/cli/command.hpp"
#include "parser/keywords.hpp"
#include "parser/print.hpp"

namespace pubsubsql::cli {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c | 0x20) : c;
}

char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}

std::string mapped(std::string_view text, char (*change)(char)) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), change);
  return out;
}

/// The words of a text, backquotes removed; good enough to guess from, which is all that completion does.
std::vector<std::string> words_of(std::string_view text) {
  static constexpr std::string_view separators = " \t\r\n,()=;'`*";
  std::vector<std::string> words;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

class collector {
 public:
  collector(const catalog& known, std::string_view word) : known_(known), word_(word) {}

  void tables() {
    for (const auto& [table, columns] : known_.tables()) offer(parser::quote_name(table));
  }

  void columns_of(const std::string& table) {
    const auto found = known_.tables().find(table);
    if (found == known_.tables().end()) return;
    for (const std::string& column : found->second) offer(parser::quote_name(column));
  }

  void keywords() {
    const bool upper = !word_.empty() && std::all_of(word_.begin(), word_.end(), is_upper);
    const std::string wanted = mapped(word_, to_lower);
    for (const std::string_view keyword : parser::keywords()) {
      if (keyword.starts_with(wanted)) found_.insert(mapped(keyword, upper ? to_upper : to_lower));
    }
  }

  void all_of(std::span<const std::string_view> texts) {
    for (const std::string_view text : texts) offer(std::string(text));
  }

  [[nodiscard]] std::vector<std::string> found() const { return {found_.begin(), found_.end()}; }

 private:
  void offer(std::string text) {
    if (text.starts_with(word_)) found_.insert(std::move(text));
  }

  const catalog& known_;
  std::string_view word_;
  std::set<std::string> found_;
};

void collect_for_command(collector& c, const std::vector<std::string>& words) {
  static constexpr std::array<std::string_view, 4> formats{"csv", "json", "table", "vertical"};
  const std::string_view name = words.front();
  if (name == "\\format") c.all_of(formats);
  if (name == "\\d" || (name == "\\export" && words.size() == 1)) c.tables();
  if (name == "\\import" && words.back() == "into") c.tables();
}

}  // namespace

void catalog::set_tables(const std::vector<std::string>& tables) {
  std::map<std::string, std::vector<std::string>> now;
  for (const std::string& table : tables) {
    const auto before = tables_.find(table);
    now.emplace(table, before == tables_.end() ? std::vector<std::string>{} : std::move(before->second));
  }
  tables_ = std::move(now);
}

void catalog::set_columns(const std::string& table, std::vector<std::string> columns) {
  tables_[table] = std::move(columns);
}

void catalog::forget_columns() {
  for (auto& [table, columns] : tables_) columns.clear();
}

std::vector<std::string> tables_named(const catalog& known, std::string_view text) {
  std::vector<std::string> named;
  for (std::string& word : words_of(text)) {
    if (known.tables().contains(word)) named.push_back(std::move(word));
  }
  return named;
}

std::vector<std::string> candidates(const catalog& known, std::string_view before, std::string_view word) {
  collector c(known, word);
  const std::vector<std::string> words = words_of(before);
  if (words.empty() && word.starts_with('\\')) {
    c.all_of(command_names());
    return c.found();
  }
  if (!words.empty() && words.front().starts_with('\\')) {
    collect_for_command(c, words);
    return c.found();
  }
  const std::string last = words.empty() ? std::string() : mapped(words.back(), to_lower);
  const bool first_word_before = words.size() == 1;
  if (one_of(last, {"from", "into", "table"}) ||
      (first_word_before && one_of(last, {"update", "describe", "desc", "explain", "truncate", "key", "tag"}))) {
    c.tables();
    return c.found();
  }
  for (const std::string& table : tables_named(known, before)) c.columns_of(table);
  c.keywords();
  return c.found();
}

}  // namespace pubsubsql::cli
