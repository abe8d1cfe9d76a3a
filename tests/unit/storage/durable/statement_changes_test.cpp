#include "storage/durable/statement_changes.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/table.hpp"
#include "tests/unit/storage/engine_driver.hpp"

using namespace pubsubsql::storage;
using durable::statement_changes;

namespace {

std::string text_of(row_view row, column_index columns) {
  if (row.data() == nullptr) return "-";
  std::string out = std::to_string(row.position());
  row_view::cursor values(row);
  for (column_index c = 1; c < columns; ++c) {
    const value v = values.at(c);
    out += v ? ",'" + std::string(*v) + "'" : ",null";
  }
  return out;
}

/// Everything a store may look at.
std::string text_of(const statement_changes& s) {
  std::string out = std::string(s.table_name()) + " next " + std::to_string(s.next_id()) + " sequence " +
                    std::to_string(s.sequence()) + (s.changes_schema() ? " schema" : "");
  for (const change& c : s.changes()) {
    out += "\n" + std::to_string(static_cast<int>(c.kind)) + " #" + std::to_string(c.sequence) + " " +
           std::string(c.name) + "@" + std::to_string(c.column);
    out += " " + (c.ack ? std::to_string(static_cast<int>(*c.ack)) : "-");
    out += " " + text_of(c.before, 6) + " -> " + text_of(c.after, 6);
    for (const column_index column : c.assigned) out += " " + std::to_string(column);
  }
  return out;
}

/// What a store does with the rows of each kind of change.
std::size_t use(const statement_changes& s) {
  std::size_t sum = 0;
  for (const change& c : s.changes()) {
    const bool has_after = c.kind == change_kind::insert_row || c.kind == change_kind::update_row;
    const bool has_before = c.kind == change_kind::update_row || c.kind == change_kind::delete_row;
    if (has_after) sum += text_of(c.after, 600).size() + c.after.size();
    if (has_before) sum += text_of(c.before, 600).size() + c.before.size();
    sum += c.name.size() + c.assigned.size();
  }
  return sum;
}

struct sample {
  const char* name;
  std::vector<std::string> before;
  std::string sql;
};

const sample samples[] = {
    {"a table made", {}, "insert into t (a, b) values (x, ''), (null, 'y')"},
    {"a long value", {}, "insert into t (a, b) values ('" + std::string(300, 'q') + "', z)"},
    {"rows updated", {"insert into t (a, b) values (1, x), (1, y)"}, "update t set c = z, a = null where a = 1"},
    {"no value left", {"insert into t (a) values (1)"}, "update t set a = null"},
    {"rows deleted", {"push front into t (a, b) values (1, x), (1, y)"}, "delete from t where a = 1"},
    {"a queue", {"push front into t (a) values (1)"}, "pop front from t"},
    {"a key", {"insert into t (a) values (1)"}, "key t a"},
    {"a tag on a new column", {"insert into t (a) values (1)"}, "tag t g"},
    {"ack", {"insert into t (a) values (1)"}, "alter table t set ack = memory"},
};

std::shared_ptr<const statement_changes> make(const sample& s) {
  engine_driver e;
  for (const std::string& sql : s.before) REQUIRE_FALSE(e.run(sql).starts_with("error"));
  REQUIRE_FALSE(e.run(s.sql).starts_with("error"));
  return e.kept();
}

}  // namespace

TEST_CASE("statement changes: outlive the engine they were copied from") {
  const auto s = make(samples[2]);
  CHECK(text_of(*s) ==
        "t next 2 sequence 8 schema\n"
        "1 #6 c@3 - - -> -\n"
        "6 #7 @0 - 0,'1','x',null,null,null -> 0,null,'x','z',null,null 3 1\n"
        "6 #8 @0 - 1,'1','y',null,null,null -> 1,null,'y','z',null,null 3 1");
  CHECK(s->memory_bytes() > sizeof *s);
}

TEST_CASE("statement changes: encoded and decoded they are the same") {
  for (const sample& each : samples) {
    INFO(std::string(each.name));
    const auto s = make(each);
    std::string bytes;
    s->encode(bytes);
    const auto again = statement_changes::decode(bytes);
    REQUIRE(again != nullptr);
    CHECK(text_of(*again) == text_of(*s));
    std::string twice;
    again->encode(twice);
    CHECK(twice == bytes);
  }
}

TEST_CASE("statement changes: bytes cut short, or with more behind, are damaged") {
  for (const sample& each : samples) {
    INFO(std::string(each.name));
    std::string bytes;
    make(each)->encode(bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // Of exactly that size, so that a sanitizer sees a byte read too many.
      const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      CHECK(statement_changes::decode({cut.data(), cut.size()}) == nullptr);
    }
    CHECK(statement_changes::decode(bytes + '\0') == nullptr);
  }
}

TEST_CASE("statement changes: a changed byte is found or does no harm") {
  std::size_t sum = 0;
  for (const sample& each : samples) {
    std::string bytes;
    make(each)->encode(bytes);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const int flip : {0x01, 0x04, 0x80, 0xff}) {
        std::vector<char> damaged(bytes.begin(), bytes.end());
        damaged[at] = static_cast<char>(damaged[at] ^ flip);
        INFO(std::string(each.name) << ", byte " << at << " xor " << flip);
        if (const auto s = statement_changes::decode({damaged.data(), damaged.size()})) sum += use(*s);
      }
    }
  }
  CHECK(sum > 0);
}

TEST_CASE("a row whose lengths never end is damaged") {
  for (const std::size_t size : {8U, 9U, 10U, 11U, 20U, 100U}) {
    std::string bytes(row_view::header_bytes, '\0');
    bytes[16] = 1;  // one column
    bytes.append(size, '\x80');
    bytes += '\x01';
    std::vector<value> values;
    bytes += "abc";
    CHECK_FALSE(row_view::read_values(bytes, values));
  }
}
