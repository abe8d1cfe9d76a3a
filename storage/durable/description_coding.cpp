#include "storage/durable/description_coding.hpp"

#include <algorithm>

namespace pubsubsql::storage::durable {

namespace {

// What kind of a table it is, in one byte
constexpr unsigned declared_bit = 1;
constexpr unsigned queue_bit = 2;

void put_optional_facts(std::string& out, const std::optional<column_facts>& f) {
  put(out, static_cast<std::uint8_t>(f.has_value()));
  if (f) put_facts(out, *f);
}

std::optional<column_facts> take_optional_facts(byte_reader& in) {
  bool there = false;
  in.take_flag(there);
  if (!there) return std::nullopt;
  return take_facts(in);
}

void put_index(std::string& out, const index_description& index) {
  put_text(out, index.name);
  put(out, index.type);
  put(out, static_cast<std::uint32_t>(index.columns.size()));
  for (const column_index column : index.columns) put(out, column);
}

index_description take_index(byte_reader& in, std::size_t columns) {
  index_description index;
  index.name = in.take_text();
  index.type = in.take<parser::index_type>();
  if (index.type > parser::index_type::primary) in.fail();
  const auto count = in.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.good(); ++i) {
    index.columns.push_back(in.take<column_index>());
    if (index.columns.back() > columns) in.fail();
  }
  return index;
}

}  // namespace

std::uint8_t to_byte(const std::optional<parser::ack_mode>& ack) {
  return ack ? static_cast<std::uint8_t>(static_cast<std::uint8_t>(*ack) + 1) : std::uint8_t{0};
}

std::optional<parser::ack_mode> to_ack(std::uint8_t byte) {
  if (byte == 0 || byte > 2) return std::nullopt;
  return static_cast<parser::ack_mode>(byte - 1);
}

void put_history(std::string& out, const std::optional<parser::history_setting>& h) {
  put(out, static_cast<std::uint8_t>(h.has_value()));
  if (!h) return;
  put(out, static_cast<std::uint8_t>(h->on));
  for (const std::optional<std::uint64_t>& bound : {h->bytes, h->seconds}) {
    put(out, static_cast<std::uint8_t>(bound.has_value()));
    put(out, bound.value_or(0));
  }
}

std::optional<parser::history_setting> take_history(byte_reader& in) {
  bool there = false;
  in.take_flag(there);
  if (!there) return std::nullopt;
  parser::history_setting h;
  in.take_flag(h.on);
  for (std::optional<std::uint64_t>* bound : {&h.bytes, &h.seconds}) {
    bool is_set = false;
    in.take_flag(is_set);
    const auto number = in.take<std::uint64_t>();
    if (is_set) *bound = number;
  }
  return h;
}

void put_facts(std::string& out, const column_facts& f) {
  put_text(out, f.type);
  put(out, static_cast<std::uint8_t>(f.nullable));
  put(out, static_cast<std::uint8_t>(f.default_text.has_value()));
  if (f.default_text) put_text(out, *f.default_text);
  put_text(out, f.extra);
  put(out, static_cast<std::uint8_t>(f.untyped));
}

column_facts take_facts(byte_reader& in) {
  column_facts f;
  f.type = in.take_text();
  in.take_flag(f.nullable);
  bool has_default = false;
  in.take_flag(has_default);
  if (has_default) f.default_text = in.take_text();
  f.extra = in.take_text();
  in.take_flag(f.untyped);
  return f;
}

void put_queue(std::string& out, const queue_settings& q) {
  put(out, static_cast<std::uint8_t>(q.durable));
  put(out, q.lease_us);
  put(out, q.attempts_max);
  put(out, q.delay_us);
  put_text(out, q.dead_letter);
  put(out, q.priority);
  put(out, q.first_own);
}

queue_settings take_queue(byte_reader& in) {
  queue_settings q;
  in.take_flag(q.durable);
  q.lease_us = in.take<std::int64_t>();
  q.attempts_max = in.take<std::uint64_t>();
  q.delay_us = in.take<std::int64_t>();
  q.dead_letter = in.take_text();
  q.priority = in.take<column_index>();
  q.first_own = in.take<column_index>();
  return q;
}

void put_description(std::string& out, const table_description& d) {
  put_text(out, d.name);
  put(out, static_cast<std::uint32_t>(d.columns.size()));
  for (const table_description::column& c : d.columns) {
    put_text(out, c.name);
    put(out, c.index);
    put(out, static_cast<std::uint8_t>(c.dropped));
    put_optional_facts(out, c.facts);
  }
  put(out, static_cast<std::uint32_t>(d.indexes.size()));
  for (const index_description& index : d.indexes) put_index(out, index);
  put(out, d.primary_column.value_or(id_column));
  put(out, d.next_id);
  put(out, d.sequence);
  put(out, to_byte(d.ack));
  put(out, static_cast<std::uint8_t>(d.hides_id));
  put_optional_facts(out, d.id_facts);
  put(out, static_cast<std::uint8_t>((d.declared ? declared_bit : 0U) | (d.queue ? queue_bit : 0U)));
  put_text(out, d.read_only_reason);
  if (d.queue) put_queue(out, *d.queue);
}

table_description take_description(byte_reader& in) {
  table_description d;
  d.name = in.take_text();
  const auto columns = in.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < columns && in.good(); ++i) {
    table_description::column& c = d.columns.emplace_back();
    c.name = in.take_text();
    c.index = in.take<index_kind>();
    if (c.index > index_kind::tag) in.fail();
    in.take_flag(c.dropped);
    c.facts = take_optional_facts(in);
  }
  const auto indexes = in.take<std::uint32_t>();
  for (std::uint32_t i = 0; i < indexes && in.good(); ++i) d.indexes.push_back(take_index(in, columns));
  const auto primary = in.take<column_index>();
  if (primary > columns) in.fail();
  if (primary != id_column) d.primary_column = primary;
  d.next_id = in.take<std::uint64_t>();
  d.sequence = in.take<std::uint64_t>();
  d.ack = to_ack(in.take<std::uint8_t>());
  in.take_flag(d.hides_id);
  d.id_facts = take_optional_facts(in);
  const auto kinds = in.take<std::uint8_t>();
  if (kinds > (declared_bit | queue_bit)) in.fail();
  d.declared = (kinds & declared_bit) != 0;
  d.read_only_reason = in.take_text();
  if ((kinds & queue_bit) != 0) {
    d.queue = take_queue(in);
    if (d.queue->first_own == id_column || d.queue->first_own + queue_settings::own_columns > d.columns.size() + 1 ||
        d.queue->priority > d.columns.size()) {
      in.fail();
    }
  }
  return d;
}

}  // namespace pubsubsql::storage::durable
