// Bytes to statements.

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/frame.hpp"
#include "parser/parser.hpp"
#include "parser/request_reader.hpp"
#include "parser/statement_cache.hpp"
#include "tools/bench/micro/prepared_engine.hpp"
#include "tools/bench/micro/subject.hpp"

namespace micro {

using namespace pubsubsql;

namespace {

constexpr std::size_t operations = 1'000;

class parsing : public subject {
 public:
  explicit parsing(std::string sql) : sql_(std::move(sql)) {}
  void run(std::size_t times) override {
    for (; times > 0; --times) {
      arena_.reset();
      unused_result = parser::parse(sql_, arena_).has_value() ? 1 : 0;
    }
  }

 private:
  std::string sql_;
  parser::statement_arena arena_;
};

/// Requests that come a hundred at a time.
/// Statements of one form with values of their own.
class recognising : public subject {
 public:
  explicit recognising(std::string (*sql)(std::size_t)) {
    for (std::size_t i = 0; i < operations; ++i) texts_.push_back(sql(i));
    run(2);
  }
  void run(std::size_t times) override {
    for (std::size_t i = 0; i < times; ++i) unused_result = cache_.parse(texts_[i]) != nullptr ? 1 : 0;
  }

 private:
  std::vector<std::string> texts_;
  parser::statement_cache cache_;
};

class reading : public subject {
 public:
  explicit reading(parser::wire_mode mode) {
    for (std::size_t i = 0; i < requests; ++i) {
      const std::string sql = update_of(i, i);
      if (mode == parser::wire_mode::framed) {
        const auto header = parser::encode(
            {.payload_bytes = static_cast<std::uint32_t>(sql.size()), .request_id = static_cast<std::uint32_t>(i + 1)});
        bytes_.append(header.begin(), header.end());
        bytes_ += sql;
      } else {
        bytes_ += sql + "\n";
      }
    }
  }
  void run(std::size_t times) override {
    for (std::size_t done = 0; done < times; done += requests) {
      reader_.feed(bytes_);
      parser::request r;
      while (reader_.next(r) == parser::request_reader::outcome::ready) unused_result = r.text.size();
      reader_.park();
    }
  }

 private:
  static constexpr std::size_t requests = 100;
  parser::request_reader reader_{1U << 20};
  std::string bytes_;
};

}  // namespace

void add_parser_subjects(std::vector<subject_description>& to) {
  const std::array<std::pair<std::string, std::string>, 6> statements = {{
      {"insert", insert_of(1)},
      {"update by key", update_of(1, 2)},
      {"select by key", "select * from t where k = " + key_of(1)},
      {"delete by key", "delete from t where k = " + key_of(1)},
      {"subscribe", "subscribe * from t where k = " + key_of(1)},
      {"insert of quoted texts", "insert into stocks (ticker, note) values ('IBM', 'it''s a \"note\", not long')"},
  }};
  for (const auto& [name, sql] : statements) {
    to.push_back({.name = "parse: " + name, .operations = operations, .make = [sql = sql] {
                    return std::make_unique<parsing>(sql);
                  }});
  }
  to.push_back({.name = "parse: insert of a known form", .operations = operations, .make = [] {
                  return std::make_unique<recognising>(insert_of);
                }});
  to.push_back({.name = "parse: update of a known form", .operations = operations, .make = [] {
                  return std::make_unique<recognising>([](std::size_t i) { return update_of(i, i); });
                }});
  to.push_back({.name = "read: frames", .operations = operations, .make = [] {
                  return std::make_unique<reading>(parser::wire_mode::framed);
                }});
  to.push_back({.name = "read: lines", .operations = operations, .make = [] {
                  return std::make_unique<reading>(parser::wire_mode::text);
                }});
}

}  // namespace micro
