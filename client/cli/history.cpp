#include "client/cli/history.hpp"

// readline's headers use FILE without including its header.
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <readline/history.h>

#include "parser/secrets.hpp"

namespace pubsubsql::cli {

std::optional<std::filesystem::path> history_file() {
  const auto variable = [](const char* name) { return std::string_view(std::getenv(name) ? std::getenv(name) : ""); };
  if (const auto state = variable("XDG_STATE_HOME"); !state.empty()) {
    return std::filesystem::path(state) / "pubsubsql" / "history";
  }
  if (const auto home = variable("HOME"); !home.empty()) return std::filesystem::path(home) / ".pubsubsql_history";
  return std::nullopt;
}

std::optional<std::string> history_entry(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::nullopt;
  std::string entry(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
  if (parser::holds_secret(entry)) return std::nullopt;
  // Joined lines would put what follows a comment into the comment, and change a text that has several lines.
  const bool joinable = entry.find("--") == std::string::npos && entry.find('\'') == std::string::npos;
  if (entry.find('\n') == std::string::npos) return entry;
  if (!joinable) return std::nullopt;
  for (char& c : entry) c = c == '\n' ? ' ' : c;
  return entry;
}

history::history() {
  ::using_history();
  ::stifle_history(entries_max);
  file_ = history_file().value_or("");
  if (file_.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(file_.parent_path(), ignored);
  if (::read_history(file_.c_str()) != 0) {
    ::write_history(file_.c_str());  // makes the file, readable by its owner alone
  } else {
    ::history_truncate_file(file_.c_str(), entries_max);
  }
}

void history::add(std::string_view text) {
  auto entry = history_entry(text);
  if (!entry || *entry == last_) return;
  ::add_history(entry->c_str());
  if (!file_.empty()) ::append_history(1, file_.c_str());
  last_ = std::move(*entry);
}

}  // namespace pubsubsql::cli
