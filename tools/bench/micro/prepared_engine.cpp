#include "tools/bench/micro/prepared_engine.hpp"

#include <stdexcept>
#include <utility>

namespace micro {

using namespace pubsubsql;

std::string key_of(std::size_t row) {
  return "key" + std::to_string(100'000'000 + row);
}

std::string insert_of(std::size_t row) {
  return "insert into t (k, g, a, b) values (" + key_of(row) + ", tag" + std::to_string(row % 100) + ", " +
         std::to_string(10'000 + row % 90'000) + ", " + std::to_string(10'000 + row * 7 % 90'000) + ")";
}

std::string update_of(std::size_t row, std::size_t value) {
  return "update t set a = " + std::to_string(10'000 + value % 90'000) + " where k = " + key_of(row);
}

prepared_engine::prepared_engine(std::size_t rows) {
  run("key t k");
  run("tag t g");
  for (std::size_t row = 0; row < rows; ++row) run(insert_of(row));
}

const storage::outcome& prepared_engine::run(const std::string& sql) {
  const parser::statement* const s = parser_.parse(sql);
  if (s == nullptr) throw std::runtime_error(parser::message(parser_.error()));
  const storage::outcome& o =
      database_.execute(*s, {.subscriber = storage::subscriber_id{1}, .pubsubid = ++pubsubid_, .corrections = nullptr});
  if (o.failure) throw std::runtime_error(o.failure->message);
  return o;
}

}  // namespace micro
