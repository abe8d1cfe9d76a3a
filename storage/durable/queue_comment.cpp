#include "storage/durable/queue_comment.hpp"

#include <algorithm>
#include <array>

#include "parser/parser.hpp"
#include "parser/print.hpp"

namespace pubsubsql::storage::durable {

namespace {

/// Behind it stand the options of `create queue`.
constexpr std::string_view mark = "; queue ";

/// A queue of any columns, in the words of the dialect.
constexpr std::string_view any_queue = "create queue q (c) ";

column_index find_column(const table_description& d, std::string_view name) {
  const auto it =
      std::ranges::find_if(d.columns, [&](const table_description::column& c) { return c.name == name && !c.dropped; });
  return it == d.columns.end() ? id_column : static_cast<column_index>(it - d.columns.begin() + 1);
}

}  // namespace

std::string queue_comment(const table_description& d) {
  if (!d.queue) return {};
  const queue_settings& q = *d.queue;
  constexpr std::int64_t millisecond_us = 1'000;
  std::string text(mark);
  if (q.durable) text += "durable ";
  text += "lease " + std::to_string(q.lease_us / millisecond_us) + " milliseconds max attempts " +
          std::to_string(q.attempts_max) + " delay " + std::to_string(q.delay_us / millisecond_us) + " milliseconds";
  if (!q.dead_letter.empty()) text += " dead letter " + parser::quote_name(q.dead_letter);
  if (q.priority != id_column) text += " priority " + parser::quote_name(d.columns[q.priority - 1].name);
  return text;
}

std::optional<queue_settings> read_queue_comment(std::string_view comment, const table_description& d) {
  const std::size_t at = comment.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string sql = std::string(any_queue) + std::string(comment.substr(at + mark.size()));
  parser::statement_arena arena;
  const auto parsed = parser::parse(sql, arena);
  const auto* const s = parsed ? std::get_if<parser::create_queue_statement>(&parsed->body) : nullptr;
  if (s == nullptr) return std::nullopt;
  queue_settings q{.durable = s->durable,
                   .lease_us = static_cast<std::int64_t>(s->lease.value_or(0)),
                   .attempts_max = s->attempts_max.value_or(0),
                   .delay_us = static_cast<std::int64_t>(s->delay.value_or(0)),
                   .dead_letter = std::string(s->dead_letter)};
  if (!s->priority.empty()) q.priority = find_column(d, s->priority);
  q.first_own = find_column(d, "attempts");
  constexpr std::array<std::string_view, queue_settings::own_columns> names = {"attempts", "available_at",
                                                                               "leased_until", "leased_by"};
  for (column_index i = 0; i < queue_settings::own_columns; ++i) {
    if (q.first_own == id_column || find_column(d, names[i]) != q.first_own + i) return std::nullopt;
  }
  return q;
}

}  // namespace pubsubsql::storage::durable
