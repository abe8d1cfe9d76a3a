#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "parser/splitter.hpp"
#include "parser/statement_cache.hpp"

using namespace pubsubsql::parser;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  const std::size_t end = statement_end(sql);
  if (end != std::string_view::npos && (end == 0 || end > size || sql[end - 1] != ';')) std::abort();

  statement_arena arena;
  const auto parsed = parse(sql, arena);
  static statement_cache cache;
  if (!parsed) {
    if (cache.parse(sql) != nullptr) std::abort();
    const syntax_error& error = parsed.error();
    if (error.offset > size || message(error).size() > 1000 || caret(sql, error.offset).empty()) std::abort();
    return 0;
  }
  if (is_blank(sql)) std::abort();
  for (int i = 0; i < 3; ++i) {
    const statement* cached = cache.parse(sql);
    if (cached == nullptr || !(*cached == *parsed)) std::abort();
  }
  const std::string text = print(*parsed);
  statement_arena again;
  const auto reread = parse(text, again);
  if (!reread || !(*reread == *parsed) || print(*reread) != text) std::abort();
  const std::string_view next[] = {sql, text, sql};
  cache.expect(next);
  for (const std::string_view ahead : next) {
    const statement* cached = cache.parse(ahead);
    if (cached == nullptr || !(*cached == *parsed)) std::abort();
  }
  return 0;
}
