#include "client/cli/format.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

#include "client/cli/csv.hpp"
#include "client/cli/table_format.hpp"
#include "client/cli/text.hpp"

namespace pubsubsql::cli {
namespace {

constexpr std::array<std::pair<std::string_view, output_format>, 4> format_names{{
    {"table", output_format::table},
    {"json", output_format::json},
    {"csv", output_format::csv},
    {"vertical", output_format::vertical},
}};

/// A JSON string whose control characters, DEL and the C1 ones too, are escaped.
std::string json_text(std::string_view text) {
  const std::string plain = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string safe;
  safe.reserve(plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const auto byte = static_cast<unsigned char>(plain[i]);
    const auto next = i + 1 < plain.size() ? static_cast<unsigned char>(plain[i + 1]) : 0U;
    if (byte == 0x7f) {
      safe += "\\u007f";
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
      static constexpr std::string_view digits = "0123456789abcdef";
      safe += std::string("\\u00") + digits[next >> 4] + digits[next & 0xfU];
      ++i;
    } else {
      safe += plain[i];
    }
  }
  return safe;
}

std::string json_value(const value& v) {
  return v.is_null() ? "null" : json_text(v.text());
}

void write_json_rows(std::ostream& out, const rows& data) {
  out << ",\"columns\":[";
  for (std::size_t c = 0; c < data.columns().size(); ++c) out << (c == 0 ? "" : ",") << json_text(data.columns()[c]);
  out << "],\"rows\":" << data.size() << ",\"fromrow\":" << (data.empty() ? 0 : 1) << ",\"torow\":" << data.size()
      << ",\"data\":[";
  for (std::size_t r = 0; r < data.size(); ++r) {
    out << (r == 0 ? "[" : ",[");
    for (std::size_t c = 0; c < data.columns().size(); ++c) out << (c == 0 ? "" : ",") << json_value(data.at(r, c));
    out << ']';
  }
  out << ']';
}

bool counts_rows(const reply& r) {
  static constexpr std::array<std::string_view, 9> actions{"insert",  "update", "delete", "push", "pop",
                                                           "publish", "ack",    "nack",   "renew"};
  return std::find(actions.begin(), actions.end(), r.action()) != actions.end();
}

/// Facts of the same name are the elements of a list.
void write_json_facts(std::ostream& out, const std::vector<reply::fact>& facts) {
  const auto text = [](const std::string& t) {
    const bool whole_number = !t.empty() && t.size() < 16 && t.find_first_not_of("0123456789") == std::string::npos;
    return whole_number ? t : json_text(t);
  };
  for (auto first = facts.begin(); first != facts.end();) {
    const auto end = std::find_if(first, facts.end(), [&](const auto& f) { return f.first != first->first; });
    const bool list = end - first > 1;
    out << ',' << json_text(first->first) << (list ? ":[" : ":") << text(first->second);
    while (++first != end) out << ',' << text(first->second);
    if (list) out << ']';
  }
}

void write_json_reply(std::ostream& out, const reply& r, const layout& l) {
  out << "{\"status\":\"ok\",\"action\":" << json_text(r.action());
  if (r.pubsubid() != 0) out << ",\"pubsubid\":\"" << r.pubsubid() << '"';
  if (l.positions && r.seq()) out << ",\"seq\":" << *r.seq();
  if (l.positions && r.resync()) out << ",\"resync\":true";
  if (r.action() == "unsubscribe") out << ",\"subscriptions\":" << r.subscriptions();
  write_json_facts(out, r.facts());
  if (r.resumed()) out << ",\"resumed\":true";
  if (r.has_rows()) {
    write_json_rows(out, r.rows());
  } else if (counts_rows(r)) {
    out << ",\"rows\":" << r.affected();
  }
  out << "}\n";
}

/// For the csv format: what goes to a terminal must not take it over, what goes to a file must be exact.
std::string csv_shown(std::optional<std::string_view> v, const layout& l) {
  const std::string field = csv_field(v);
  return l.width == 0 ? field : escaped_lines(field);
}

void write_csv_row(std::ostream& out, const rows& data, std::size_t r, const layout& l) {
  for (std::size_t c = 0; c < data.columns().size(); ++c) {
    const value v = data.at(r, c);
    out << (c == 0 ? "" : ",") << csv_shown(v.is_null() ? std::nullopt : std::optional(v.text()), l);
  }
  out << '\n';
}

void write_csv(std::ostream& out, const rows& data, const layout& l) {
  for (std::size_t c = 0; c < data.columns().size(); ++c) out << (c == 0 ? "" : ",") << csv_shown(data.columns()[c], l);
  out << '\n';
  for (std::size_t r = 0; r < data.size(); ++r) write_csv_row(out, data, r, l);
}

void write_vertical(std::ostream& out, const rows& data) {
  std::size_t widest = 0;
  for (const auto& name : data.columns()) widest = std::max(widest, display_width(escaped(name)));
  for (std::size_t r = 0; r < data.size(); ++r) {
    out << "---- row " << r + 1 << " ----\n";
    for (std::size_t c = 0; c < data.columns().size(); ++c) {
      const std::string name = escaped(data.columns()[c]);
      const value v = data.at(r, c);
      out << std::string(widest - display_width(name), ' ') << name << ": "
          << (v.is_null() ? "NULL" : escaped_lines(v.text())) << '\n';
    }
  }
}

void write_rows(std::ostream& out, const rows& data, const layout& l) {
  switch (l.format) {
    case output_format::table:
      return write_table(out, data, l.width);
    case output_format::csv:
      return write_csv(out, data, l);
    case output_format::vertical:
      return write_vertical(out, data);
    case output_format::json:
      return;
  }
}

/// A value in an event line: quoted when it would not read as one word.
std::string word(const value& v) {
  if (v.is_null()) return "NULL";
  std::string text = escaped(v.text());
  if (!text.empty() && text != "NULL" && text.find_first_of(" ,='") == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

std::string heading(const event& e, const layout& l) {
  std::string text = "[" + std::string(pubsubsql::name_of(e.action));
  if (e.pubsubid != 0) text += " #" + std::to_string(e.pubsubid);
  if (l.positions && e.seq) text += " seq " + std::to_string(*e.seq);
  return text + "]";
}

bool is_notice(const event& e) {
  return e.action == event_action::resync || e.action == event_action::resumed || e.action == event_action::gap ||
         e.action == event_action::ended;
}

std::string notice_text(const event& e) {
  if (e.action == event_action::ended) {
    const bool is_told = e.pubsubid != 0;  // by the server
    return (is_told ? "the subscription has ended: " : "the subscription could not be made again: ") +
           escaped(e.message);
  }
  if (e.action == event_action::gap) {
    return std::to_string(e.lost) + " events were lost, for they were not read in time; the rows come again";
  }
  if (e.action == event_action::resumed) return "subscribed again after a reconnect; what was missed comes now";
  return "subscribed again; changes meanwhile were missed, and the rows come again";
}

void write_notice(std::ostream& out, const event& e, const layout& l) {
  out << heading(e, l) << ' ' << notice_text(e) << '\n';
}

void write_event_lines(std::ostream& out, const event& e, const layout& l) {
  for (std::size_t r = 0; r < e.rows.size(); ++r) {
    out << heading(e, l);
    for (std::size_t c = 0; c < e.rows.columns().size(); ++c) {
      out << (c == 0 ? " " : ", ") << escaped(e.rows.columns()[c]) << '=' << word(e.rows.at(r, c));
    }
    out << '\n';
  }
}

}  // namespace

std::optional<output_format> format_named(std::string_view name) {
  for (const auto& [known, format] : format_names) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::string_view name_of(output_format format) {
  for (const auto& [name, known] : format_names) {
    if (known == format) return name;
  }
  return {};
}

void write_reply(std::ostream& out, const reply& r, const layout& l) {
  if (l.format == output_format::json) return write_json_reply(out, r, l);
  if (r.has_rows()) return write_rows(out, r.rows(), l);
  for (const auto& [name, text] : r.facts()) out << escaped(name) << ": " << escaped(text) << '\n';
}

void write_event(std::ostream& out, const event& e, const layout& l) {
  const bool notice = is_notice(e);
  const bool end = e.snapshot_end && l.positions;
  if (e.snapshot_end && e.rows.empty() && !end) return;
  if (l.format == output_format::json) {
    out << "{\"status\":\"ok\",\"action\":\"" << pubsubsql::name_of(e.action) << "\",\"pubsubid\":\"" << e.pubsubid
        << '"';
    if (e.action == event_action::gap) out << ",\"lost\":" << e.lost;
    if (l.positions && e.seq) out << ",\"seq\":" << *e.seq;
    if (end) out << ",\"snapshot\":\"end\"";
    if (notice && !e.message.empty()) out << ",\"msg\":" << json_text(e.message);
    write_json_rows(out, e.rows);
    out << "}\n";
  } else if (l.format == output_format::csv) {
    for (std::size_t r = 0; r < e.rows.size(); ++r) {
      out << pubsubsql::name_of(e.action) << ',' << e.pubsubid << ',';
      write_csv_row(out, e.rows, r, l);
    }
  } else if (notice) {
    write_notice(out, e, l);
  } else if (l.format == output_format::vertical) {
    out << heading(e, l) << '\n';
    write_vertical(out, e.rows);
  } else {
    write_event_lines(out, e, l);
  }
  if (end && (l.format == output_format::table || l.format == output_format::vertical)) {
    out << heading(e, l) << " that was the last of the initial rows\n";
  }
}

void write_json_error(std::ostream& out, const error& e) {
  out << "{\"status\":\"err\",\"msg\":" << json_text(e.what());
  if (e.offset()) out << ",\"offset\":" << *e.offset();
  out << "}\n";
}

std::string counted(std::uint64_t n, std::string_view noun) {
  return std::to_string(n) + ' ' + std::string(noun) + (n == 1 ? "" : "s");
}

std::string summary(const reply& r) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> done{{{"insert", " inserted"},
                                                                                       {"push", " pushed"},
                                                                                       {"update", " updated"},
                                                                                       {"delete", " deleted"},
                                                                                       {"pop", " popped"},
                                                                                       {"publish", " published"},
                                                                                       {"ack", " acknowledged"},
                                                                                       {"nack", " returned"},
                                                                                       {"renew", " renewed"},
                                                                                       {"mysqlRepair", " corrected"}}};
  for (const auto& [action, participle] : done) {
    if (r.action() == action) return counted(r.affected(), "row") + std::string(participle);
  }
  if (r.action() == "subscribe") return "subscribed, pubsubid " + std::to_string(r.pubsubid());
  if (r.action() == "unsubscribe") return counted(r.subscriptions(), "subscription") + " ended";
  if (r.action() == "close") return "the server closed the connection";
  if (r.has_rows()) return counted(r.size(), "row");
  return "ok";
}

std::string duration_text(std::chrono::nanoseconds took) {
  std::array<char, 32> text{};
  const double ms = static_cast<double>(took.count()) / 1e6;
  if (ms < 1000) {
    std::snprintf(text.data(), text.size(), "%.1f ms", ms);
  } else {
    std::snprintf(text.data(), text.size(), "%.2f s", ms / 1000);
  }
  return text.data();
}

}  // namespace pubsubsql::cli
