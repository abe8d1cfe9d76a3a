#include "storage/durable/history_coding.hpp"

#include "storage/durable/checksum.hpp"

namespace pubsubsql::storage::durable {

namespace {

bool is_row(std::string_view bytes, std::size_t columns) {
  std::vector<value> values;
  return row_view::read_values(bytes, values) && values.size() <= columns &&
         row_view(bytes.data()).size() == bytes.size();
}

}  // namespace

void row_sum::add(row_position position, std::span<const value> values) {
  fnv_1a hash;
  hash.add(static_cast<std::uint64_t>(position));
  for (std::size_t column = 1; column < values.size(); ++column) {
    if (!values[column]) continue;
    hash.add(std::uint64_t{column});
    hash.add(std::uint64_t{values[column]->size()});
    hash.add(*values[column]);
  }
  ++rows_;
  sum_ += hash.hash();
}

row_sum sum_of(const table& t) {
  std::vector<row_number> rows;
  t.find_all(rows);
  row_sum sum;
  std::vector<value> values;
  for (const row_number number : rows) {
    const row_view row = t.get(number);
    static_cast<void>(row_view::read_values(row.bytes(), values));  // it is memory's own
    sum.add(row.position(), values);
  }
  return sum;
}

void put_head(std::string& out, const history_head& h) {
  for (const std::uint64_t number : {h.sequence, h.begins_after, h.rows.rows(), h.rows.sum()}) put(out, number);
  put(out, static_cast<std::uint32_t>(h.columns.size()));
  for (const std::string& name : h.columns) put_text(out, name);
}

history_head take_head(byte_reader& in) {
  history_head h;
  h.sequence = in.take<std::uint64_t>();
  h.begins_after = in.take<std::uint64_t>();
  const auto rows = in.take<std::uint64_t>();
  h.rows = row_sum(rows, in.take<std::uint64_t>());
  const auto columns = in.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < columns && in.good(); ++i) h.columns.emplace_back(in.take_text());
  return h;
}

void put_change(std::string& out, const past_change& c) {
  put(out, c.sequence);
  put(out, c.time_us);
  put(out, c.kind);
  put(out, c.columns);
  put_text(out, c.before.bytes());
  put_text(out, c.after.bytes());
  put(out, static_cast<std::uint32_t>(c.assigned.size()));
  for (const column_index column : c.assigned) put(out, column);
}

past_change take_change(byte_reader& in, std::size_t columns, std::vector<column_index>& assigned) {
  past_change c;
  c.sequence = in.take<std::uint64_t>();
  c.time_us = in.take<std::int64_t>();
  c.kind = in.take<change_kind>();
  c.columns = in.take<std::uint32_t>();
  if (c.kind > change_kind::acknowledge || c.columns > columns) in.fail();
  const std::string_view before = in.take_text();
  const std::string_view after = in.take_text();
  if (!set_rows(c, before, after)) in.fail();
  assigned.clear();
  const auto count = in.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.good(); ++i) {
    assigned.push_back(in.take<column_index>());
    if (assigned.back() >= c.columns) in.fail();
  }
  c.assigned = assigned;
  return c;
}

bool set_rows(past_change& c, std::string_view before, std::string_view after) {
  if (c.kind == change_kind::update_row || c.kind == change_kind::delete_row) {
    if (!is_row(before, c.columns)) return false;
    c.before = row_view(before.data());
  }
  if (c.kind == change_kind::update_row || c.kind == change_kind::insert_row) {
    if (!is_row(after, c.columns)) return false;
    c.after = row_view(after.data());
  }
  return true;
}

}  // namespace pubsubsql::storage::durable
