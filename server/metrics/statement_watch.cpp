#include "server/metrics/statement_watch.hpp"

#include <algorithm>
#include <memory>

#include "parser/secrets.hpp"
#include "server/metrics/steady_clock.hpp"

namespace pubsubsql::server {

namespace {

constexpr bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (byte < 0x20 || byte == 0x7F) {
    out += "\\x";
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  } else {
    out += c;
  }
}

}  // namespace

void statement_watch::time(std::uint16_t weight) {
  weight_ = weight;
  started_ns_ = last_ns_ != 0 ? last_ns_ : steady_clock_ns();
}

bool statement_watch::count(std::int64_t duration_ns, std::uint16_t weight) {
  counters_.statement_durations.add(duration_ns, weight);
  if (slow_ns_ == 0 || duration_ns < slow_ns_) return false;
  ++counters_.slow_statements;
  return true;
}

statement_mark statement_watch::hand_over() {
  if (!is_running_) return {};
  is_running_ = false;
  statement_mark m{.started_ns = started_ns_, .weight = weight_, .is_statement = true, .kind = kind_};
  if (slow_ns_ > 0) m.text = std::make_unique<const std::string>(shown_statement(sql_, kind_));
  return m;
}

bool statement_watch::end_timed() {
  last_ns_ = steady_clock_ns();
  return count(last_ns_ - started_ns_, weight_);
}

statement_watch::slow_statement statement_watch::slow() const {
  return {.duration_ns = last_ns_ - started_ns_, .text = shown_statement(sql_, kind_), .answered = answer_};
}

std::optional<statement_watch::slow_statement> statement_watch::answered(const statement_mark& m, const answer& a) {
  if (!m.is_statement) return std::nullopt;
  if (a.is_error) ++counters_.errors[m.kind];
  if (m.weight == 0) return std::nullopt;
  const std::int64_t duration_ns = steady_clock_ns() - m.started_ns;
  if (!count(duration_ns, m.weight)) return std::nullopt;
  return slow_statement{.duration_ns = duration_ns, .text = m.text != nullptr ? *m.text : std::string(), .answered = a};
}

std::string shown_statement(std::string_view sql, verb kind) {
  if (kind == unreadable_verb) return "(a statement that cannot be read)";
  if (takes_password(kind) || parser::holds_secret(sql))
    return "(a statement with a password: " + std::string(name_of_verb(kind)) + ")";
  std::size_t bytes = std::min(sql.size(), statement_watch::text_bytes_max);
  while (bytes > 0 && bytes < sql.size() && continues_character(sql[bytes])) --bytes;
  std::string out = "\"";
  for (const char c : sql.substr(0, bytes)) append_escaped(out, c);
  out += '"';
  if (bytes < sql.size()) out += " and " + std::to_string(sql.size() - bytes) + " more bytes";
  return out;
}

}  // namespace pubsubsql::server
