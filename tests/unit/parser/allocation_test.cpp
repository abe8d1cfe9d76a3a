#include <atomic>
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "parser/parser.hpp"

// Common statements must be parsed without touching the heap. This counts every allocation of the program.

namespace {

std::atomic<int> allocations{0};

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
// The default memory resource of a pmr container asks for its alignment.
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto bytes = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(bytes, (size + bytes - 1) / bytes * bytes)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

using namespace pubsubsql::parser;

TEST_CASE("parser: common statements allocate nothing") {
  constexpr std::string_view statements[] = {
      "update stocks set bid = 101.5, ask = 102 where ticker = IBM returning *",
      "insert into stocks (ticker, name, bid, ask) values (IBM, 'It''s Business Machines', 1, 2), (MSFT, null, 3, 4)",
      "select id, ticker, bid from stocks where sector = TECH",
      "subscribe skip * from `stocks` where sector = TECH",
      "stream delete from stocks where id = 17",
      "select id, bid from stocks where sector = TECH and bid > 100 order by bid desc limit 10",
      "update stocks set bid = bid + 1 where ticker in (IBM, MSFT)",
      "insert into stocks (ticker, bid) values (IBM, 1) on duplicate key update bid = values(bid)",
      "select sector, count(*), avg(bid) from stocks group by sector having count(*) > 1",
      "begin",
  };
  statement_arena arena;
  for (const std::string_view sql : statements) {
    const int before = allocations;
    bool parsed = false;
    {
      arena.reset();
      parsed = parse(sql, arena).has_value();
    }
    const int made = allocations - before;
    INFO(sql);
    CHECK(parsed);
    CHECK(made == 0);
  }
}
