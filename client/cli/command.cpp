#include "client/cli/command.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "parser/print.hpp"

namespace pubsubsql::cli {
namespace {

using parsed = result<command, std::string>;

constexpr std::string_view white_space = " \t";

constexpr std::string_view help_text =
    R"(Statements end with ';' and may take several lines. Ctrl-C drops the line or stops waiting, Ctrl-D quits.

  \?                             this help
  \c [HOST[:PORT]]               connect, or connect again
  \dt                            list the tables
  \d TABLE                       describe a table
  \format table|json|csv|vertical   how results and events are shown
  \timing                        show how long statements take, or stop doing so
  \import FILE.csv into TABLE [on error continue]
                                 insert the rows of a file; its first line names the columns. An empty field is
                                 NULL, "" is the empty string, a column 'id' is left to the server
  \export TABLE to FILE.csv      write a table, or what a statement returns, into a file
  \export select ... to FILE.csv
  \wait N [SECONDS]              wait until N events have come (10 seconds at most if not said otherwise)
  \q                             quit

A few statements to start with:

  insert into stocks (ticker, price) values (IBM, 120.5);
  select * from stocks where ticker = IBM;
  subscribe * from stocks;       -- changes of the table now appear here as they happen
)";

constexpr std::array<std::string_view, 11> names{"\\?",      "\\c", "\\d",      "\\dt",   "\\export", "\\format",
                                                 "\\import", "\\q", "\\timing", "\\wait", "\\help"};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(white_space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

/// Takes the next word off the front: up to white space, or what is in quotes.
std::string take_word(std::string_view& text) {
  text = trimmed(text);
  std::string word;
  if (!text.empty() && std::string_view("'\"`").find(text.front()) != std::string_view::npos) {
    const std::size_t end = text.find(text.front(), 1);
    word = text.substr(1, end == std::string_view::npos ? end : end - 1);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  } else {
    word = text.substr(0, text.find_first_of(white_space));
    text.remove_prefix(word.size());
  }
  text = trimmed(text);
  return word;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

template <typename Number>
bool read_number(std::string_view text, Number& out) {
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, out);
  return failure == std::errc{} && stop == end && !text.empty();
}

parsed parse_connect(std::string_view rest) {
  if (rest.empty()) return command(connect_command{});
  auto where = parse_address(take_word(rest));
  if (!where || !rest.empty()) return std::string("write \\c [HOST[:PORT]]");
  return command(connect_command{std::move(where->host), where->port});
}

parsed parse_format(std::string_view rest) {
  if (const auto format = format_named(lower(rest))) return command(format_command{*format});
  return std::string("write \\format table, json, csv or vertical");
}

parsed parse_import(std::string_view rest) {
  import_command c;
  c.file = take_word(rest);
  const std::string into = lower(take_word(rest));
  c.table = take_word(rest);
  const std::string option = lower(rest);
  c.go_on = option == "on error continue";
  const bool known = option.empty() || c.go_on || option == "on error stop";
  if (c.file.empty() || into != "into" || c.table.empty() || !known) {
    return std::string("write \\import FILE.csv into TABLE [on error continue]");
  }
  return command(std::move(c));
}

parsed parse_export(std::string_view rest) {
  const std::string usage = "write \\export TABLE to FILE.csv, or \\export select ... to FILE.csv";
  const std::size_t to = lower(rest).rfind(" to ");
  if (to == std::string_view::npos) return usage;
  std::string_view source = trimmed(rest.substr(0, to));
  std::string_view target = rest.substr(to + 4);
  export_command c;
  c.file = take_word(target);
  if (source.empty() || c.file.empty() || !target.empty()) return usage;
  const bool statement = source.front() != '`' && source.find_first_of(white_space) != std::string_view::npos;
  c.statement = statement ? std::string(source) : "select * from " + parser::quote_name(take_word(source));
  return command(std::move(c));
}

parsed parse_wait(std::string_view rest) {
  wait_command c;
  const bool count = read_number(take_word(rest), c.events);
  const bool seconds = rest.empty() || (read_number(take_word(rest), c.seconds) && c.seconds >= 0 && c.seconds < 1e6);
  if (!count || !seconds || !rest.empty()) return std::string("write \\wait EVENTS [SECONDS]");
  return command(c);
}

parsed parse_describe(std::string_view rest) {
  describe_command c{take_word(rest)};
  if (c.table.empty() || !rest.empty()) return std::string("write \\d TABLE");
  return command(std::move(c));
}

}  // namespace

std::optional<address> parse_address(std::string_view text) {
  address a;
  std::string_view port;
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  if (bracket != std::string_view::npos) {
    a.host = text.substr(1, bracket - 1);
    port = text.substr(bracket + 1);
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
  } else {
    const std::size_t colon = text.find(':');
    const bool ipv6 = colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos;
    a.host = text.substr(0, ipv6 ? std::string_view::npos : colon);
    if (!ipv6 && colon != std::string_view::npos) port = text.substr(colon);
  }
  if (!port.empty() && !read_number(port.substr(1), a.port.emplace())) return std::nullopt;
  if (a.host.empty()) return std::nullopt;
  return a;
}

parsed parse_command(std::string_view line) {
  std::string_view rest = line;
  const std::string name = take_word(rest);
  if (name == "\\c" || name == "\\connect") return parse_connect(rest);
  if (name == "\\format") return parse_format(rest);
  if (name == "\\import") return parse_import(rest);
  if (name == "\\export") return parse_export(rest);
  if (name == "\\wait") return parse_wait(rest);
  if (name == "\\d" && !rest.empty()) return parse_describe(rest);
  if (!rest.empty()) return "nothing may follow " + name + "; \\? lists the commands";
  if (name == "\\?" || name == "\\h" || name == "\\help") return command(help_command{});
  if (name == "\\q" || name == "\\quit") return command(quit_command{});
  if (name == "\\dt" || name == "\\d") return command(tables_command{});
  if (name == "\\timing") return command(timing_command{});
  return "there is no command " + name + "; \\? lists the commands";
}

std::span<const std::string_view> command_names() {
  return names;
}

std::string_view command_help() {
  return help_text;
}

}  // namespace pubsubsql::cli
