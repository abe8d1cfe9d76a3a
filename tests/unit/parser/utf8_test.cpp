#include "parser/utf8.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::parser;

TEST_CASE("utf-8: the first invalid byte is found") {
  struct example {
    std::string text;
    std::size_t at;
  };
  constexpr auto fine = std::string_view::npos;
  const std::vector<example> examples = {
      {"", fine},
      {"plain ascii, longer than a word", fine},
      {"größe 日本 😀", fine},
      {"\x7f", fine},
      {"12345678\xff", 8},
      {"1234567\xff", 7},
      {"\x80", 0},
      {"\xc0\x80", 0},
      {"\xc1\xbf", 0},
      {"\xe0\x80\x80", 0},
      {"\xed\xa0\x80", 0},
      {"\xf0\x80\x80\x80", 0},
      {"\xf4\x90\x80\x80", 0},
      {"\xf5\x80\x80\x80", 0},
      {"a\xc3", 1},
      {"ab\xe2\x82", 2},
      {"abc\xf0\x9f\x98", 3},
      {"\xc3\x28", 0},
  };
  for (const example& e : examples) {
    INFO(e.text);
    CHECK(find_invalid_utf8(e.text) == e.at);
  }
}

TEST_CASE("utf-8: names") {
  CHECK(name_bytes("abc def") == 3);
  CHECK(name_bytes("a9_=") == 3);
  CHECK(name_bytes("9a") == 0);
  CHECK(name_bytes("größe,") == 7);
  CHECK(name_bytes("x٣ ") == 3);
  CHECK(name_bytes("٣") == 0);
  CHECK(name_bytes("–") == 0);
  CHECK(name_bytes("") == 0);
  CHECK(name_start_bytes("ß") == 2);
  CHECK(cut_at_character("größe", 3) == 2);
  CHECK(cut_at_character("größe", 100) == 7);
}
