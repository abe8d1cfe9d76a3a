#include "storage/durable/change_group.hpp"

#include <algorithm>

#include "storage/durable/byte_coding.hpp"

namespace pubsubsql::storage::durable {

std::vector<std::string_view> tables_of(const change_group& g) {
  std::vector<std::string_view> tables;
  for (const auto& s : g) {
    if (std::ranges::find(tables, s->table_name()) == tables.end()) tables.push_back(s->table_name());
  }
  return tables;
}

std::string table_names(const change_group& g) {
  std::string names;
  for (const std::string_view table : tables_of(g)) names.append(names.empty() ? "" : ", ").append(table);
  return names;
}

void encode(const change_group& g, std::string& out) {
  if (g.size() == 1) return g.front()->encode(out);
  put(out, statement_changes::later_format);
  put(out, statement_changes::group_format);
  put(out, static_cast<std::uint32_t>(g.size()));
  std::string one;
  for (const auto& s : g) {
    one.clear();
    s->encode(one);
    put_text(out, one);
  }
}

change_group decode_group(std::string_view bytes) {
  byte_reader in(bytes);
  const bool later = in.take<std::uint32_t>() == statement_changes::later_format;
  if (!later || in.take<std::uint8_t>() != statement_changes::group_format || !in.good()) {
    auto one = statement_changes::decode(bytes);
    if (one == nullptr) return {};
    return {std::move(one)};
  }
  const auto count = in.take<std::uint32_t>();
  change_group g;
  for (std::uint32_t i = 0; i < count && in.good(); ++i) {
    auto one = statement_changes::decode(in.take_text());
    if (one == nullptr) return {};
    g.push_back(std::move(one));
  }
  if (!in.good() || !in.at_end()) return {};
  return g;
}

}  // namespace pubsubsql::storage::durable
