#include "client/cli/table_format.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/text.hpp"

namespace pubsubsql::cli {
namespace {

constexpr std::size_t column_width_min = 8;  // no column is cut to less than this

struct column_layout {
  std::size_t width = 0;
  bool numbers = true;  // every value is a number or NULL, and one is a number
};

bool is_number(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789.", text.starts_with('-') ? 1 : 0);
  return digits == std::string_view::npos && text.find_first_of("0123456789") != std::string_view::npos &&
         std::count(text.begin(), text.end(), '.') <= 1;
}

std::string shown(const value& v) {
  return v.is_null() ? "NULL" : escaped(v.text());
}

std::vector<column_layout> measure(const rows& data) {
  std::vector<column_layout> columns(data.columns().size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    bool seen = false;
    columns[c].width = display_width(escaped(data.columns()[c]));
    for (std::size_t r = 0; r < data.size(); ++r) {
      const value v = data.at(r, c);
      columns[c].width = std::max(columns[c].width, display_width(shown(v)));
      seen = seen || !v.is_null();
      columns[c].numbers = columns[c].numbers && (v.is_null() || is_number(v.text()));
    }
    columns[c].numbers = columns[c].numbers && seen;
  }
  return columns;
}

/// Takes width from the widest columns; true when something had to give way.
bool shrink(std::vector<column_layout>& columns, std::size_t available) {
  std::size_t total = 1;
  for (const auto& c : columns) total += c.width + 3;
  bool cut = false;
  while (total > available) {
    const auto widest =
        std::max_element(columns.begin(), columns.end(), [](auto& a, auto& b) { return a.width < b.width; });
    if (widest->width <= column_width_min) return cut;
    std::size_t next = column_width_min;
    for (const auto& c : columns) {
      if (c.width < widest->width) next = std::max(next, c.width);
    }
    const std::size_t give = std::min(widest->width - next, total - available);
    widest->width -= std::max<std::size_t>(give, 1);
    total -= std::max<std::size_t>(give, 1);
    cut = true;
  }
  return cut;
}

void write_rule(std::ostream& out, const std::vector<column_layout>& columns) {
  for (const auto& c : columns) out << '+' << std::string(c.width + 2, '-');
  out << "+\n";
}

void write_cell(std::ostream& out, const std::string& text, const column_layout& column, bool right) {
  const std::string fitting = clipped(text, column.width);
  const std::string padding(column.width - display_width(fitting), ' ');
  out << "| " << (right ? padding + fitting : fitting + padding) << ' ';
}

}  // namespace

void write_table(std::ostream& out, const rows& data, std::size_t width) {
  auto columns = measure(data);
  const bool cut = width != 0 && shrink(columns, width);
  write_rule(out, columns);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    write_cell(out, escaped(data.columns()[c]), columns[c], columns[c].numbers);
  }
  out << "|\n";
  write_rule(out, columns);
  for (std::size_t r = 0; r < data.size(); ++r) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      write_cell(out, shown(data.at(r, c)), columns[c], columns[c].numbers);
    }
    out << "|\n";
  }
  if (!data.empty()) write_rule(out, columns);
  if (cut) out << "(cut to fit the terminal; \\format vertical shows whole values)\n";
}

}  // namespace pubsubsql::cli
