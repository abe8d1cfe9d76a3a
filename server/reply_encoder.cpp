#include "server/reply_encoder.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "parser/utf8.hpp"
#include "server/json.hpp"
#include "server/message_writer.hpp"
#include "storage/table.hpp"

namespace pubsubsql::server {

using storage::column_index;
using storage::outcome;
using storage::reply_kind;
using storage::row_view;
using storage::table;

namespace {

void append_ok(std::string& out, std::string_view action) {
  out += R"({"status":"ok","action":")";
  out += action;
  out += '"';
}

void append_number_member(std::string& out, std::string_view name, std::uint64_t number) {
  out += ",\"";
  out += name;
  out += "\":";
  append_number(out, number);
}

/// A store's text may have cut a character in two when it quotes a value.
std::string to_valid_utf8(std::string_view text) {
  std::string valid(text);
  for (;;) {
    const std::size_t at = parser::find_invalid_utf8(valid);
    if (at == std::string_view::npos) return valid;
    valid[at] = '?';
  }
}

/// The text need not be valid UTF-8.
void append_text_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  append_json_string(out, to_valid_utf8(text));
}

void append_value(std::string& out, const storage::value& v) {
  if (v) {
    append_json_string(out, *v);
  } else {
    out += "null";
  }
}

template <typename Names>
void append_names(std::string& out, const Names& names) {
  char separator = '[';
  for (const std::string_view name : names) {
    out += separator;
    append_json_string(out, name);
    separator = ',';
  }
  out += ']';
}

/// Rows whose text is at most this long, and of no more columns, are written into memory of the stack first.
constexpr std::size_t short_row_bytes = 4'096;
constexpr std::size_t short_row_columns = 64;

/// Calls with_id(), text(value) and between() in the order of the columns.
template <typename Id, typename Value, typename Between>
void for_each_value(row_view row, std::span<const column_index> columns, Id&& id, Value&& value, Between&& between) {
  row_view::cursor rising(row);
  column_index last = storage::id_column;
  bool first = true;
  for (const column_index column : columns) {
    if (!std::exchange(first, false)) between();
    if (column == storage::id_column) {
      id();
    } else if (column > last) {
      value(rising.at(column));
      last = column;
    } else {
      value(row.at(column));
    }
  }
}

char* write_value(char* out, const storage::value& v) {
  return v ? write_json_string(out, *v) : write_text(out, "null");
}

char* write_short_row(char* out, row_view row, std::span<const column_index> columns) {
  *out++ = '[';
  for_each_value(
      row, columns,
      [&] {
        if (!row.has_id()) {
          out = write_text(out, "null");
          return;
        }
        *out++ = '"';
        out = write_number(out, row.id());
        *out++ = '"';
      },
      [&](const storage::value& v) { out = write_value(out, v); }, [&] { *out++ = ','; });
  *out++ = ']';
  return out;
}

void append_row(std::string& out, row_view row, std::span<const column_index> columns) {
  // A column may be asked for more than once: each time it may bring nearly all of the row.
  if (columns.size() <= short_row_columns && row.size() * columns.size() <= short_row_bytes) {
    char text[json_string_room(short_row_bytes) + short_row_columns * (number_room + 3) + 2];
    out.append(text, write_short_row(text, row, columns));
    return;
  }
  out += '[';
  for_each_value(
      row, columns,
      [&] {
        if (!row.has_id()) {
          out += "null";
          return;
        }
        out += '"';
        append_number(out, row.id());
        out += '"';
      },
      [&](const storage::value& v) { append_value(out, v); }, [&] { out += ','; });
  out += ']';
}

/// Calls message(first, last) for each batch of rows, numbered from 0, `last` behind the end; once when there is none.
template <typename Message>
void for_each_batch(std::size_t rows, Message&& message, std::size_t batch_max = rows_per_message) {
  std::size_t first = 0;
  do {
    const std::size_t last = std::min(first + batch_max, rows);
    message(first, last);
    first = last;
  } while (first < rows);
}

/// How many rows a message to there has.
std::size_t batch_max(const reply_address& to, std::size_t rows) {
  return to.is_whole ? std::max(rows, rows_per_message) : rows_per_message;
}

void encode_rows(std::string& out, const reply_address& to, const outcome& o, column_lists& lists) {
  const auto message_of = [&](std::size_t first, std::size_t last) {
    message_writer message(out, to.mode, to.request_id);
    append_ok(out, o.action);
    out += ",\"columns\":";
    out += lists.of(*o.about, o.columns);
    append_row_counts(out, o.data.size(), first < last ? first + 1 : 0, last);
    for (std::size_t row = first; row < last; ++row) {
      if (row > first) out += ',';
      append_row(out, o.data[row], o.columns);
    }
    out += "]}";
    message.end();
  };
  for_each_batch(o.data.size(), message_of, batch_max(to, o.data.size()));
}

/// Where the subscription tells positions, the last message says that it is the last one, and there is one.
void encode_snapshot(std::string& out, const reply_address& to, const outcome& o, column_lists& lists) {
  if (o.data.empty() && !o.tells_positions) return;
  for_each_batch(o.data.size(), [&](std::size_t first, std::size_t last) {
    message_writer message(out, to.mode, 0);
    append_ok(out, "add");
    out += ",\"pubsubid\":\"";
    append_number(out, o.pubsubid);
    out += "\",\"columns\":";
    if (o.titles.empty()) {
      out += lists.of(*o.about, o.columns);
    } else {
      append_names(out, o.titles);
    }
    append_row_counts(out, last - first, first < last ? 1 : 0, last - first);
    for (std::size_t row = first; row < last; ++row) {
      if (row > first) out += ',';
      append_row(out, o.data[row], o.columns);
    }
    out += ']';
    if (o.tells_positions) append_number_member(out, "seq", o.position);
    if (o.tells_positions && last == o.data.size()) out += R"(,"snapshot":"end")";
    out += '}';
    message.end();
  });
}

/// What a subscription has missed, as the events that it would have been.
void encode_replayed(std::string& out, const reply_address& to, const outcome& o, column_lists& lists) {
  encoded_event e;
  const storage::event* first = nullptr;
  const auto write = [&] {
    if (first != nullptr) append_event(out, to.mode, e, o.pubsubid, e.sequence);
  };
  for (const storage::event& next : o.replayed) {
    const bool joins = first != nullptr && first->action == next.action && e.count < rows_per_message &&
                       std::ranges::equal(first->columns, next.columns);
    if (joins) {
      append_event_row(e, next);
      continue;
    }
    write();
    first = &next;
    encode_event(e, *o.about, next, lists);
  }
  write();
}

void encode_brief(std::string& out, const reply_address& to, const outcome& o) {
  message_writer message(out, to.mode, to.request_id);
  char text[256];  // the words of the protocol and a number
  char* end = write_text(text, R"({"status":"ok","action":")");
  end = write_text(end, o.action);
  end = write_text(end, "\"");
  if (o.kind == reply_kind::count) end = write_number(write_text(end, ",\"rows\":"), o.rows);
  if (o.kind == reply_kind::unsubscribed) end = write_number(write_text(end, ",\"subscriptions\":"), o.rows);
  if (o.kind == reply_kind::subscribed) {
    end = write_number(write_text(end, ",\"pubsubid\":\""), o.pubsubid);
    end = write_text(end, "\"");
    if (o.tells_positions) end = write_number(write_text(end, ",\"seq\":"), o.position);
    if (o.resyncs) end = write_text(end, ",\"resync\":true");
  }
  if (!o.name.empty()) {
    out.append(text, end);
    append_text_member(out, "name", o.name);
    if (o.resumes) out += ",\"resumed\":true";
    end = text;
  }
  out.append(text, write_text(end, "}"));
  message.end();
}

/// Room for the part of a message that counts its rows.
constexpr std::size_t row_counts_room = 128;

char* write_row_counts(char* out, std::size_t rows, std::size_t first, std::size_t last) {
  out = write_number(write_text(out, ",\"rows\":"), rows);
  out = write_number(write_text(out, ",\"fromrow\":"), first);
  out = write_number(write_text(out, ",\"torow\":"), last);
  return write_text(out, ",\"data\":[");
}

}  // namespace

void append_row_counts(std::string& out, std::size_t rows, std::size_t first, std::size_t last) {
  char text[row_counts_room];
  out.append(text, write_row_counts(text, rows, first, last));
}

void encode_reply(std::string& out, const reply_address& to, const outcome& o, column_lists& lists) {
  if (o.failure) {
    encode_error(out, to, *o.failure);
    return;
  }
  switch (o.kind) {
    case reply_kind::rows:
      encode_rows(out, to, o, lists);
      break;
    case reply_kind::listing:
      encode_listing(out, to, o.action, o.listing_columns, o.listing_rows);
      break;
    case reply_kind::done:
    case reply_kind::count:
    case reply_kind::unsubscribed:
      encode_brief(out, to, o);
      break;
    case reply_kind::subscribed:
      encode_brief(out, to, o);
      if (o.snapshot) encode_snapshot(out, to, o, lists);
      encode_replayed(out, to, o, lists);
      break;
  }
}

void encode_nothing(std::string& out, const reply_address& to) {
  message_writer(out, to.mode, to.request_id).end();
}

void encode_error(std::string& out, const reply_address& to, std::string_view text, std::optional<std::size_t> offset) {
  message_writer message(out, to.mode, to.request_id);
  out += R"({"status":"err","msg":)";
  append_json_string(out, text);
  if (offset) append_number_member(out, "offset", *offset);
  out += '}';
  message.end();
}

void encode_error(std::string& out, const reply_address& to, const parser::syntax_error& e) {
  encode_error(out, to, parser::message(e), e.offset);
}

void encode_error(std::string& out, const reply_address& to, const storage::error& e) {
  if (e.mysql_code == 0) return encode_error(out, to, e.message);
  encode_store_error(out, to, {.code = e.mysql_code, .sqlstate = std::string(e.sqlstate), .message = e.message});
}

void encode_store_error(std::string& out, const reply_address& to, const storage::durable::store_error& e) {
  message_writer message(out, to.mode, to.request_id);
  out += R"({"status":"err","msg":)";
  append_json_string(out, to_valid_utf8(e.message));
  append_number_member(out, "code", static_cast<std::uint64_t>(e.code));
  if (!e.sqlstate.empty()) append_text_member(out, "sqlstate", e.sqlstate);
  out += '}';
  message.end();
}

void encode_listing(std::string& out, const reply_address& to, std::string_view action,
                    std::span<const std::string_view> columns, std::span<const storage::value> rows) {
  if (to.stream) return;
  const std::size_t width = columns.size();
  const std::size_t count = rows.size() / width;
  const auto message_of = [&](std::size_t first, std::size_t last) {
    message_writer message(out, to.mode, to.request_id);
    append_ok(out, action);
    out += ",\"columns\":";
    append_names(out, columns);
    append_row_counts(out, count, first < last ? first + 1 : 0, last);
    for (std::size_t i = first * width; i < last * width; ++i) {
      if (i % width == 0) {
        out += i > first * width ? "],[" : "[";
      } else {
        out += ',';
      }
      append_value(out, rows[i]);
    }
    out += first < last ? "]]}" : "]}";
    message.end();
  };
  for_each_batch(count, message_of, batch_max(to, count));
}

void encode_facts(std::string& out, const reply_address& to, std::string_view action,
                  std::span<const std::pair<std::string_view, std::uint64_t>> numbers,
                  std::span<const std::pair<std::string_view, std::string_view>> texts,
                  std::span<const std::pair<std::string_view, std::uint64_t>> more_numbers) {
  if (to.stream) return;
  message_writer message(out, to.mode, to.request_id);
  append_ok(out, action);
  for (const auto& [name, number] : numbers) append_number_member(out, name, number);
  for (const auto& [name, text] : texts) {
    if (!text.empty()) append_text_member(out, name, text);
  }
  for (const auto& [name, number] : more_numbers) append_number_member(out, name, number);
  out += '}';
  message.end();
}

std::string_view name_of(storage::event_action action) {
  switch (action) {
    case storage::event_action::add:
      return "add";
    case storage::event_action::insert:
      return "insert";
    case storage::event_action::update:
      return "update";
    case storage::event_action::remove:
      return "remove";
    case storage::event_action::delete_row:
      return "delete";
    case storage::event_action::publish:
      return "publish";
  }
  return "";
}

bool is_error_message(std::string_view message) {
  constexpr std::string_view number = R"({"requestid":)";
  constexpr std::string_view failed = R"("status":"err")";
  if (message.starts_with(number)) {
    message.remove_prefix(std::min(message.find(',', number.size()), message.size()));
  }
  return message.size() > 1 && message.substr(1).starts_with(failed);
}

std::uint64_t rows_of(std::string_view reply) {
  // Texts cannot have it: their quotes are escaped.
  constexpr std::string_view member = R"(,"rows":)";
  const std::size_t at = reply.find(member);
  std::uint64_t rows = 0;
  if (at != std::string_view::npos) {
    std::from_chars(reply.data() + at + member.size(), reply.data() + reply.size(), rows);
  }
  return rows;
}

void encode_names(std::string& out, const reply_address& to, std::string_view action, std::string_view member,
                  std::span<const std::string> names) {
  if (to.stream) return;
  message_writer message(out, to.mode, to.request_id);
  append_ok(out, action);
  out += ",\"";
  out += member;
  out += "\":[";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, names[i]);
  }
  out += "]}";
  message.end();
}

void encode_count(std::string& out, const reply_address& to, std::string_view action, std::uint64_t rows) {
  const std::pair<std::string_view, std::uint64_t> count[] = {{"rows", rows}};
  encode_facts(out, to, action, count, {});
}

std::string event_head(storage::event_action action) {
  std::string head;
  append_ok(head, name_of(action));
  head += ",\"pubsubid\":\"";
  return head;
}

namespace {

/// The beginning of a message about a subscription that has no rows: its own members follow, and append_no_rows().
void append_notice(std::string& out, std::string_view action, std::uint64_t pubsubid) {
  append_ok(out, action);
  out += ",\"pubsubid\":\"";
  append_number(out, pubsubid);
  out += '"';
}

void append_no_rows(std::string& out) {
  out += R"(,"columns":[])";
  append_row_counts(out, 0, 0, 0);
  out += ']';
}

}  // namespace

void append_gap(std::string& out, parser::wire_mode mode, std::uint64_t pubsubid, std::uint64_t lost,
                std::uint64_t position) {
  message_writer message(out, mode, 0);
  append_notice(out, "gap", pubsubid);
  append_number_member(out, "lost", lost);
  append_no_rows(out);
  if (position != 0) append_number_member(out, "seq", position);
  out += '}';
  message.end();
}

void append_ended(std::string& out, parser::wire_mode mode, std::uint64_t pubsubid, std::string_view why) {
  message_writer message(out, mode, 0);
  append_notice(out, "ended", pubsubid);
  append_text_member(out, "msg", why);
  append_no_rows(out);
  out += '}';
  message.end();
}

void append_first_rows(std::string& out, parser::wire_mode mode, const outcome& o, column_lists& lists) {
  encode_snapshot(out, {.mode = mode, .request_id = 0}, o, lists);
}

void encode_event(encoded_event& out, const table& t, const storage::event& e, column_lists& lists) {
  out.head.clear();
  append_ok(out.head, name_of(e.action));
  out.head += ",\"pubsubid\":\"";
  out.columns = "\",\"columns\":";
  if (e.titles.empty()) {
    out.columns += lists.of(t, e.columns);
  } else {
    append_names(out.columns, e.titles);
  }
  out.rows.clear();
  append_row(out.rows, e.row, e.columns);
  out.count = 1;
  out.action = e.action;
  out.first_sequence = out.sequence = e.sequence;
  out.parts.clear();
  if (e.is_keyed) out.parts.push_back({.row = e.row.position(), .end = out.rows.size()});
}

void append_event_row(encoded_event& out, const storage::event& e) {
  out.rows += ',';
  append_row(out.rows, e.row, e.columns);
  ++out.count;
  out.sequence = e.sequence;
  if (e.is_keyed) out.parts.push_back({.row = e.row.position(), .end = out.rows.size()});
}

namespace {

/// Room for what comes behind the rows.
constexpr std::size_t event_end_room = number_room + 16;

char* write_event_end(char* out, parser::wire_mode mode, std::uint64_t position) {
  *out++ = ']';
  if (position != 0) out = write_number(write_text(out, ",\"seq\":"), position);
  *out++ = '}';
  if (mode != parser::wire_mode::framed) *out++ = '\n';
  return out;
}

}  // namespace

void append_event_end(std::string& out, parser::wire_mode mode, std::uint64_t position) {
  char text[event_end_room];
  out.append(text, write_event_end(text, mode, position));
}

std::size_t event_end_bytes(parser::wire_mode mode, std::uint64_t position) {
  if (position == 0) return mode == parser::wire_mode::framed ? 2 : 3;
  char text[event_end_room];
  return static_cast<std::size_t>(write_event_end(text, mode, position) - text);
}

void append_event_start(std::string& out, parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid,
                        std::uint64_t position) {
  constexpr std::string_view one_row = R"(,"rows":1,"fromrow":1,"torow":1,"data":[)";
  char digits[number_room];
  const std::string_view number(digits, static_cast<std::size_t>(write_number(digits, pubsubid) - digits));
  char text[row_counts_room];
  std::string_view counts = one_row;
  if (e.count != 1) counts = {text, static_cast<std::size_t>(write_row_counts(text, e.count, 1, e.count) - text)};

  const bool framed = mode == parser::wire_mode::framed;
  const std::size_t bytes = e.head.size() + number.size() + e.columns.size() + counts.size();
  const std::size_t begin = out.size();
  out.resize(begin + (framed ? parser::frame_header_bytes : 0) + bytes);
  char* end = out.data() + begin;
  if (framed) {
    const std::size_t payload = bytes + e.rows.size() + event_end_bytes(mode, position);
    const auto header = parser::encode({.payload_bytes = static_cast<std::uint32_t>(payload), .request_id = 0});
    end = write_text(end, {header.data(), header.size()});
  }
  for (const std::string_view part : {std::string_view(e.head), number, std::string_view(e.columns), counts}) {
    end = write_text(end, part);
  }
}

void append_event(std::string& out, parser::wire_mode mode, const encoded_event& e, std::uint64_t pubsubid,
                  std::uint64_t position) {
  append_event_start(out, mode, e, pubsubid, position);
  out += e.rows;
  append_event_end(out, mode, position);
}

}  // namespace pubsubsql::server
