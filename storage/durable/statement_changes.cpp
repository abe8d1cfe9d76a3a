#include "storage/durable/statement_changes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "storage/durable/byte_coding.hpp"
#include "storage/durable/description_coding.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage::durable {

static_assert(std::endian::native == std::endian::little, "rows are stored on disk as they are in memory");

namespace {

bool same(std::span<const column_index> a, std::span<const column_index> b) {
  return a.data() == b.data() && a.size() == b.size();
}

/// Those of an add_key are as journals of earlier versions have them.
bool has_index_type(change_kind kind) {
  return kind == change_kind::add_index || kind == change_kind::drop_index;
}

bool has_declared(change_kind kind) {
  return kind == change_kind::create_table || kind == change_kind::drop_table;
}

bool has_facts(change_kind kind) {
  return kind == change_kind::add_column || kind == change_kind::drop_column;
}

/// Whether the bytes are one row, whole and sound, or none where there is to be none.
bool is_row(std::string_view bytes, bool expected) {
  if (!expected) return bytes.empty();
  std::vector<value> values;
  return row_view::read_values(bytes, values) && row_view(bytes.data()).size() == bytes.size();
}

/// Whether the table goes, and subscribers keep its name.
bool leaves_a_name(std::span<const change> changes) {
  const auto dropped = std::ranges::find(changes, change_kind::drop_table, &change::kind);
  return std::any_of(dropped, changes.end(),
                     [](const change& c) { return c.kind == change_kind::create_table && c.declared == nullptr; });
}

}  // namespace

statement_changes::statement_changes(const table& t, std::span<const change> changes)
    : next_id_(leaves_a_name(changes) ? 0 : t.next_id()) {
  own(t.name(), changes);
  own_descriptions(&t);
  if (const change_history* const h = t.history()) {
    kept_ = {.time_us = h->latest_us(), .begins_after = h->begins_after(), .columns = t.column_count()};
  }
  if (!t.gets_keys_outside()) return;
  const auto lacks_key = [&](const change& c) {
    return c.kind == change_kind::insert_row && !c.after.at(*t.key_from_outside());
  };
  if (std::ranges::any_of(changes, lacks_key)) wanted_key_ = t.column_name(*t.key_from_outside());
}

static_assert(std::is_trivially_copyable_v<change> && std::is_trivially_destructible_v<change>);
static_assert(alignof(change) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ && alignof(change) % alignof(column_index) == 0);

void statement_changes::own(std::string_view table, std::span<const change> changes) {
  std::size_t texts = table.size();
  std::size_t assigned = 0;
  std::span<const column_index> last;
  for (const change& c : changes) {
    texts += c.before.bytes().size() + c.after.bytes().size() + c.name.size();
    if (!same(c.assigned, last)) assigned += c.assigned.size();
    last = c.assigned;
    changes_schema_ = changes_schema_ || (!is_about_rows(c.kind) && c.kind != change_kind::acknowledge);
  }
  const std::size_t bytes = changes.size_bytes() + assigned * sizeof(column_index) + texts;
  memory_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
  auto* const kept_changes = reinterpret_cast<change*>(memory_.get());
  std::uninitialized_copy(changes.begin(), changes.end(), kept_changes);
  changes_ = {kept_changes, changes.size()};
  auto* free_column = reinterpret_cast<column_index*>(kept_changes + changes.size());
  auto* free_text = reinterpret_cast<char*>(free_column + assigned);
  const auto keep = [&free_text](std::string_view what) {
    if (!what.empty()) std::memcpy(free_text, what.data(), what.size());
    const std::string_view kept(free_text, what.size());
    free_text += what.size();
    return kept;
  };
  table_ = keep(table);
  last = {};
  std::span<const column_index> kept;
  for (change& c : std::span(kept_changes, changes.size())) {
    if (c.before.data() != nullptr) c.before = row_view(keep(c.before.bytes()).data());
    if (c.after.data() != nullptr) c.after = row_view(keep(c.after.bytes()).data());
    c.name = keep(c.name);
    if (!same(c.assigned, last)) {
      last = c.assigned;
      kept = {free_column, last.size()};
      free_column = std::uninitialized_copy(last.begin(), last.end(), free_column);
    }
    c.assigned = c.assigned.empty() ? std::span<const column_index>() : kept;
  }
  memory_bytes_ = sizeof *this + bytes;
}

struct statement_changes::descriptions {
  std::deque<table_description> tables;
  std::deque<column_facts> facts;
  std::deque<history_change> histories;
};

/// Copies what the changes refer to, and makes up for what those that take something away do not say of it; that is
/// still known to the table, if there is one.
void statement_changes::own_descriptions(const table* t) {
  if (!changes_schema_) return;
  auto made = std::make_shared<descriptions>();
  for (change& c : std::span(reinterpret_cast<change*>(memory_.get()), changes_.size())) {
    if (c.kind == change_kind::drop_table && c.declared == nullptr && t != nullptr) {
      c.declared = &made->tables.emplace_back(t->description());
    } else if (has_declared(c.kind) && c.declared != nullptr) {
      c.declared = &made->tables.emplace_back(*c.declared);
    }
    if (c.kind == change_kind::drop_column && c.facts == nullptr && t != nullptr) c.facts = t->facts_of(c.column);
    if (has_facts(c.kind) && c.facts != nullptr) c.facts = &made->facts.emplace_back(*c.facts);
    if (c.history != nullptr) c.history = &made->histories.emplace_back(*c.history);
  }
  if (!made->tables.empty() || !made->facts.empty() || !made->histories.empty()) descriptions_ = std::move(made);
}

void statement_changes::encode(std::string& out) const {
  if (descriptions_ != nullptr) {
    put(out, later_format);
    put(out, described_format);
  }
  encode_changes(out, descriptions_ != nullptr);
}

void statement_changes::encode_changes(std::string& out, bool described) const {
  put_text(out, table_);
  put(out, next_id_);
  put(out, static_cast<std::uint32_t>(changes_.size()));
  for (const change& c : changes_) {
    put(out, c.kind);
    put(out, c.sequence);
    put(out, c.column);
    put(out, to_byte(c.ack));
    put_text(out, c.name);
    put_text(out, c.before.bytes());
    put_text(out, c.after.bytes());
    put(out, static_cast<std::uint32_t>(c.assigned.size()));
    for (const column_index column : c.assigned) put(out, column);
    if (has_index_type(c.kind)) put(out, c.index);
    if (!described) continue;
    if (has_declared(c.kind)) {
      put(out, static_cast<std::uint8_t>(c.declared != nullptr));
      if (c.declared != nullptr) put_description(out, *c.declared);
    }
    if (has_facts(c.kind)) {
      put(out, static_cast<std::uint8_t>(c.facts != nullptr));
      if (c.facts != nullptr) put_facts(out, *c.facts);
    }
    if (c.kind == change_kind::set_history) {
      put_history(out, c.history->before);
      put_history(out, c.history->after);
    }
  }
}

std::shared_ptr<const statement_changes> statement_changes::decode(std::string_view bytes) {
  byte_reader in(bytes);
  const bool described = byte_reader(bytes).take<std::uint32_t>() == later_format;
  if (described) {
    static_cast<void>(in.take<std::uint32_t>());
    if (in.take<std::uint8_t>() != described_format) return nullptr;
  }
  std::shared_ptr<statement_changes> made(new statement_changes());
  const std::string_view table = in.take_text();
  made->next_id_ = in.take<std::uint64_t>();
  const auto count = in.take<std::uint32_t>();
  std::vector<change> changes;
  std::vector<std::vector<column_index>> assigned;
  std::deque<table_description> tables;
  std::deque<column_facts> facts;
  std::deque<history_change> histories;
  for (std::uint32_t i = 0; i < count && in.good(); ++i) {
    change& c = changes.emplace_back();
    c.kind = in.take<change_kind>();
    c.sequence = in.take<std::uint64_t>();
    c.column = in.take<column_index>();
    c.ack = to_ack(in.take<std::uint8_t>());
    c.name = in.take_text();
    const std::string_view before = in.take_text();
    const std::string_view after = in.take_text();
    if (c.kind > change_kind::acknowledge) return nullptr;
    const bool has_before = c.kind == change_kind::update_row || c.kind == change_kind::delete_row;
    const bool has_after = c.kind == change_kind::insert_row || c.kind == change_kind::update_row;
    if (!is_row(before, has_before) || !is_row(after, has_after)) return nullptr;
    if (!before.empty()) c.before = row_view(before.data());
    if (!after.empty()) c.after = row_view(after.data());
    std::vector<column_index>& columns = assigned.emplace_back();
    const auto columns_count = in.take<std::uint32_t>();
    for (std::uint32_t j = 0; j < columns_count && in.good(); ++j) columns.push_back(in.take<column_index>());
    c.assigned = columns;
    if (has_index_type(c.kind)) c.index = in.take<parser::index_type>();
    if (c.index > parser::index_type::primary) return nullptr;
    bool follows = false;
    if (described && (has_declared(c.kind) || has_facts(c.kind))) in.take_flag(follows);
    if (follows && has_declared(c.kind)) c.declared = &tables.emplace_back(take_description(in));
    if (follows && has_facts(c.kind)) c.facts = &facts.emplace_back(take_facts(in));
    if (c.kind == change_kind::set_history) {
      if (!described) return nullptr;
      history_change& h = histories.emplace_back();
      h.before = take_history(in);
      h.after = take_history(in);
      c.history = &h;
    }
  }
  if (!in.good() || !in.at_end() || changes.empty()) return nullptr;
  made->own(table, changes);
  made->own_descriptions(nullptr);
  return made;
}

}  // namespace pubsubsql::storage::durable
