#include "tests/unit/storage/engine_driver.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

#include "parser/parser.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

namespace {

std::string text_of(const value& v) {
  return v ? std::string(*v) : "null";
}

std::string text_of(row_view row, std::span<const column_index> columns) {
  std::string out;
  for (const column_index column : columns) {
    if (!out.empty()) out += ',';
    out += column == id_column ? std::to_string(row.id()) : text_of(row.at(column));
  }
  return out;
}

std::string names_of(const table& t, std::span<const column_index> columns,
                     std::span<const std::string_view> titles = {}) {
  std::string out;
  if (!titles.empty()) {
    for (const std::string_view title : titles) out.append(out.empty() ? "" : ",").append(title);
    return out;
  }
  for (const column_index column : columns) {
    if (!out.empty()) out += ',';
    out += t.column_name(column);
  }
  return out;
}

std::string rows_of(const outcome& o) {
  std::string out = " " + names_of(*o.about, o.columns, o.titles) + ":";
  for (const row_view row : o.data) out += " " + text_of(row, o.columns);
  return out;
}

std::string listing_of(const outcome& o) {
  std::string out;
  const std::size_t width = o.listing_columns.size();
  for (std::size_t i = 0; i < o.listing_rows.size(); ++i) {
    out += (i % width == 0 ? " " : ",") + text_of(o.listing_rows[i]);
  }
  return out;
}

std::string reply_of(const outcome& o) {
  if (o.failure) return "error: " + o.failure->message;
  std::string out(o.action);
  switch (o.kind) {
    case reply_kind::done:
      return out;
    case reply_kind::count:
    case reply_kind::unsubscribed:
      return out + " " + std::to_string(o.rows);
    case reply_kind::rows:
      return out + rows_of(o);
    case reply_kind::subscribed:
      return out + " " + std::to_string(o.pubsubid) + (o.snapshot ? rows_of(o) : "");
    case reply_kind::listing:
      return out + listing_of(o);
  }
  return out;
}

std::string_view name_of(event_action action) {
  switch (action) {
    case event_action::add:
      return "add";
    case event_action::insert:
      return "insert";
    case event_action::update:
      return "update";
    case event_action::remove:
      return "remove";
    case event_action::publish:
      return "publish";
    case event_action::delete_row:
      return "delete";
  }
  return "";
}

std::string change_of(const table& t, const change& c) {
  const auto column = [&] { return std::string(t.column_name(c.column)); };
  const auto row = [&](row_view r) { return text_of(r, t.all_columns()); };
  std::string number = std::to_string(c.sequence) + " ";
  switch (c.kind) {
    case change_kind::create_table:
      return number + "create_table " + std::string(t.name());
    case change_kind::add_column:
      return number + "add_column " + column();
    case change_kind::add_key:
      return number + "add_key " + column();
    case change_kind::add_tag:
      return number + "add_tag " + column();
    case change_kind::set_ack:
      return number + "set_ack";
    case change_kind::set_history:
      return number + "set_history";
    case change_kind::add_binding:
      return number + "add_binding " + std::string(c.name);
    case change_kind::drop_binding:
      return number + "drop_binding " + std::string(c.name);
    case change_kind::add_subscription:
      return number + "add_subscription " + unpack_subscription(c.name)->name;
    case change_kind::drop_subscription:
      return number + "drop_subscription " + unpack_subscription(c.name)->name;
    case change_kind::acknowledge:
      return number + "acknowledge " + unpack_acknowledgement(c.name)->name;
    case change_kind::insert_row:
      return number + "insert_row " + row(c.after);
    case change_kind::update_row:
      return number + "update_row " + row(c.before) + " -> " + row(c.after) + " set " + names_of(t, c.assigned);
    case change_kind::delete_row:
      return number + "delete_row " + row(c.before);
    case change_kind::drop_table:
      return number + "drop_table " + std::string(c.name);
    case change_kind::drop_column:
      return number + "drop_column " + std::string(c.name);
    case change_kind::add_index:
      return number + "add_index " + std::string(c.name) + " " + names_of(t, c.assigned);
    case change_kind::drop_index:
      return number + "drop_index " + std::string(c.name) + " " + names_of(t, c.assigned);
  }
  return number;
}

}  // namespace

std::string engine_driver::run(std::string_view sql, std::uint64_t subscriber) {
  if (++statements_ % 2 == 0) database_.prefetch(cache_.expect({&sql, 1}));
  const parser::statement* const parsed = cache_.parse(sql);
  if (parsed == nullptr) throw std::invalid_argument(std::string(sql) + ": " + parser::message(cache_.error()));
  const auto user = users_.find(subscriber);
  const outcome& o = database_.execute(*parsed, {.subscriber = subscriber_id{subscriber},
                                                 .pubsubid = next_pubsubid_,
                                                 .user = user == users_.end() ? nullptr : user->second.get()});
  events_.clear();
  changes_.clear();
  copies_.clear();
  kept_ = nullptr;
  if (o.failure) return reply_of(o);
  if (o.kind == reply_kind::subscribed) ++next_pubsubid_;
  for (const event& e : o.events) {
    for (const event_target& target : e.targets) {
      events_.push_back("s" + std::to_string(static_cast<std::uint64_t>(target.subscriber)) + "/" +
                        std::to_string(target.pubsubid) + " " + std::string(name_of(e.action)) + " " +
                        names_of(*o.about, e.columns, e.titles) + ": " + text_of(e.row, e.columns));
    }
  }
  for (const row_copies& c : o.copies) {
    copies_.push_back(std::string(c.queue) + " " + names_of(*o.about, o.copied_columns) + ":");
    for (const row_view row : c.rows) copies_.back() += " " + text_of(row, o.copied_columns);
  }
  for (const change& c : o.changes) changes_.push_back(change_of(*o.about, c));
  if (!o.changes.empty()) kept_ = std::make_shared<const durable::statement_changes>(*o.about, o.changes);
  return reply_of(o);
}

std::string engine_driver::run_all(std::string_view sql, std::uint64_t subscriber) {
  std::string out = run(sql, subscriber);
  for (const std::string& e : events_) out += "\n" + e;
  return out;
}

namespace {

/// Looks the row up by each of its indexed values.
std::string check_indexes(const table& t, row_number row) {
  for (column_index column = 0; column < t.column_count(); ++column) {
    if (t.index_of(column) == index_kind::none) continue;
    const std::string id = std::to_string(t.get(row).id());
    const value v = column == id_column ? value{id} : t.get(row).at(column);
    if (!v) continue;
    std::vector<row_number> found;
    t.find_equal(column, *v, found);
    const auto same = std::ranges::count(found, row);
    if (same != 1 || (t.index_of(column) == index_kind::key && found.size() != 1)) {
      return " NOT FOUND BY " + std::string(t.column_name(column));
    }
  }
  return {};
}

/// Name, columns and rows of an ordered index, in its order, and whether that is the order of their keys.
std::string dump_ordered(const table& t, const ordered_index& index) {
  std::string out = "\n" + std::string(index.name()) + (index.unique() ? " unique" : "") + " over " +
                    names_of(t, index.columns()) + ":";
  std::string last;
  row_position last_position = 0;
  index.visit({}, [&](row_number number) {
    const row_view row = t.get(number);
    std::string key;
    for (std::size_t i = 0; i < index.columns().size(); ++i) {
      const std::string id = std::to_string(row.id());
      const column_index column = index.columns()[i];
      index.append_key(key, i, column == id_column ? value{id} : row.at(column));
    }
    if (key < last || (key == last && row.position() <= last_position)) out += " OUT OF ORDER";
    out += " " + std::to_string(row.id());
    last = key;
    last_position = row.position();
    return true;
  });
  if (index.size() != t.row_count()) out += " OF ANOTHER SIZE";
  return out;
}

}  // namespace

std::string dump(const table& t) {
  static constexpr std::string_view kinds[] = {"", "*key", "*tag"};
  std::string out(t.name());
  for (column_index c = 0; c < t.column_count(); ++c) {
    out += " " + std::string(t.column_name(c)) + std::string(kinds[static_cast<std::size_t>(t.index_of(c))]);
  }
  out += " next " + std::to_string(t.next_id()) + " sequence " + std::to_string(t.sequence());
  out += " ack " + (t.ack() ? std::to_string(static_cast<int>(*t.ack())) : "default");
  std::vector<row_number> rows;
  t.find_all(rows);
  for (const row_number row : rows) {
    out += "\n" + std::to_string(t.get(row).position()) + ": " + text_of(t.get(row), t.all_columns());
    out += check_indexes(t, row);
  }
  for (const auto& index : t.ordered_indexes()) out += dump_ordered(t, *index);
  for (const binding_description& b : t.description().bindings) out += "\nbound " + b.queue + " where " + b.where;
  return out;
}

}  // namespace pubsubsql::storage
