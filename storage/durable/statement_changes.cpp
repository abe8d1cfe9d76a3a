#include "storage/durable/statement_changes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "storage/table.hpp"

namespace pubsubsql::storage::durable {

static_assert(std::endian::native == std::endian::little, "rows are stored on disk as they are in memory");

namespace {

bool same(std::span<const column_index> a, std::span<const column_index> b) {
  return a.data() == b.data() && a.size() == b.size();
}

template <typename T>
void put(std::string& out, T v) {
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

/// Takes things off the front of some bytes; once something is missing, everything is.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  T take() {
    T v{};
    if (const auto raw = take(sizeof v); good_) std::memcpy(&v, raw.data(), sizeof v);
    return v;
  }
  std::string_view take(std::size_t bytes) {
    good_ = good_ && bytes <= rest_.size();
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  std::string_view take_text() { return take(take<std::uint32_t>()); }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::uint8_t to_byte(const std::optional<parser::ack_mode>& ack) {
  return ack ? static_cast<std::uint8_t>(static_cast<std::uint8_t>(*ack) + 1) : std::uint8_t{0};
}

std::optional<parser::ack_mode> to_ack(std::uint8_t byte) {
  if (byte == 0 || byte > 2) return std::nullopt;
  return static_cast<parser::ack_mode>(byte - 1);
}

std::string_view bytes_of(row_view row) {
  return row.data() == nullptr ? std::string_view() : std::string_view(row.data(), row.size());
}

/// Those of an add_key are as journals of earlier versions have them.
bool has_index_type(change_kind kind) {
  return kind == change_kind::add_index || kind == change_kind::drop_index;
}

/// Whether the bytes are one row, whole and sound, or none where there is to be none.
bool is_row(std::string_view bytes, bool expected) {
  if (!expected) return bytes.empty();
  std::vector<value> values;
  return row_view::read_values(bytes, values) && row_view(bytes.data()).size() == bytes.size();
}

}  // namespace

statement_changes::statement_changes(const table& t, std::span<const change> changes) : next_id_(t.next_id()) {
  own(t.name(), changes);
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
    texts += bytes_of(c.before).size() + bytes_of(c.after).size() + c.name.size();
    if (!same(c.assigned, last)) assigned += c.assigned.size();
    last = c.assigned;
    changes_schema_ = changes_schema_ || !is_about_rows(c.kind);
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
    if (c.before.data() != nullptr) c.before = row_view(keep(bytes_of(c.before)).data());
    if (c.after.data() != nullptr) c.after = row_view(keep(bytes_of(c.after)).data());
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

void statement_changes::encode(std::string& out) const {
  put_text(out, table_);
  put(out, next_id_);
  put(out, static_cast<std::uint32_t>(changes_.size()));
  for (const change& c : changes_) {
    put(out, c.kind);
    put(out, c.sequence);
    put(out, c.column);
    put(out, to_byte(c.ack));
    put_text(out, c.name);
    put_text(out, bytes_of(c.before));
    put_text(out, bytes_of(c.after));
    put(out, static_cast<std::uint32_t>(c.assigned.size()));
    for (const column_index column : c.assigned) put(out, column);
    if (has_index_type(c.kind)) put(out, c.index);
  }
}

std::shared_ptr<const statement_changes> statement_changes::decode(std::string_view bytes) {
  byte_reader in(bytes);
  std::shared_ptr<statement_changes> made(new statement_changes());
  const std::string_view table = in.take_text();
  made->next_id_ = in.take<std::uint64_t>();
  const auto count = in.take<std::uint32_t>();
  std::vector<change> changes;
  std::vector<std::vector<column_index>> assigned;
  for (std::uint32_t i = 0; i < count && in.good(); ++i) {
    change& c = changes.emplace_back();
    c.kind = in.take<change_kind>();
    c.sequence = in.take<std::uint64_t>();
    c.column = in.take<column_index>();
    c.ack = to_ack(in.take<std::uint8_t>());
    c.name = in.take_text();
    const std::string_view before = in.take_text();
    const std::string_view after = in.take_text();
    if (c.kind > change_kind::drop_index) return nullptr;
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
  }
  if (!in.good() || !in.at_end() || changes.empty()) return nullptr;
  made->own(table, changes);
  return made;
}

}  // namespace pubsubsql::storage::durable
